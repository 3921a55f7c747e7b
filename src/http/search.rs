//! `GET /properties`: finding a place to stay.

use super::cursor;
use super::extract::{MaybeSigned, Params};
use super::openapi::PageParams;
use super::problem::Problem;
use super::properties::View;
use crate::engine::{AMENITIES, Engine, Found, MAX_RADIUS, Near, Search, Sort, Wish};
use crate::store::properties::Filters;
use actix_web::{HttpRequest, HttpResponse, web};
use domain::place::{Area, Position};
use domain::{Night, PropertyId, Stay, UserId};
use serde::Serialize;
use std::str::FromStr;
use utoipa::ToSchema;

/// A property that was found, with what was asked about it.
#[derive(Serialize, ToSchema)]
#[schema(as = FoundProperty)]
struct FoundView<'a> {
    #[serde(flatten)]
    property: View<'a>,
    /// Where dates were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    stay: Option<StayView<'a>>,
    /// From `near`, in metres.
    #[serde(skip_serializing_if = "Option::is_none")]
    distance_metres: Option<i64>,
}

/// A stay as it could be booked at this moment.
#[derive(Serialize, ToSchema)]
#[schema(as = FoundStay)]
struct StayView<'a> {
    nights: i32,
    /// With fees and taxes, in minor units.
    total_amount: i64,
    currency: &'a str,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Properties)]
struct List<'a> {
    data: Vec<FoundView<'a>>,
    next_cursor: Option<String>,
}

impl<'a> FoundView<'a> {
    fn of(found: &'a Found, stay: Option<Stay>) -> Self {
        let stay = stay.zip(found.total).map(|(stay, total_amount)| StayView {
            nights: stay.nights(),
            total_amount,
            currency: found.row.property.currency.code(),
        });
        Self { property: View::of(&found.row), stay, distance_metres: found.metres }
    }
}

/// The listed properties that pass all filters. With `host`, that host and admins see the others,
/// too. With dates only those are found that could be booked for them at this moment, by all rules,
/// and each says what the stay costs. `Link` and `next_cursor` lead to the next page; every page
/// but the last is full.
#[utoipa::path(
    get, path = "/properties", operation_id = "list_properties", tag = "properties",
    security((), ("bearer" = [])), params(
        ("host" = Option<Uuid>, Query, description = "Of this host."),
        ("status" = Option<String>, Query,
            description = "draft, listed, unlisted or archived: what is not listed is shown with \
                           `host`, to that host and admins."),
        ("city" = Option<String>, Query, description = "In any letters."),
        ("country" = Option<String>, Query, description = "ISO 3166-1 alpha-2."),
        ("currency" = Option<String>, Query, description = "ISO 4217."),
        ("min_price" = Option<i64>, Query,
            description = "Of a night, in minor units of each property's own currency: say \
                           `currency`, too, where properties differ in it."),
        ("max_price" = Option<i64>, Query, description = "As `min_price`."),
        ("guests" = Option<u16>, Query,
            description = "How many must find room; 1 where dates are given."),
        ("amenities" = Option<String>, Query, description = "Slugs with commas: all of them."),
        ("check_in" = Option<String>, Query,
            description = "The first night, with `check_out`: 1 to 730 nights."),
        ("check_out" = Option<String>, Query, description = "The day of departure."),
        ("min_total" = Option<i64>, Query,
            description = "Of the whole stay with fees and taxes, in minor units: with dates and \
                           `currency`."),
        ("max_total" = Option<i64>, Query, description = "As `min_total`."),
        ("bbox" = Option<String>, Query,
            description = "West, south, east and north in degrees, with commas; west is larger \
                           than east across the 180th meridian."),
        ("near" = Option<String>, Query,
            description = "Latitude and longitude in degrees, with a comma; with `radius_km`."),
        ("radius_km" = Option<f64>, Query, description = "0.001 to 500."),
        ("instant_book" = Option<bool>, Query,
            description = "Whether a booking needs no word of the host."),
        ("min_rating" = Option<f64>, Query,
            description = "1 to 5, with at most two decimals."),
        ("sort" = Option<String>, Query,
            description = "newest, price, rating or distance. price is that of the stay where \
                           dates are given, else of a night, and needs `currency`; distance needs \
                           `near`. By the price of stays and by distance at most 5000 properties \
                           are sorted: search_too_wide asks to narrow what has more."),
        PageParams,
    ),
    responses((status = 200, description = "A page of properties.", body = List)),
)]
pub(super) async fn list(
    request: HttpRequest,
    engine: web::Data<Engine>,
    MaybeSigned(caller): MaybeSigned,
    mut params: Params,
) -> Result<HttpResponse, Problem> {
    let page = params.page()?;
    let search = search(&mut params)?;
    params.end()?;
    let stay = search.wish.map(|wish| wish.stay);
    let after = page.cursor.map(|cursor| (cursor.key, PropertyId(cursor.id)));
    let mut found = engine.search(caller.as_ref(), search, after, page.limit + 1).await?;
    let place = |found: &Found| (found.key, found.row.property.id.0);
    let (mut response, next_cursor) = cursor::page_of(&request, &mut found, page.limit, place)?;
    let data = found.iter().map(|found| FoundView::of(found, stay)).collect();
    Ok(response.json(List { data, next_cursor }))
}

