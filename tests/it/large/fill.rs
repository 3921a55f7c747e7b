//! The rows of a large database, made by the database itself: as many as lists could ever have to
//! find their way through, without the histories that decisions read. What a row says is decided
//! by its number, so that every run has the same rows.

use crate::helpers::{Database, day};
use domain::Night;
use vacancy::engine::AMENITIES;

/// How many homes there are for each host, and bookings for each home.
pub(super) const HOMES_PER_HOST: i64 = 5;
pub(super) const BOOKINGS_PER_HOME: i64 = 10;
/// One row of so many is one that hardly any other is like.
pub(super) const RARE: i64 = 1_000;

/// The id made of a number, as it is written.
pub(super) fn id(number: i64) -> String {
    format!("01920000-0000-7000-8000-{number:012x}")
}

/// The same in a statement.
pub(super) fn id_of(database: Database, number: &str) -> String {
    match database {
        Database::Sqlite => {
            format!("unhex('01920000000070008000' || printf('%012x', {number}))")
        }
        Database::Postgres => {
            format!("('01920000000070008000' || lpad(to_hex({number}), 12, '0'))::uuid")
        }
    }
}

/// A whole number from 0 to `bound`, which is left out: `number` decides which, and differently for
/// each `salt`.
fn chance(salt: i64, bound: i64, number: &str) -> String {
    let mixed = format!("((({number}) + {salt}) * {} % 2147483647)", 48_271 + 7_919 * salt);
    format!("({mixed} * ({mixed} % 46337 + {salt}) % 2147483647 / 64 % {bound})")
}

/// A number from 1 to `bound`; low ones come more often: the first 1 % has a tenth of the rows.
fn skewed(salt: i64, bound: i64, number: &str) -> String {
    let drawn = chance(salt, 10_000, number);
    format!("(1 + {drawn} * {drawn} * {bound} / 100000000)")
}

/// The statements that fill a migrated database with so many homes, in their order. They have to
/// be run on one connection.
pub(super) fn statements(database: Database, homes: i64) -> Vec<String> {
    let bookings = homes * BOOKINGS_PER_HOME;
    let numbers = match database {
        Database::Sqlite => format!(
            "with recursive up (n) as (select 1 union all select n + 1 from up where n < {bookings}) \
             insert into number select n from up"
        ),
        Database::Postgres => {
            format!("insert into number select generate_series(1, {bookings})")
        }
    };
    let measured = match database {
        Database::Sqlite => "",
        // It does so by itself, but not at once.
        Database::Postgres => "analyze",
    };
    vec![
        "create temp table number (n bigint not null primary key)".to_owned(),
        numbers,
        accounts(database, homes),
        properties(database, homes),
        amenities(database, homes),
        booked(database, homes),
        payments(database),
        reviews(database, homes),
        taken(database, homes),
        taken_nights(database, homes),
        blocked(database, homes),
        terms(database, homes),
        measured.to_owned(),
    ]
}

fn accounts(database: Database, homes: i64) -> String {
    let (id, age) = (id_of(database, "n"), chance(1, 1_000_000, "n"));
    let hosts = homes / HOMES_PER_HOST;
    format!(
        "insert into account (account_id, email, password_hash, first_name, last_name, role, \
         created_at) select {id}, 'person-' || n || '@example.com', '', 'Ada', 'Lovelace', \
         case when n <= {hosts} then 'host' else 'guest' end, 1690000000000000 + {age} * 60000000 \
         from number where n <= {homes} + {hosts}"
    )
}

