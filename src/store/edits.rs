//! What the commit writes for an edited property: its row, and the slugs by which searches find
//! it. Edits are rare, so neither database's usual statements carry them.

use super::booking_row::{minute_of_day, rules_bytes};
use super::commit::Rows;
use super::commit_postgres::{Statement, column, place};
use super::commit_sqlite::{hex, hex_bytes, send};
use super::properties::{amenities_json, city_key};
use domain::event::Seq;
use domain::property::Edit;
use serde::Serialize;
use sqlx::sqlite::SqliteConnection;

/// The part of PostgreSQL's statement; its numbers follow those of the parts before it.
macro_rules! edited {
    () => {
        ", edited as (
    update property
    set listing = row.listing, zone = row.zone, price_per_night = row.price_per_night,
        currency = row.currency, max_guests = row.max_guests, instant_book = row.instant_book,
        check_in_from_minute = row.check_in_from, check_out_by_minute = row.check_out_by,
        policy = row.policy, title = row.title, description = row.description,
        address = row.address, city = row.city, city_key = row.city_key, country = row.country,
        latitude = row.latitude, longitude = row.longitude, amenities = row.amenities,
        rules = row.rules, blind_reviews = row.blind_reviews,
        changed_seq = row.seq
    from unnest($86::int[], $87::bigint[], $88::text[], $89::text[], $90::bigint[], $91::text[],
        $92::int[], $93::boolean[], $94::int[], $95::int[], $96::text[], $97::text[],
        $98::text[], $99::text[], $100::text[], $101::text[], $102::text[], $103::float8[],
        $104::float8[], $105::text[], $106::bytea[], $107::boolean[])
        as row (run, seq, listing, zone, price_per_night, currency, max_guests, instant_book,
            check_in_from, check_out_by, policy, title, description, address, city, city_key,
            country, latitude, longitude, amenities, rules,
            blind_reviews)
    where (select runs from gate)[row.run] and property.property_id = ($1::uuid[])[row.run]
), said_no_more as (
    delete from property_amenity as said
    using unnest($108::int[], $109::text[]) as row (run, amenity), property
    where (select runs from gate)[row.run] and property.property_id = ($1::uuid[])[row.run]
        and said.amenity = row.amenity and said.created_at = property.created_at
        and said.property_id = property.property_id
), said_now as (
    insert into property_amenity (amenity, created_at, property_id)
    select row.amenity, property.created_at, property.property_id
    from unnest($110::int[], $111::text[]) as row (run, amenity)
    join property on property.property_id = ($1::uuid[])[row.run]
    where (select runs from gate)[row.run]
)"
    };
}

pub(super) use edited;

/// Binds the values of [`edited`].
pub(super) fn bind<'q>(
    statement: Statement<'q>,
    rows: &Rows<'_>,
) -> Result<Statement<'q>, sqlx::Error> {
    let edits = &rows.edits;
    let amenities: Result<Vec<String>, _> =
        edits.iter().map(|(.., edit)| amenities_json(&edit.page)).collect();
    let amenities = amenities.map_err(|error| sqlx::Error::Encode(error.into()))?;
    let said = |slugs: fn(&Edit) -> &[String]| -> (Vec<i32>, Vec<String>) {
        let each = |(run, _, edit): &(usize, Seq, &Edit)| {
            let place = place(*run);
            slugs(edit).iter().map(|slug| (place, slug.clone())).collect::<Vec<_>>()
        };
        edits.iter().flat_map(each).unzip()
    };
    let (removed, added) = (said(|e| &e.amenities_removed), said(|e| &e.amenities_added));
    Ok(statement
        .bind(column(edits, |(run, ..)| place(*run)))
        .bind(column(edits, |(_, seq, _)| *seq))
        .bind(column(edits, |(.., e)| e.facts.listing.name()))
        .bind(column(edits, |(.., e)| e.facts.zone.name().to_owned()))
        .bind(column(edits, |(.., e)| e.facts.price_per_night))
        .bind(column(edits, |(.., e)| e.facts.currency.code().to_owned()))
        .bind(column(edits, |(.., e)| i32::from(e.facts.max_guests)))
        .bind(column(edits, |(.., e)| e.facts.instant_book))
        .bind(column(edits, |(.., e)| minute_of_day(e.facts.check_in_from)))
        .bind(column(edits, |(.., e)| minute_of_day(e.facts.check_out_by)))
        .bind(column(edits, |(.., e)| e.facts.policy.name()))
        .bind(column(edits, |(.., e)| e.page.title.clone()))
        .bind(column(edits, |(.., e)| e.page.description.clone()))
        .bind(column(edits, |(.., e)| e.page.address.clone()))
        .bind(column(edits, |(.., e)| e.page.city.clone()))
        .bind(column(edits, |(.., e)| city_key(&e.page.city)))
        .bind(column(edits, |(.., e)| e.page.country.clone()))
        .bind(column(edits, |(.., e)| e.page.latitude))
        .bind(column(edits, |(.., e)| e.page.longitude))
        .bind(amenities)
        .bind(column(edits, |(.., e)| rules_bytes(&e.facts.rules)))
        .bind(column(edits, |(.., e)| e.page.blind_reviews))
        .bind(removed.0)
        .bind(removed.1)
        .bind(added.0)
        .bind(added.1))
}

