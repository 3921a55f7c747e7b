//! `/properties/{id}/calendar` and `/properties/{id}/events`.

use super::as_of::{self, AsOf, Reason};
use super::extract::{Dates, MaybeSigned, Params, PropertyPath};
use super::headers::ETag;
use super::problem::Problem;
use super::tagged;
use crate::engine::Engine;
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use domain::calendar::{Change, NightState};
use domain::edit::Offer;
use domain::event::{By, Event, Fact, Seq};
use domain::rules::{MIN_NIGHTS, Terms};
use domain::snapshot::Snapshot;
use domain::state::NO_SEQ;
use domain::{Month, Night, Stay};
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;
use uuid::Uuid;

#[derive(Serialize, ToSchema)]
#[schema(as = Calendar)]
pub(super) struct Calendar<'a> {
    property: Uuid,
    epoch: &'a str,
    seq: Seq,
    /// When that event happened: of a calendar as it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) at: Option<String>,
    from: String,
    to: String,
    timezone: &'a str,
    currency: &'a str,
    ranges: Vec<Range>,
    digests: BTreeMap<String, String>,
}

impl<'a> Calendar<'a> {
    /// These nights of a calendar, with what `reasons` knows of each run.
    pub(super) fn of(
        epoch: &'a str,
        snapshot: &'a Snapshot,
        window: Stay,
        reasons: impl Fn(&Change) -> Vec<Reason>,
    ) -> Self {
        let (from, to) = (window.check_in(), window.check_out());
        let ranges = snapshot.nights(window).into_iter().map(|(change, terms)| Range {
            reasons: reasons(&change),
            ..Range::whole(&change, terms)
        });
        Self {
            property: snapshot.property.id.0,
            epoch,
            seq: snapshot.head.seq,
            at: None,
            from: from.to_string(),
            to: to.to_string(),
            timezone: snapshot.property.zone.name(),
            currency: snapshot.property.currency.code(),
            ranges: ranges.collect(),
            digests: months(from, to)
                .map(|month| (month.to_string(), snapshot.calendar.digest(month).to_string()))
                .collect(),
        }
    }
}

/// Nights `[from, to)` with their state, or with what they cost and demand, or both.
#[derive(Serialize, ToSchema)]
#[schema(as = NightRange)]
pub(super) struct Range {
    from: String,
    to: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<String>,
    #[serde(flatten)]
    terms: RangeTerms,
    /// Why nobody could book them, of a calendar as it was: for the host and admins only.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    reasons: Vec<Reason>,
}

/// What nights cost and demand. Of what changed it is said as a whole, with null for what is not
/// demanded any more; of a calendar such things are left out.
#[derive(Default, Serialize, ToSchema)]
#[schema(as = NightTerms)]
struct RangeTerms {
    /// Of a night, in minor units.
    #[serde(skip_serializing_if = "Option::is_none")]
    price: Option<Option<i64>>,
    /// Of a stay that arrives then.
    #[serde(skip_serializing_if = "Option::is_none")]
    min_nights: Option<Option<u16>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_nights: Option<Option<u16>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    closed_to_arrival: Option<Option<bool>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    closed_to_departure: Option<Option<bool>>,
}

impl Range {
    /// The public difference that an event or an edit makes.
    pub(super) fn all(changes: &[Change], offers: &[Offer]) -> Vec<Self> {
        let offers = offers.iter().map(|offer| {
            let terms = offer.terms;
            let terms = RangeTerms {
                price: Some(terms.price),
                min_nights: Some(terms.min_nights.or(Some(MIN_NIGHTS))),
                max_nights: Some(terms.max_nights),
                closed_to_arrival: Some(terms.closed_to_arrival),
                closed_to_departure: Some(terms.closed_to_departure),
            };
            Self::of(offer.from, offer.to, terms)
        });
        changes.iter().map(Self::state).chain(offers).collect()
    }

    fn state(change: &Change) -> Self {
        let until = match change.state {
            NightState::Held { until } => Some(until.to_string()),
            _ => None,
        };
        let state = Some(change.state.name());
        Self { state, until, ..Self::of(change.from, change.to, RangeTerms::default()) }
    }

    /// A run of nights with everything that is public of it.
    fn whole(change: &Change, terms: Terms) -> Self {
        let terms = RangeTerms {
            price: terms.price.map(Some),
            min_nights: terms.min_nights.map(Some),
            max_nights: terms.max_nights.map(Some),
            closed_to_arrival: terms.closed_to_arrival.map(Some),
            closed_to_departure: terms.closed_to_departure.map(Some),
        };
        Self { terms, ..Self::state(change) }
    }

    fn of(from: Night, to: Night, terms: RangeTerms) -> Self {
        let (from, to) = (from.to_string(), to.to_string());
        Self { from, to, state: None, until: None, terms, reasons: Vec::new() }
    }
}

#[derive(Serialize, ToSchema)]
#[schema(as = Events)]
struct Events<'a> {
    epoch: &'a str,
    data: Vec<EventView>,
    /// The seq to ask for next, where there may be more.
    next_after: Option<Seq>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Event)]
struct EventView {
    seq: Seq,
    prev_seq: Seq,
    at: String,
    changes: Vec<Range>,
    digests: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    audit: Option<Audit>,
}

/// Who and why: for the host and admins only.
#[derive(Serialize, ToSchema)]
#[schema(as = Audit)]
struct Audit {
    cause: &'static str,
    by: &'static str,
    user_id: Option<Uuid>,
    booking_id: Option<Uuid>,
    status: Option<&'static str>,
    version: Option<u32>,
}