/// The first host has the first home and many more, a few cities have most of them, and few homes
/// are large or booked on request. A city is a fifth of a degree wide.
fn properties(database: Database, homes: i64) -> String {
    let host = skewed(2, homes / HOMES_PER_HOST, "n");
    let host = id_of(database, &format!("case n when 1 then 1 else {host} end"));
    let (id, city) = (id_of(database, "n"), skewed(3, 200, "n"));
    let (listing, place) = (chance(4, 20, "n"), chance(5, 20, "n"));
    let (price, room, age) =
        (skewed(6, 100_000, "n"), skewed(7, 16, "n"), chance(8, 1_000_000, "n"));
    let (north, east) = (chance(14, 1_000, "n"), chance(15, 1_000, "n"));
    let (reviews, stars) = (chance(16, 20, "n"), chance(17, 401, "n"));
    format!(
        "insert into property (property_id, host_id, listing, zone, price_per_night, currency, \
         max_guests, instant_book, check_in_from_minute, check_out_by_minute, policy, title, \
         description, address, city, city_key, country, amenities, created_at, latitude, longitude, \
         review_count, rating_sum) select {id}, {host}, \
         case {listing} when 0 then 'draft' when 1 then 'unlisted' when 2 then 'archived' \
         else 'listed' end, 'UTC', 2000 + {price}, \
         case when n % {RARE} = 7 then 'ISK' when {place} < 14 then 'EUR' else 'KES' end, \
         case when n % {RARE} = 3 then 500 else {room} end, n % {RARE} <> 9, 900, 660, 'flexible', \
         'Home ' || n, '', '', 'City ' || {city}, 'city ' || {city}, \
         case when n % {RARE} = 5 then 'IS' when {place} < 14 then 'PT' else 'KE' end, '[]', \
         1690000000000000 + {age} * 60000000, \
         ({city} * 37 % 160 - 80) + {north} / 5000.0, ({city} * 71 % 360 - 180) + {east} / 5000.0, \
         {reviews}, {reviews} * (100 + {stars}) / 100 from number where n <= {homes}"
    )
}

/// Every amenity has three homes for two of the next one's: the last ones have none.
fn amenities(database: Database, homes: i64) -> String {
    let mut share = 600_000;
    let mut slugs = Vec::new();
    for (salt, slug) in AMENITIES.iter().enumerate() {
        slugs.push(format!("select '{slug}' as slug, {salt} as salt, {share} as share"));
        share = share * 2 / 3;
    }
    let (id, slugs) = (id_of(database, "n"), slugs.join(" union all "));
    let drawn = chance(9, 1_000_000, "n * 64 + amenity.salt");
    format!(
        "insert into property_amenity (amenity, created_at, property_id) \
         select amenity.slug, property.created_at, property.property_id \
         from number join property on property.property_id = {id} \
         join ({slugs}) as amenity on {drawn} < amenity.share where n <= {homes}"
    )
}

/// The first guest has stays in the first home and many more elsewhere.
fn booked(database: Database, homes: i64) -> String {
    let hosts = homes / HOMES_PER_HOST;
    let home = id_of(database, &format!("1 + (n - 1) / {BOOKINGS_PER_HOME}"));
    let guest = format!("{hosts} + case when n <= 5 then 1 else {} end", skewed(10, homes, "n"));
    let guest = id_of(database, &guest);
    let (id, age) = (id_of(database, "n"), chance(11, 1_000_000, "n"));
    let (night, status) = (chance(12, 1_000, "n"), chance(13, 10, "n"));
    format!(
        "insert into booking (property_id, booking_id, guest_id, check_in, check_out, guests, \
         status, awaiting, expires_at, free_from, total, currency, payment_live, paid, refunded, \
         policy, version, created_at, check_in_at, check_out_at) select {home}, {id}, {guest}, \
         night, night + 2, 2, status, case status when 'PENDING' then 'payment' end, \
         case status when 'PENDING' then made_at end, \
         case status when 'NO_SHOW' then night + 1 end, 24000, 'EUR', false, 0, 0, 'flexible', 1, \
         made_at, night * 86400000000, (night + 2) * 86400000000 \
         from (select n, 20000 + {night} as night, 1690000000000000 + {age} * 60000000 as made_at, \
         case when n % {RARE} = 1 then 'NO_SHOW' else case {status} when 0 then 'PENDING' \
         when 1 then 'CANCELED' when 2 then 'CONFIRMED' else 'COMPLETED' end end as status \
         from number) as made"
    )
}

