//! The rules that a host lays down for a property, and the bounds within which they make sense.

use super::error::Fields;
use super::{Engine, Error};
use crate::auth::Caller;
use crate::store::properties::PropertyRow;
use domain::Rules;
use domain::property::{MAX_GUESTS, MAX_PRICE, Property};
use domain::rules::{
    MAX_AHEAD_DAYS, MAX_FEE_BP, MAX_PREPARATION, MAX_SEASONS, MAX_TAXES, MAX_TOLL, Rates, Tax,
    TaxRate, Terms,
};
use domain::stay::MAX_NIGHTS;
use std::sync::Arc;

/// The longest name of a season or a tax, in characters.
const MAX_NAME: usize = 100;
/// A discount of all there is.
const WHOLE_BP: u32 = 10_000;

const PRICE: &str = "must lie between 0 and 1000000000000 minor units";
const NIGHTS: &str = "must lie between 1 and 730, and min_nights not above max_nights";
const TOLL: &str = "must lie between 0 and 1000000000 minor units";
const FEE: &str = "must lie between 0 and 5000 basis points";
const DISCOUNT: &str = "must lie between 0 and 10000 basis points";
const NAME: &str = "must have 1 to 100 characters";

impl Engine {
    /// Lays these rules down for a property. `row` is what the caller saw; where it has changed
    /// since, the answer is the refusal `Stale`.
    pub async fn set_rules(
        &self,
        caller: &Caller,
        row: PropertyRow,
        mut rules: Rules,
    ) -> Result<PropertyRow, Error> {
        rules.seasons.sort_by_key(|season| (season.from, season.to));
        check(&rules)?;
        let facts = Property { rules: Arc::new(rules), ..row.property.clone() };
        let page = row.page.clone();
        self.make_so(caller, row, facts, page).await
    }
}

/// Names every rule that is out of its bounds.
fn check(rules: &Rules) -> Result<(), Error> {
    let mut fields = Fields::default();
    fields.terms(&rules.default, "/default");
    for terms in &rules.weekdays {
        fields.terms(terms, "/weekdays");
    }
    fields.check(rules.seasons.len() <= MAX_SEASONS, "/seasons", "must be 50 at most");
    fields.check(!rules.seasons_clash(), "/seasons", "must not share a night, nor be empty");
    for season in &rules.seasons {
        fields.check(is_name(&season.name), "/seasons", "must have names of 1 to 100 characters");
        fields.terms(&season.terms, "/seasons");
    }
    let days = |days: u16, least: u16| (least..=MAX_AHEAD_DAYS).contains(&days);
    fields.check(
        days(rules.notice.days, 0),
        "/advance_notice/days",
        "must lie between 0 and 1095 days",
    );
    fields.check(
        rules.window_days.is_none_or(|window| days(window, 1)),
        "/booking_window_days",
        "must lie between 1 and 1095 days",
    );
    fields.check(
        rules.preparation_nights <= MAX_PREPARATION,
        "/preparation_nights",
        "must lie between 0 and 30",
    );
    fields.rates(&rules.rates);
    fields.done()
}

fn is_name(name: &str) -> bool {
    !name.trim().is_empty() && name.chars().count() <= MAX_NAME
}

impl Fields {
    /// What one layer says, wherever it stands.
    pub(super) fn terms(&mut self, terms: &Terms, pointer: &'static str) {
        let is_length = |nights: u16| (1..=MAX_NIGHTS).contains(&i32::from(nights));
        let Terms { price, min_nights, max_nights, .. } = *terms;
        self.check(price.is_none_or(|price| (0..=MAX_PRICE).contains(&price)), pointer, PRICE);
        let in_order = min_nights.zip(max_nights).is_none_or(|(min, max)| min <= max);
        let lengths = min_nights.into_iter().chain(max_nights);
        self.check(in_order && lengths.into_iter().all(is_length), pointer, NIGHTS);
    }

