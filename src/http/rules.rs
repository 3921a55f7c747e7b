//! `/properties/{id}/rules`: what a host lays down, as one document.

use super::extract::{Body, MaybeSigned, PropertyPath, Signed};
use super::problem::{FieldError, Problem};
use super::properties::{etag, hours_and_minutes};
use super::put::Sent;
use super::{put, tagged};
use crate::engine::{Engine, time_of_day};
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use domain::Rules;
use domain::rules::{Fees, Notice, Rates, Season, Tax, TaxRate, Terms, Toll};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Everything that a host lays down for a property, but for single dates. Each term of a night is
/// taken from its own date, else its season, else its weekday, else the default.
#[derive(Serialize, Deserialize, ToSchema)]
#[schema(as = Rules)]
#[serde(deny_unknown_fields)]
pub(super) struct Document {
    default: LengthDocument,
    weekdays: Weekdays,
    seasons: Vec<SeasonDocument>,
    advance_notice: NoticeDocument,
    /// How many days from today on can be booked; all if null.
    booking_window_days: Option<u16>,
    /// How many nights at least stay free between two stays.
    preparation_nights: u16,
    extra_guests: Option<TollDocument>,
    /// Off a stay of 7 nights or more, in basis points.
    weekly_discount_bp: u32,
    /// Off a stay of 28 nights or more, in basis points.
    monthly_discount_bp: u32,
    /// For a stay, in minor units.
    cleaning_fee: i64,
    /// Of nights, extra guests, discount and cleaning, in basis points.
    service_fee_bp: u32,
    taxes: Vec<TaxDocument>,
}

/// What holds where nothing else is said; the price is the property's own.
#[derive(Serialize, Deserialize, ToSchema)]
#[schema(as = DefaultTerms)]
#[serde(deny_unknown_fields)]
struct LengthDocument {
    min_nights: Option<u16>,
    max_nights: Option<u16>,
    closed_to_arrival: Option<bool>,
    closed_to_departure: Option<bool>,
}

/// What holds on some nights; null leaves it to the layers below.
#[derive(Clone, Copy, Serialize, Deserialize, ToSchema)]
#[schema(as = Terms)]
#[serde(deny_unknown_fields)]
struct TermsDocument {
    price: Option<i64>,
    min_nights: Option<u16>,
    max_nights: Option<u16>,
    closed_to_arrival: Option<bool>,
    closed_to_departure: Option<bool>,
}

#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Weekdays {
    mon: Option<TermsDocument>,
    tue: Option<TermsDocument>,
    wed: Option<TermsDocument>,
    thu: Option<TermsDocument>,
    fri: Option<TermsDocument>,
    sat: Option<TermsDocument>,
    sun: Option<TermsDocument>,
}

/// Terms for the nights `[from, to)`; no two seasons share one.
#[derive(Serialize, Deserialize, ToSchema)]
#[schema(as = Season)]
#[serde(deny_unknown_fields)]
struct SeasonDocument {
    name: String,
    #[schema(format = Date)]
    from: String,
    #[schema(format = Date)]
    to: String,
    terms: TermsDocument,
}

#[derive(Serialize, Deserialize, ToSchema)]
#[schema(as = AdvanceNotice)]
#[serde(deny_unknown_fields)]
struct NoticeDocument {
    /// Between the local date of the booking and the arrival.
    days: u16,
    /// From this local time on (HH:MM), a booking counts as one of the next day.
    cut_off: Option<String>,
}

#[derive(Serialize, Deserialize, ToSchema)]
#[schema(as = ExtraGuests)]
#[serde(deny_unknown_fields)]
struct TollDocument {
    /// How many guests the price of a night includes.
    included: u16,
    /// For each guest more, in minor units.
    price_per_night: i64,
}

