-- A booking's id names it by itself, so that one index does the work of two. A property's bookings
-- are found by booking_of_property. SQLite changes a primary key by making the table anew.
create table booking_by_its_id (
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
    price blob,
    confirmed_at integer,
    offline integer not null default 0,
    amendment blob,
    primary key (booking_id)
) strict;

insert into booking_by_its_id select * from booking;
drop table booking;
alter table booking_by_its_id rename to booking;

create index booking_of_guest on booking (guest_id, created_at);
create index booking_of_property on booking (property_id, check_in);
