-- What is known of a payment at its provider, what of it goes back, and the books.

alter table payment
    -- When the provider was asked last; nothing while it cannot have heard of it.
    add column asked_at bigint,
    -- Whether its booking did not take it: all of it goes back.
    add column disowned boolean not null default false,
    add column return_url text not null default '',
    -- What proves at the provider that it was paid, where that is not its name for the order.
    add column receipt text,
    -- What the guest has to do next: its kind, and a secret or an address.
    add column action text,
    add column action_value text,
    -- Until when one worker has it for itself.
    add column settling_until bigint;

update payment set asked_at = created_at where provider_ref is not null;

create unique index payment_receipt on payment (provider, receipt) where receipt is not null;
create index payment_by_reference on payment (provider, provider_ref)
    where provider_ref is not null;
-- What the reconciliation looks at.
create index payment_unfinished on payment (created_at)
    where status in ('created', 'requires_action', 'processing', 'authorized');

create table refund (
    refund_id uuid primary key,
    payment_id uuid not null,
    property_id uuid not null,
    booking_id uuid not null,
    amount bigint not null,
    state text not null,
    provider_ref text,
    -- Why it failed, in the provider's words.
    reason text,
    requested_at bigint not null,
    settled_at bigint,
    -- How often the provider was asked for it, and when last.
    asks integer not null default 0,
    asked_at bigint
);

create index refund_of_payment on refund (payment_id, requested_at);
-- What may still move, for who looks at all of it again.
create index refund_open on refund (payment_id) where state in ('requested', 'submitted');

-- Double entry, never changed: the entries of a transaction come to zero.
create table ledger_entry (
    transaction_id uuid not null,
    account text not null,
    payment_id uuid not null,
    amount bigint not null,
    currency text not null,
    created_at bigint not null,
    primary key (transaction_id, account)
);

create index ledger_entry_of_payment on ledger_entry (payment_id);

insert into refund
select payment_id, payment_id, property_id, booking_id, refunded, 'succeeded', null, null,
    created_at, created_at, 1, created_at
from payment where refunded > 0;

-- What happened before there were books is one transaction for each payment.
insert into ledger_entry
select payment_id, account, payment_id, sign * (amount - refunded), currency, created_at
from payment cross join (select 'provider' as account, 1 as sign union all select 'bookings', -1)
    as side
where status in ('captured', 'partially_refunded', 'refunded');
