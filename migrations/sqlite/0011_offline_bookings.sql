-- Bookings that hosts and admins settle outside: nothing is paid for them here.
alter table booking add column offline integer not null default 0;

-- What a guest has pending is found by booking_of_guest, among what they made in the last days. An
-- index of pending bookings alone would name the status, which steps change.