/// Every other stay was paid for.
fn payments(database: Database) -> String {
    let id = id_of(database, "n");
    format!(
        "insert into payment (payment_id, property_id, booking_id, provider, method, amount, \
         currency, status, refunded, created_at) select booking_id, property_id, booking_id, \
         'sandbox', 'pm_card_visa', 24000, 'EUR', 'captured', 0, created_at \
         from number join booking on booking_id = {id} where n % 2 = 0"
    )
}

/// Every third stay was reviewed. The first home has a great many reviews.
fn reviews(database: Database, homes: i64) -> String {
    let (id, first) = (id_of(database, "n"), id_of(database, "1"));
    format!(
        "insert into review (review_id, property_id, booking_id, author_id, direction, rating, \
         comment, window_closes_at, published_at, created_at, version) \
         select booking_id, case when n <= {homes} then {first} else property_id end, booking_id, \
         guest_id, 'guest_to_host', 5, '', created_at, created_at, created_at, 1 \
         from number join booking on booking_id = {id} where n % 3 = 0"
    )
}

/// The first night of the stay that nearly every home is taken for.
pub(super) fn arrival() -> i32 {
    let night: Night = day(60).parse().expect("a date");
    night.days()
}

/// How many nights that stay has.
pub(super) const NIGHTS: i32 = 3;

/// When those bookings were made, by which they are known.
pub(super) const TAKEN_AT: i64 = 1_600_000_000_000_000;

/// In 95 of 100 homes somebody has booked that stay; in one more a hold is over that nobody has
/// swept away.
fn taken(database: Database, homes: i64) -> String {
    let guest = id_of(database, &format!("{homes} + {}", homes / HOMES_PER_HOST));
    let id = id_of(database, &format!("{} + n", homes * BOOKINGS_PER_HOME));
    let (home, drawn, from) = (id_of(database, "n"), chance(18, 100, "n"), arrival());
    let to = from + NIGHTS;
    format!(
        "insert into booking (property_id, booking_id, guest_id, check_in, check_out, guests, \
         status, awaiting, expires_at, total, currency, payment_live, paid, refunded, policy, \
         version, created_at, check_in_at, check_out_at) select {home}, {id}, {guest}, {from}, {to}, \
         2, case when {drawn} < 95 then 'CONFIRMED' else 'PENDING' end, \
         case when {drawn} < 95 then null else 'payment' end, \
         case when {drawn} < 95 then null else {TAKEN_AT} + 900000000 end, 24000, 'EUR', false, 0, \
         0, 'flexible', 1, {TAKEN_AT}, {from} * 86400000000, {to} * 86400000000 \
         from number where n <= {homes} and {drawn} < 96"
    )
}

fn taken_nights(database: Database, homes: i64) -> String {
    let id = id_of(database, &format!("{} + n", homes * BOOKINGS_PER_HOME));
    format!(
        "insert into occupied_night (property_id, night, booking_id) \
         select property_id, check_in + more, booking_id from number \
         join booking on booking_id = {id} cross join \
         (select 0 as more union all select 1 union all select 2) as day where n <= {homes}"
    )
}

/// Every home is blocked at another time.
fn blocked(database: Database, homes: i64) -> String {
    let (home, from) = (id_of(database, "n"), arrival() + 100);
    format!(
        "insert into block (property_id, block_id, from_night, to_night, reason) \
         select {home}, {home}, {from}, {from} + 7, 'owner' from number where n <= {homes}"
    )
}

/// Every fourth home says something of each of forty dates, those of the stay among them.
fn terms(database: Database, homes: i64) -> String {
    let (home, from) = (id_of(database, "home.n"), arrival());
    format!(
        "insert into night_terms (property_id, night, min_nights) \
         select {home}, {from} - 20 + day.n, 2 from number as home cross join number as day \
         where home.n <= {homes} and home.n % 4 = 0 and day.n <= 40"
    )
}
