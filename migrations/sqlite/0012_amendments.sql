-- Changes that wait for their payment, and bookings with several payments, in canonical bytes; nothing
-- where there is no change and one payment at most.
alter table booking add column amendment blob;