    fn rates(&mut self, rates: &Rates) {
        if let Some(toll) = rates.extra_guests {
            let included = (1..=MAX_GUESTS).contains(&toll.included);
            self.check(included, "/extra_guests/included", "must lie between 1 and 1000");
            let price = (0..=MAX_TOLL).contains(&toll.per_night);
            self.check(price, "/extra_guests/price_per_night", TOLL);
        }
        self.check(rates.weekly_discount_bp <= WHOLE_BP, "/weekly_discount_bp", DISCOUNT);
        self.check(rates.monthly_discount_bp <= WHOLE_BP, "/monthly_discount_bp", DISCOUNT);
        self.check((0..=MAX_PRICE).contains(&rates.fees.cleaning), "/cleaning_fee", PRICE);
        self.check(rates.fees.service_bp <= MAX_FEE_BP, "/service_fee_bp", FEE);
        self.check(rates.taxes.len() <= MAX_TAXES, "/taxes", "must be 5 at most");
        for Tax { name, rate, .. } in &rates.taxes {
            self.check(is_name(name), "/taxes", NAME);
            match *rate {
                TaxRate::Share { basis_points } => {
                    self.check(basis_points <= MAX_FEE_BP, "/taxes", FEE);
                }
                TaxRate::PerGuestNight { amount } => {
                    self.check((0..=MAX_TOLL).contains(&amount), "/taxes", TOLL);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::rules::{Fees, Notice, Season, Toll};

    fn pointers(rules: &Rules) -> Vec<&'static str> {
        match check(rules) {
            Ok(()) => Vec::new(),
            Err(Error::Fields(errors)) => errors.iter().map(|error| error.pointer).collect(),
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn each_rule_out_of_its_bounds_is_named() {
        let terms = |terms: Terms| Rules { default: terms, ..Rules::default() };
        let rates = |rates: Rates| Rules { rates, ..Rules::default() };
        let fees = |cleaning, service_bp| {
            rates(Rates { fees: Fees { cleaning, service_bp }, ..Rates::default() })
        };
        let toll = |included, per_night| {
            rates(Rates { extra_guests: Some(Toll { included, per_night }), ..Rates::default() })
        };
        let tax = |name: &str, rate| {
            let tax = Tax { name: name.into(), rate, included: false };
            rates(Rates { taxes: vec![tax], ..Rates::default() })
        };
        let share = |basis_points| TaxRate::Share { basis_points };
        let night = |text: &str| text.parse().expect("a date");
        let season = Season {
            name: "Summer".to_owned(),
            from: night("2027-06-01"),
            to: night("2027-06-01"),
            terms: Terms::default(),
        };
        let length =
            |min_nights, max_nights| terms(Terms { min_nights, max_nights, ..Terms::default() });
        let price = |price| terms(Terms { price: Some(price), ..Terms::default() });
        for (rules, expected) in [
            (Rules::default(), vec![]),
            (price(MAX_PRICE), vec![]),
            (price(MAX_PRICE + 1), vec!["/default"]),
            (price(-1), vec!["/default"]),
            (length(Some(1), Some(730)), vec![]),
            (length(Some(3), Some(3)), vec![]),
            (length(Some(4), Some(3)), vec!["/default"]),
            (length(Some(0), None), vec!["/default"]),
            (length(None, Some(731)), vec!["/default"]),
            (Rules { seasons: vec![season], ..Rules::default() }, vec!["/seasons"]),
            (
                Rules { notice: Notice { days: 1_096, cut_off: None }, ..Rules::default() },
                vec!["/advance_notice/days"],
            ),
            (Rules { window_days: Some(0), ..Rules::default() }, vec!["/booking_window_days"]),
            (Rules { window_days: Some(1_095), ..Rules::default() }, vec![]),
            (Rules { preparation_nights: 31, ..Rules::default() }, vec!["/preparation_nights"]),
            (toll(0, 1), vec!["/extra_guests/included"]),
            (toll(1, MAX_TOLL + 1), vec!["/extra_guests/price_per_night"]),
            (fees(-1, 5_001), vec!["/cleaning_fee", "/service_fee_bp"]),
            (fees(MAX_PRICE, 5_000), vec![]),
            (
                rates(Rates { weekly_discount_bp: 10_001, ..Rates::default() }),
                vec!["/weekly_discount_bp"],
            ),
            (rates(Rates { monthly_discount_bp: 10_000, ..Rates::default() }), vec![]),
            (tax(" ", share(1)), vec!["/taxes"]),
            (tax("VAT", share(5_001)), vec!["/taxes"]),
            (tax("VAT", TaxRate::PerGuestNight { amount: -1 }), vec!["/taxes"]),
            (tax("VAT", TaxRate::PerGuestNight { amount: MAX_TOLL }), vec![]),
        ] {
            assert_eq!(pointers(&rules), expected, "{rules:?}");
        }
    }
}