/// The nights that are shown where nobody says: a year from today.
const DEFAULT_NIGHTS: i32 = 365;

/// The nights `[from, to)` of a property: runs of nights in the same state, with their price. The
/// tag names the event that the answer is as of. With `as_of` it is the calendar as it was after an
/// event or at a time, and the host and admins are told why each night was closed then.
#[utoipa::path(
    get, path = "/properties/{id}/calendar", operation_id = "read_calendar", tag = "calendars",
    security((), ("bearer" = [])),
    params(
        ("id" = Uuid, Path),
        ("from" = Option<String>, Query, format = Date,
         description = "Today if absent; the day that it was with as_of."),
        ("to" = Option<String>, Query, format = Date, description = "At most 730 days on."),
        ("as_of" = Option<String>, Query,
         description = "The seq of an event, or an instant that has come. Now if absent."),
    ),
    responses(
        (status = 200, description = "The calendar.", body = Calendar),
        (status = 304, description = "It is as If-None-Match says."),
    ),
)]
pub(super) async fn read(
    request: HttpRequest,
    engine: web::Data<Engine>,
    MaybeSigned(caller): MaybeSigned,
    PropertyPath(id): PropertyPath,
    mut params: Params,
) -> Result<HttpResponse, Problem> {
    let (dates, as_of) = (params.dates()?, params.take("as_of")?);
    params.end()?;
    if let Some(AsOf(moment)) = as_of {
        let view = engine.calendar_as_of(caller.as_ref(), id, moment).await?;
        return as_of::answer(&request, &view, dates);
    }
    let view = engine.calendar(caller.as_ref(), id).await?;
    let (epoch, snapshot) = (&view.epoch, &view.snapshot);
    let window = window(dates, snapshot.property.today(engine.clock.now()))?;
    let calendar = Calendar::of(epoch, snapshot, window, |_| Vec::new());
    // A window that begins today moves on at midnight without an event, so only a window that
    // stands in the address can be known already.
    let etag = ETag::of(epoch, calendar.seq);
    if dates.from.is_some() {
        return tagged(&request, &etag, &calendar);
    }
    Ok(HttpResponse::Ok().insert_header((header::ETAG, etag.header()?)).json(calendar))
}

/// The nights that are asked for: those of a year from today if nobody says.
pub(super) fn window(dates: Dates, today: Night) -> Result<Stay, Problem> {
    let from = dates.from.unwrap_or(today);
    let to = dates.to.unwrap_or_else(|| from.plus(DEFAULT_NIGHTS));
    Stay::new(from, to).map_err(|_| Problem::field("/to", "must be 1 to 730 days after from"))
}

/// What happened to a property's calendar after an event, in order and without gaps. Who and why is
/// for its host and admins.
#[utoipa::path(
    get, path = "/properties/{id}/events", operation_id = "list_events", tag = "calendars",
    security((), ("bearer" = [])),
    params(
        ("id" = Uuid, Path),
        ("after" = Option<i64>, Query, minimum = 0, description = "The last seq that is known."),
    ),
    responses((status = 200, description = "The next events.", body = Events)),
)]
pub(super) async fn events(
    engine: web::Data<Engine>,
    MaybeSigned(caller): MaybeSigned,
    PropertyPath(id): PropertyPath,
    mut params: Params,
) -> Result<HttpResponse, Problem> {
    let after: Seq = params.take("after")?.unwrap_or(NO_SEQ);
    if after < NO_SEQ {
        return Err(Problem::field("/after", "must not be negative"));
    }
    params.end()?;
    let (events, with_audit) = engine.events(caller.as_ref(), id, after).await?;
    let next_after = events.last().map(|event| event.seq);
    let data = events.iter().map(|event| view(event, with_audit)).collect();
    Ok(HttpResponse::Ok().json(Events { epoch: &engine.epoch, data, next_after }))
}

fn view(event: &Event, with_audit: bool) -> EventView {
    EventView {
        seq: event.seq,
        prev_seq: event.seq - 1,
        at: event.at.to_string(),
        changes: Range::all(&event.changes, &event.offers),
        digests: event.digests.iter().map(|(m, d)| (m.to_string(), d.to_string())).collect(),
        audit: with_audit.then(|| audit(event)),
    }
}

/// Who caused an event, and which user it was.
pub(super) const fn who(by: By) -> (&'static str, Option<Uuid>) {
    match by {
        By::User(user) => ("user", Some(user.0)),
        By::Clock => ("clock", None),
        By::Provider => ("provider", None),
    }
}

fn audit(event: &Event) -> Audit {
    let (by, user_id) = who(event.by);
    match &event.fact {
        Fact::PropertyCreated(property) | Fact::PropertyChanged(property) => Audit {
            cause: if event.seq == 1 { "property_created" } else { "property_changed" },
            by,
            user_id,
            booking_id: None,
            status: Some(property.listing.name()),
            version: None,
        },
        Fact::Booking(cause, booking) => Audit {
            cause: cause.name(),
            by,
            user_id,
            booking_id: Some(booking.id.0),
            status: Some(booking.status.name()),
            version: Some(booking.version),
        },
        Fact::CalendarEdited(_) => Audit {
            cause: "calendar_edited",
            by,
            user_id,
            booking_id: None,
            status: None,
            version: None,
        },
    }
}

fn months(from: Night, to: Night) -> impl Iterator<Item = Month> {
    let last = to.plus(-1).in_month().0;
    std::iter::successors(Some(from.in_month().0), |month| Some(month.next()))
        .take_while(move |month| *month <= last)
}
