-- A booking's id names it by itself, so that one index does the work of two. Ids are made in the
-- order of time and land on the newest page; those of properties are scattered over the whole of an
-- index, which every booking paid for. A property's bookings are found by booking_of_property.
create unique index booking_key on booking (booking_id);
alter table booking drop constraint booking_pkey;
alter table booking add constraint booking_pkey primary key using index booking_key;
drop index booking_by_id;