const EDITED: &str = "with row as materialized (select value from json_each($1)) \
     update property set changed_seq = now.seq, listing = now.listing, zone = now.zone, \
     price_per_night = now.price_per_night, currency = now.currency, \
     max_guests = now.max_guests, instant_book = now.instant_book, \
     check_in_from_minute = now.check_in_from, check_out_by_minute = now.check_out_by, \
     policy = now.policy, title = now.title, description = now.description, \
     address = now.address, city = now.city, city_key = now.city_key, country = now.country, \
     latitude = now.latitude, longitude = now.longitude, amenities = now.amenities, \
     rules = now.rules, blind_reviews = now.blind_reviews \
     from (select unhex(value ->> 0) as property_id, value ->> 1 as seq, value ->> 2 as listing, \
         value ->> 3 as zone, value ->> 4 as price_per_night, value ->> 5 as currency, \
         value ->> 6 as max_guests, value ->> 7 as instant_book, value ->> 8 as check_in_from, \
         value ->> 9 as check_out_by, value ->> 10 as policy, value ->> 11 as title, \
         value ->> 12 as description, value ->> 13 as address, value ->> 14 as city, \
         value ->> 15 as city_key, value ->> 16 as country, value ->> 17 as latitude, \
         value ->> 18 as longitude, value ->> 19 as amenities, \
         unhex(value ->> 20) as rules, value ->> 21 as blind_reviews from row) as now \
     where property.property_id = now.property_id";

const SAID_NO_MORE: &str = "with row as materialized (select value from json_each($1)) \
     delete from property_amenity where (amenity, created_at, property_id) in \
     (select value ->> 1, property.created_at, property.property_id \
         from row join property on property.property_id = unhex(value ->> 0))";

const SAID_NOW: &str = "with row as materialized (select value from json_each($1)) \
     insert into property_amenity (amenity, created_at, property_id) \
     select value ->> 1, property.created_at, property.property_id \
         from row join property on property.property_id = unhex(value ->> 0)";

/// Writes the edits of a batch.
pub(super) async fn write_sqlite(
    on: &mut SqliteConnection,
    rows: &Rows<'_>,
) -> Result<(), sqlx::Error> {
    send(on, EDITED, &edit_rows(rows)?).await?;
    send(on, SAID_NO_MORE, &slug_rows(rows, |edit| &edit.amenities_removed)).await?;
    send(on, SAID_NOW, &slug_rows(rows, |edit| &edit.amenities_added)).await
}

/// The columns of `property` that an edit writes, in the order of the statement.
#[derive(Serialize)]
struct EditJson<'a>(
    String,
    i64,
    &'static str,
    &'a str,
    i64,
    &'a str,
    u16,
    u8,
    i32,
    i32,
    &'static str,
    &'a str,
    &'a str,
    &'a str,
    &'a str,
    String,
    &'a str,
    Option<f64>,
    Option<f64>,
    String,
    Option<String>,
    u8,
);

fn edit_rows<'a>(rows: &Rows<'a>) -> Result<Vec<EditJson<'a>>, sqlx::Error> {
    let row = |(run, seq, edit): &(usize, Seq, &'a Edit)| {
        let (facts, page) = (&edit.facts, &edit.page);
        let amenities = amenities_json(page).map_err(|error| sqlx::Error::Encode(error.into()))?;
        Ok(EditJson(
            hex(rows.runs[*run].property.0),
            *seq,
            facts.listing.name(),
            facts.zone.name(),
            facts.price_per_night,
            facts.currency.code(),
            facts.max_guests,
            u8::from(facts.instant_book),
            minute_of_day(facts.check_in_from),
            minute_of_day(facts.check_out_by),
            facts.policy.name(),
            &page.title,
            &page.description,
            &page.address,
            &page.city,
            city_key(&page.city),
            &page.country,
            page.latitude,
            page.longitude,
            amenities,
            rules_bytes(&facts.rules).map(|bytes| hex_bytes(&bytes)),
            u8::from(page.blind_reviews),
        ))
    };
    rows.edits.iter().map(row).collect()
}

fn slug_rows<'a>(rows: &Rows<'a>, slugs: fn(&'a Edit) -> &'a [String]) -> Vec<(String, &'a str)> {
    let each = |(run, _, edit): &(usize, Seq, &'a Edit)| {
        let property = hex(rows.runs[*run].property.0);
        let slugs = slugs(edit).iter();
        slugs.map(|slug| (property.clone(), slug.as_str())).collect::<Vec<_>>()
    };
    rows.edits.iter().flat_map(each).collect()
}
