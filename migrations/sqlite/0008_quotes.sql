-- Prices that were promised for some minutes. Rows never change.
create table quote (
    quote_id blob not null primary key,
    property_id blob not null,
    -- Nobody, where nobody was signed in.
    account_id blob,
    check_in integer not null,
    check_out integer not null,
    guests integer not null,
    -- The lines of the price in canonical bytes.
    price blob not null,
    currency text not null,
    policy text not null,
    expires_at integer not null,
    created_at integer not null
) strict;

create index quote_expires on quote (expires_at);