/// A tax: of everything that is not a tax, or for each night of each guest.
#[derive(Serialize, Deserialize, ToSchema)]
#[schema(as = Tax)]
#[serde(deny_unknown_fields)]
struct TaxDocument {
    name: String,
    /// Either this or an amount.
    basis_points: Option<u32>,
    /// For each night of each guest, in minor units.
    amount: Option<i64>,
    /// Whether prices contain it already.
    included: bool,
}

/// What a host lays down for a property that is listed, or the caller's.
#[utoipa::path(
    get, path = "/properties/{id}/rules", operation_id = "read_rules", tag = "properties",
    security((), ("bearer" = [])), params(("id" = Uuid, Path)),
    responses(
        (status = 200, description = "The rules.", body = Document),
        (status = 304, description = "They are as If-None-Match says."),
    ),
)]
pub(super) async fn read(
    request: HttpRequest,
    engine: web::Data<Engine>,
    MaybeSigned(caller): MaybeSigned,
    PropertyPath(id): PropertyPath,
) -> Result<HttpResponse, Problem> {
    let row = engine.property(caller.as_ref(), id).await?;
    tagged(&request, &etag(&row), &Document::of(&row.property.rules))
}

/// Lays down rules. Absent fields stay as they are; a field that is there replaces all of its own.
#[utoipa::path(
    put, path = "/properties/{id}/rules", operation_id = "update_rules", tag = "properties",
    security(("bearer" = [])), params(("id" = Uuid, Path)), request_body = Document,
    responses((status = 200, description = "The rules as they are now.", body = Document)),
)]
pub(super) async fn update(
    request: HttpRequest,
    engine: web::Data<Engine>,
    Signed(caller): Signed,
    PropertyPath(id): PropertyPath,
    Body(sent): Body<Sent>,
) -> Result<HttpResponse, Problem> {
    let row = put::on_newest(async || {
        let row = engine.property_to_edit(&caller, id).await?;
        etag(&row).require_match(request.headers())?;
        let input: Document = put::merged(&Document::of(&row.property.rules), &sent, &[])?;
        Ok(engine.set_rules(&caller, row, input.rules()?).await)
    });
    let row = row.await?;
    let tag = (header::ETAG, etag(&row).header()?);
    Ok(HttpResponse::Ok().insert_header(tag).json(Document::of(&row.property.rules)))
}

impl TermsDocument {
    fn of(terms: &Terms) -> Self {
        Self {
            price: terms.price,
            min_nights: terms.min_nights,
            max_nights: terms.max_nights,
            closed_to_arrival: terms.closed_to_arrival,
            closed_to_departure: terms.closed_to_departure,
        }
    }

    const fn terms(self) -> Terms {
        Terms {
            price: self.price,
            min_nights: self.min_nights,
            max_nights: self.max_nights,
            closed_to_arrival: self.closed_to_arrival,
            closed_to_departure: self.closed_to_departure,
        }
    }
}

impl Document {
    fn of(rules: &Rules) -> Self {
        let Rules { default, weekdays, seasons, notice, window_days, preparation_nights, rates } =
            rules;
        let said = |terms: &Terms| (!terms.is_empty()).then(|| TermsDocument::of(terms));
        let [mon, tue, wed, thu, fri, sat, sun] = weekdays.each_ref().map(said);
        Self {
            default: LengthDocument {
                min_nights: default.min_nights,
                max_nights: default.max_nights,
                closed_to_arrival: default.closed_to_arrival,
                closed_to_departure: default.closed_to_departure,
            },
            weekdays: Weekdays { mon, tue, wed, thu, fri, sat, sun },
            seasons: seasons.iter().map(SeasonDocument::of).collect(),
            advance_notice: NoticeDocument {
                days: notice.days,
                cut_off: notice.cut_off.map(hours_and_minutes),
            },
            booking_window_days: *window_days,
            preparation_nights: *preparation_nights,
            extra_guests: rates.extra_guests.map(|toll| TollDocument {
                included: toll.included,
                price_per_night: toll.per_night,
            }),
            weekly_discount_bp: rates.weekly_discount_bp,
            monthly_discount_bp: rates.monthly_discount_bp,
            cleaning_fee: rates.fees.cleaning,
            service_fee_bp: rates.fees.service_bp,
            taxes: rates.taxes.iter().map(TaxDocument::of).collect(),
        }
    }

