-- Prices that were promised for some minutes. Rows never change.
create table quote (
    quote_id uuid primary key,
    property_id uuid not null,
    -- Nobody, where nobody was signed in.
    account_id uuid,
    check_in integer not null,
    check_out integer not null,
    guests integer not null,
    -- The lines of the price in canonical bytes.
    price bytea not null,
    currency text not null,
    policy text not null,
    expires_at bigint not null,
    created_at bigint not null
);

create index quote_expires on quote (expires_at);
