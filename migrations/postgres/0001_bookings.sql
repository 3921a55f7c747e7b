-- Bookings, their calendar and what moves them. Instants are microseconds since 1970-01-01T00:00Z,
-- nights are days since 1970-01-01, money is in minor units of its currency: the same integers as
-- on SQLite. There are no foreign keys on booking, calendar_event, occupied_night, idempotency_key
-- and job, because they doubled the cost of a batch; `vacancy verify` checks them.

-- One row: the name of this database's history, which is part of every position in a stream.
create table meta (
    epoch text not null
);

insert into meta (epoch)
values (substr(replace(gen_random_uuid()::text, '-', ''), 1, 16));

create table account (
    account_id uuid primary key,
    -- Lower case, so that one address is one account.
    email text not null constraint account_email_key unique,
    password_hash text not null,
    first_name text not null,
    last_name text not null,
    role text not null,
    created_at bigint not null
);

create table property (
    property_id uuid primary key,
    host_id uuid not null references account (account_id),
    -- What decisions read. These columns change with an event only.
    listing text not null,
    zone text not null,
    price_per_night bigint not null,
    currency text not null,
    max_guests integer not null,
    instant_book boolean not null,
    check_in_from_minute integer not null,
    check_out_by_minute integer not null,
    policy text not null,
    -- What people read.
    title text not null,
    description text not null,
    address text not null,
    city text not null,
    country text not null,
    latitude double precision,
    longitude double precision,
    -- A JSON array of texts.
    amenities text not null,
    created_at bigint not null
);

create index property_newest on property (created_at desc, property_id desc);
create index property_of_host on property (host_id);

-- Where a property's list of events ends: what every commit is fenced on. Pages keep room, so that
-- a head moves inside its page and the indexes stay as they are.
create table calendar_head (
    property_id uuid primary key,
    seq bigint not null,
    event_hash bytea not null,
    next_deadline bigint,
    changed_at bigint not null
) with (fillfactor = 50);

create index calendar_head_due on calendar_head (next_deadline) where next_deadline is not null;

create table calendar_event (
    property_id uuid not null,
    seq bigint not null,
    event_hash bytea not null,
    bytes bytea not null,
    primary key (property_id, seq)
);

-- The state of each booking as its last event says. No index holds a column that a step changes,
-- so that a step rewrites one row and no index.
create table booking (
    property_id uuid not null,
    booking_id uuid not null,
    guest_id uuid not null,
    check_in integer not null,
    check_out integer not null,
    guests integer not null,
    status text not null,
    awaiting text,
    expires_at bigint,
    free_from integer,
    total bigint not null,
    currency text not null,
    quote_id uuid,
    payment_id uuid,
    payment_live boolean not null,
    paid bigint not null,
    refunded bigint not null,
    policy text not null,
    version bigint not null,
    created_at bigint not null,
    check_in_at bigint not null,
    check_out_at bigint not null,
    primary key (property_id, booking_id)
) with (fillfactor = 85);

create index booking_by_id on booking (booking_id);
create index booking_of_guest on booking (guest_id, created_at);

-- The second guard: a night of a property belongs to one live booking.
create table occupied_night (
    property_id uuid not null,
    night integer not null,
    booking_id uuid not null,
    primary key (property_id, night)
);

create table idempotency_key (
    caller_id uuid not null,
    key text not null,
    -- SHA-256 of the parsed command.
    request_hash bytea not null,
    property_id uuid,
    booking_id uuid,
    -- What the key made, where that is not a booking.
    resource_id uuid,
    seq bigint,
    created_at bigint not null,
    primary key (caller_id, key)
);

create index idempotency_key_of_property on idempotency_key (property_id);

create table payment (
    payment_id uuid primary key,
    property_id uuid not null,
    booking_id uuid not null,
    provider text not null,
    provider_ref text,
    method text not null,
    amount bigint not null,
    currency text not null,
    status text not null,
    refunded bigint not null,
    created_at bigint not null
);

create index payment_of_booking on payment (property_id, booking_id);

-- What providers sent, as they sent it.
create table inbox (
    provider text not null,
    event_id text not null,
    payment_id uuid not null,
    body text not null,
    received_at bigint not null,
    processed_at bigint,
    primary key (provider, event_id)
);

create table job (
    job_id uuid primary key,
    kind text not null,
    -- What the work is about: a payment.
    subject_id uuid not null,
    property_id uuid,
    amount bigint not null,
    payload text not null,
    run_at bigint not null,
    attempts integer not null,
    claimed_until bigint,
    -- Set when nobody tries any more.
    buried_at bigint,
    error text
);

create index job_due on job (run_at) where buried_at is null;
create index job_of_subject on job (subject_id);