fn search(params: &mut Params) -> Result<Search, Problem> {
    let filters = filters(params)?;
    let has_currency = filters.currency.is_some();
    let stay = stay(params)?;
    let (min_total, max_total) = (params.take("min_total")?, params.take("max_total")?);
    for (total, pointer) in [(min_total, "/min_total"), (max_total, "/max_total")] {
        if total.is_some() && (stay.is_none() || !has_currency) {
            return Err(Problem::field(pointer, "needs check_in, check_out and currency"));
        }
    }
    let guests = filters.guests.unwrap_or(1);
    let wish = stay.map(|stay| Wish { stay, guests, min_total, max_total });
    let near = near(params)?;
    let sort = match params.text("sort").as_deref() {
        None | Some("newest") => Sort::Newest,
        Some("rating") => Sort::Rating,
        Some("price") if has_currency => Sort::Price,
        Some("price") => return Err(Problem::field("/sort", "by price needs currency")),
        Some("distance") if near.is_some() => Sort::Distance,
        Some("distance") => return Err(Problem::field("/sort", "by distance needs near")),
        Some(_) => {
            return Err(Problem::field("/sort", "must be newest, price, rating or distance"));
        }
    };
    Ok(Search { filters, wish, near, sort })
}

fn filters(params: &mut Params) -> Result<Filters, Problem> {
    let amenities = params.text("amenities").unwrap_or_default();
    let mut amenities: Vec<String> =
        amenities.split(',').filter(|slug| !slug.is_empty()).map(str::to_owned).collect();
    amenities.sort_unstable();
    amenities.dedup();
    if amenities.iter().any(|slug| !AMENITIES.contains(&slug.as_str())) {
        return Err(Problem::field("/amenities", "must be slugs that GET /amenities lists"));
    }
    let guests = params.take("guests")?;
    if guests == Some(0) {
        return Err(Problem::field("/guests", "must be a whole number from 1 to 65535"));
    }
    Ok(Filters {
        host: params.id("host")?.map(UserId),
        listing: params.take("status")?,
        city: params.text("city"),
        country: params.text("country"),
        currency: params.take("currency")?,
        min_price: params.take("min_price")?,
        max_price: params.take("max_price")?,
        guests,
        amenities,
        instant_book: params.take("instant_book")?,
        min_rating: params.take::<Stars>("min_rating")?.map(|stars| stars.0),
        areas: params.take::<Sides>("bbox")?.map(|sides| sides.0).into_iter().collect(),
        ..Filters::default()
    })
}

/// The dates, both or neither.
fn stay(params: &mut Params) -> Result<Option<Stay>, Problem> {
    let (from, to): (Option<Night>, Option<Night>) =
        (params.take("check_in")?, params.take("check_out")?);
    match (from, to) {
        (None, None) => Ok(None),
        (Some(_), None) => Err(Problem::field("/check_out", "must be sent with check_in")),
        (None, Some(_)) => Err(Problem::field("/check_in", "must be sent with check_out")),
        (Some(from), Some(to)) => {
            let stay = Stay::new(from, to);
            stay.map(Some).map_err(|error| Problem::field("/check_out", error.to_string()))
        }
    }
}

/// The circle, with both its parts or neither.
fn near(params: &mut Params) -> Result<Option<Near>, Problem> {
    let (center, radius) = (params.take::<Center>("near")?, params.take::<Radius>("radius_km")?);
    match (center, radius) {
        (None, None) => Ok(None),
        (Some(_), None) => Err(Problem::field("/radius_km", "must be sent with near")),
        (None, Some(_)) => Err(Problem::field("/near", "must be sent with radius_km")),
        (Some(Center(center)), Some(Radius(metres))) => Ok(Some(Near { center, metres })),
    }
}

/// So many numbers with commas between them.
fn numbers<const N: usize>(text: &str) -> Option<[f64; N]> {
    let numbers: Option<Vec<f64>> = text.split(',').map(|part| part.parse().ok()).collect();
    numbers?.try_into().ok()
}

/// The sides of a box.
struct Sides(Area);

impl FromStr for Sides {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        let area = numbers(text).and_then(Area::new);
        area.map(Self).ok_or("must be west,south,east,north in degrees, like -9.3,38.6,-9,38.9")
    }
}

/// The middle of a circle.
struct Center(Position);

impl FromStr for Center {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        let place =
            numbers(text).and_then(|[latitude, longitude]| Position::new(latitude, longitude));
        place.map(Self).ok_or("must be latitude,longitude in degrees, like 38.72,-9.14")
    }
}

/// The radius of a circle in whole metres.
struct Radius(i64);

const METRES_A_KILOMETRE: f64 = 1_000.0;

impl FromStr for Radius {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        let metres = text.parse().map_or(f64::NAN, |km: f64| (km * METRES_A_KILOMETRE).round());
        let is_right = (1.0..=MAX_RADIUS as f64).contains(&metres);
        is_right.then_some(Self(metres as i64)).ok_or("must be a number from 0.001 to 500")
    }
}

/// A rating in hundredths of a star, read without fractions.
struct Stars(i64);

impl FromStr for Stars {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
        let are_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let hundredths: Option<i64> =
            (are_digits(whole) && are_digits(part) && matches!(part.len(), 1 | 2))
                .then(|| format!("{whole}{part:0<2}").parse().ok())
                .flatten();
        let right = hundredths.filter(|stars| (100..=500).contains(stars));
        right.map(Self).ok_or("must be a number from 1 to 5 with at most two decimals")
    }
}