    /// The rules that the document says; names every field that cannot be read.
    fn rules(self) -> Result<Rules, Problem> {
        let mut errors = Vec::new();
        let Weekdays { mon, tue, wed, thu, fri, sat, sun } = self.weekdays;
        let of_day =
            |terms: Option<TermsDocument>| terms.map_or_else(Terms::default, TermsDocument::terms);
        let cut_off = self.advance_notice.cut_off.as_deref();
        let cut_off = cut_off.and_then(|text| match time_of_day(text) {
            Ok(time) => Some(time),
            Err(why) => {
                errors.push(FieldError::new("/advance_notice/cut_off", why));
                None
            }
        });
        let seasons = self.seasons.iter().enumerate();
        let seasons = seasons.filter_map(|(at, season)| season.read(at, &mut errors)).collect();
        let taxes = self.taxes.into_iter().enumerate();
        let taxes = taxes.filter_map(|(at, tax)| tax.read(at, &mut errors)).collect();
        if !errors.is_empty() {
            return Err(Problem::fields(errors));
        }
        Ok(Rules {
            default: Terms {
                price: None,
                min_nights: self.default.min_nights,
                max_nights: self.default.max_nights,
                closed_to_arrival: self.default.closed_to_arrival,
                closed_to_departure: self.default.closed_to_departure,
            },
            weekdays: [mon, tue, wed, thu, fri, sat, sun].map(of_day),
            seasons,
            notice: Notice { days: self.advance_notice.days, cut_off },
            window_days: self.booking_window_days,
            preparation_nights: self.preparation_nights,
            rates: Rates {
                extra_guests: self
                    .extra_guests
                    .map(|toll| Toll { included: toll.included, per_night: toll.price_per_night }),
                weekly_discount_bp: self.weekly_discount_bp,
                monthly_discount_bp: self.monthly_discount_bp,
                fees: Fees { cleaning: self.cleaning_fee, service_bp: self.service_fee_bp },
                taxes,
            },
        })
    }
}

impl SeasonDocument {
    fn of(season: &Season) -> Self {
        Self {
            name: season.name.clone(),
            from: season.from.to_string(),
            to: season.to.to_string(),
            terms: TermsDocument::of(&season.terms),
        }
    }

    fn read(&self, at: usize, errors: &mut Vec<FieldError>) -> Option<Season> {
        let mut date = |name: &str, text: &str| {
            let date = text.parse::<domain::Night>();
            date.map_err(|error| {
                errors.push(FieldError::new(format!("/seasons/{at}/{name}"), error.to_string()));
            })
            .ok()
        };
        let (from, to) = (date("from", &self.from), date("to", &self.to));
        let (name, terms) = (self.name.clone(), self.terms.terms());
        Some(Season { name, from: from?, to: to?, terms })
    }
}

impl TaxDocument {
    fn of(tax: &Tax) -> Self {
        let (basis_points, amount) = match tax.rate {
            TaxRate::Share { basis_points } => (Some(basis_points), None),
            TaxRate::PerGuestNight { amount } => (None, Some(amount)),
        };
        Self { name: tax.name.to_string(), basis_points, amount, included: tax.included }
    }

    fn read(self, at: usize, errors: &mut Vec<FieldError>) -> Option<Tax> {
        let rate = match (self.basis_points, self.amount) {
            (Some(basis_points), None) => TaxRate::Share { basis_points },
            (None, Some(amount)) => TaxRate::PerGuestNight { amount },
            _ => {
                let detail = "must have either basis_points or amount";
                errors.push(FieldError::new(format!("/taxes/{at}"), detail));
                return None;
            }
        };
        Some(Tax { name: self.name.into(), rate, included: self.included })
    }
}
