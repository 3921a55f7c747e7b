-- Bookings, their calendar and what moves them. Instants are microseconds since 1970-01-01T00:00Z,
-- nights are days since 1970-01-01, money is in minor units of its currency: the same integers as
-- on PostgreSQL. There are no foreign keys on booking, calendar_event, occupied_night,
-- idempotency_key and job, because they doubled the cost of a batch; `vacancy verify` checks them.

-- One row: the name of this database's history, which is part of every position in a stream.
create table meta (
    epoch text not null
) strict;

insert into meta (epoch)
values (lower(hex(randomblob(8))));

create table account (
    account_id blob not null primary key,
    -- Lower case, so that one address is one account.
    email text not null constraint account_email_key unique,
    password_hash text not null,
    first_name text not null,
    last_name text not null,
    role text not null,
    created_at integer not null
) strict;

create table property (
    property_id blob not null primary key,
    host_id blob not null references account (account_id),
    -- What decisions read. These columns change with an event only.
    listing text not null,
    zone text not null,
    price_per_night integer not null,
    currency text not null,
    max_guests integer not null,
    instant_book integer not null,
    check_in_from_minute integer not null,
    check_out_by_minute integer not null,
    policy text not null,
    -- What people read.
    title text not null,
    description text not null,
    address text not null,
    city text not null,
    country text not null,
    latitude real,
    longitude real,
    -- A JSON array of texts.
    amenities text not null,
    created_at integer not null
) strict;

create index property_newest on property (created_at desc, property_id desc);
create index property_of_host on property (host_id);

-- Where a property's list of events ends: what every commit is fenced on.
create table calendar_head (
    property_id blob not null primary key,
    seq integer not null,
    event_hash blob not null,
    next_deadline integer,
    changed_at integer not null
) strict, without rowid;

create index calendar_head_due on calendar_head (next_deadline) where next_deadline is not null;

-- With row numbers, unlike its neighbours: events are long, and appending them touches fewer pages
-- than spreading them over the pages of their properties.
create table calendar_event (
    property_id blob not null,
    seq integer not null,
    event_hash blob not null,
    bytes blob not null,
    primary key (property_id, seq)
) strict;

-- The state of each booking as its last event says. No index holds a column that a step changes,
-- so that a step rewrites one row and no index.
create table booking (
    property_id blob not null,
    booking_id blob not null,
    guest_id blob not null,
    check_in integer not null,
    check_out integer not null,
    guests integer not null,
    status text not null,
    awaiting text,
    expires_at integer,
    free_from integer,
    total integer not null,
    currency text not null,
    quote_id blob,
    payment_id blob,
    payment_live integer not null,
    paid integer not null,
    refunded integer not null,
    policy text not null,
    version integer not null,
    created_at integer not null,
    check_in_at integer not null,
    check_out_at integer not null,
    primary key (property_id, booking_id)
) strict;

create index booking_by_id on booking (booking_id);
create index booking_of_guest on booking (guest_id, created_at);

-- The second guard: a night of a property belongs to one live booking.
create table occupied_night (
    property_id blob not null,
    night integer not null,
    booking_id blob not null,
    primary key (property_id, night)
) strict, without rowid;

create table idempotency_key (
    caller_id blob not null,
    key text not null,
    -- SHA-256 of the parsed command.
    request_hash blob not null,
    property_id blob,
    booking_id blob,
    -- What the key made, where that is not a booking.
    resource_id blob,
    seq integer,
    created_at integer not null,
    primary key (caller_id, key)
) strict, without rowid;

create index idempotency_key_of_property on idempotency_key (property_id);

create table payment (
    payment_id blob not null primary key,
    property_id blob not null,
    booking_id blob not null,
    provider text not null,
    provider_ref text,
    method text not null,
    amount integer not null,
    currency text not null,
    status text not null,
    refunded integer not null,
    created_at integer not null
) strict;

create index payment_of_booking on payment (property_id, booking_id);

-- What providers sent, as they sent it.
create table inbox (
    provider text not null,
    event_id text not null,
    payment_id blob not null,
    body text not null,
    received_at integer not null,
    processed_at integer,
    primary key (provider, event_id)
) strict, without rowid;

create table job (
    job_id blob not null primary key,
    kind text not null,
    -- What the work is about: a payment.
    subject_id blob not null,
    property_id blob,
    amount integer not null,
    payload text not null,
    run_at integer not null,
    attempts integer not null,
    claimed_until integer,
    -- Set when nobody tries any more.
    buried_at integer,
    error text
) strict, without rowid;

create index job_due on job (run_at) where buried_at is null;
create index job_of_subject on job (subject_id);
