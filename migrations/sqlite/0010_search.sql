-- What searches sort and narrow properties by. None of these columns changes by a step of a booking.

-- The mean rating in hundredths of a star, rounded half up; 0 without ratings.
alter table property
    add column rating_hundredths integer not null generated always as (
        case when review_count > 0
            then (rating_sum * 200 + review_count) / (review_count * 2) else 0 end
    ) virtual;

create index property_of_rating on property (rating_hundredths desc, property_id desc);
create index property_of_currency_price on property (currency, price_per_night, property_id);
-- A box is found by its parallels or its meridians, whichever are nearer to each other.
create index property_of_latitude on property (latitude, longitude);
create index property_of_longitude on property (longitude, latitude);
create index property_of_instant on property (instant_book, created_at desc, property_id desc);
