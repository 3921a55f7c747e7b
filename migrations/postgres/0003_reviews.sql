-- What guests say of their stays, and the indexes that lists with filters read.

-- All ratings of a property as two whole numbers; they change with a review, in its transaction.
alter table property add column rating_sum bigint not null default 0;
alter table property add column review_count bigint not null default 0;

-- No foreign key on booking: it is a hot table, and `vacancy verify` looks there.
create table review (
    review_id uuid primary key,
    property_id uuid not null references property (property_id),
    booking_id uuid not null,
    author_id uuid not null references account (account_id),
    direction text not null,
    rating integer not null,
    comment text not null,
    -- What the host answered, and when: both or neither.
    reply text,
    replied_at bigint,
    -- Until when its author may change it or take it back.
    window_closes_at bigint not null,
    published_at bigint not null,
    created_at bigint not null,
    version bigint not null
);

-- One review a booking and direction.
create unique index review_of_booking on review (booking_id, direction);
create index review_of_property on review (property_id, created_at, review_id);

-- The nights of a stay do not change by a step, so this is written once for each booking.
create index booking_of_property on booking (property_id, check_in);
