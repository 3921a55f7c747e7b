-- What lists are narrowed by, where a filter that few rows pass would otherwise be looked for in all
-- of them. None of these columns changes by a step of a booking.

drop index property_of_host;
create index property_of_host on property (host_id, created_at desc, property_id desc);
create index property_of_country on property (country, created_at desc, property_id desc);
create index property_of_currency on property (currency, created_at desc, property_id desc);
create index property_of_price on property (price_per_night);
create index property_of_room on property (max_guests);

-- Whether a property has an amenity, too.
create unique index property_amenity_of_property on property_amenity (property_id, amenity);

-- A list of payments begins with bookings; whoever goes through properties reads all of theirs.
drop index payment_of_booking;
create index payment_of_booking on payment (booking_id);
create index payment_of_property on payment (property_id);
