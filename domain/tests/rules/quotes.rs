//! Ten thousand quotes against a naive model: every night by itself, in the order of the rules, in
//! numbers that cannot overflow.

use crate::given::property;
use domain::price::{Basis, Kind, Line, Price};
use domain::property::Property;
use domain::rules::{Fees, MAX_FEE_BP, Overrides, Rates, Rules, Season, Tax, TaxRate, Terms, Toll};
use domain::{Currency, Night, Stay};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use std::sync::Arc;

/// Whose price is asked for. Nights that are kept have a price from before.
#[derive(Clone, Debug)]
struct Wish {
    property: Property,
    overrides: Overrides,
    stay: Stay,
    guests: u16,
    kept: Option<(Stay, i64)>,
}

/// The night so many days after 2026-12-01.
fn day(days: i32) -> Night {
    Night::from_days(20_788 + days).expect("a night")
}

fn stay(from: i32, nights: i32) -> Stay {
    Stay::new(day(from), day(from + nights)).expect("a stay")
}

fn priced(price: Option<i64>) -> Terms {
    Terms { price, ..Terms::default() }
}

fn rates(scale: i64) -> impl Strategy<Value = Rates> {
    let toll = (0..6_u16, 0..99 * scale);
    let toll = toll.prop_map(|(included, per_night)| Toll { included, per_night });
    let rate = prop_oneof![
        (0..=MAX_FEE_BP).prop_map(|basis_points| TaxRate::Share { basis_points }),
        (0..9 * scale).prop_map(|amount| TaxRate::PerGuestNight { amount }),
    ];
    let tax = (rate, any::<bool>());
    let tax = tax.prop_map(|(rate, included)| Tax { name: "t".into(), rate, included });
    let bp = || prop_oneof![Just(0), 0..=MAX_FEE_BP];
    let fees = (0..200 * scale, bp());
    let fees = fees.prop_map(|(cleaning, service_bp)| Fees { cleaning, service_bp });
    (option::of(toll), bp(), bp(), fees, vec(tax, 0..4)).prop_map(
        |(extra_guests, weekly_discount_bp, monthly_discount_bp, fees, taxes)| Rates {
            extra_guests,
            weekly_discount_bp,
            monthly_discount_bp,
            fees,
            taxes,
        },
    )
}

/// Prices in all four layers: of dates, seasons, weekdays and by default.
fn rules(scale: i64) -> impl Strategy<Value = (Rules, Overrides)> {
    let price = move || 0..2_000 * scale;
    let seasons = vec((0..20_i32, 1..20_i32, option::of(price())), 0..4).prop_map(|pieces| {
        let mut next = 0;
        let mut seasons = Vec::new();
        for (gap, nights, price) in pieces {
            let (from, to) = (day(next + gap), day(next + gap + nights));
            seasons.push(Season { name: String::new(), from, to, terms: priced(price) });
            next += gap + nights;
        }
        seasons
    });
    let weekdays = prop::array::uniform7(option::weighted(0.3, price()));
    let overrides = vec((0..80_i32, option::weighted(0.9, price())), 0..8);
    (rates(scale), option::of(price()), weekdays, seasons, overrides).prop_map(
        |(rates, default, weekdays, seasons, overrides)| {
            let (default, weekdays) = (priced(default), weekdays.map(priced));
            let rules = Rules { rates, default, weekdays, seasons, ..Rules::default() };
            let overrides = overrides.into_iter().map(|(at, price)| (day(at), priced(price)));
            (rules, overrides.collect())
        },
    )
}

fn wishes(code: &str) -> impl Strategy<Value = Wish> + use<> {
    let currency: Currency = code.parse().expect("a currency");
    let scale = 10_i64.pow(currency.exponent().into());
    let nights = prop_oneof![2 => 1..8_i32, 1 => 8..28_i32, 1 => 28..50_i32];
    let kept = option::weighted(0.2, (0..30_i32, 1..9_i32, 0..2_000 * scale));
    (rules(scale), 0..2_000 * scale, 0..30_i32, nights, 1..9_u16, kept).prop_map(
        move |((rules, overrides), price_per_night, from, nights, guests, kept)| Wish {
            property: Property { rules: Arc::new(rules), price_per_night, currency, ..property() },
            overrides,
            stay: stay(from, nights),
            guests,
            kept: kept.map(|(from, nights, price)| (stay(from, nights), price)),
        },
    )
}

/// What a night costs: what it was promised for, or what the first layer says that says something.
fn of_night(wish: &Wish, night: Night) -> i64 {
    let rules = &wish.property.rules;
    let kept = wish.kept.filter(|(stay, _)| stay.each_night().any(|kept| kept == night));
    let of_date = wish.overrides.get(&night).and_then(|terms| terms.price);
    let season = rules.seasons.iter().find(|season| season.from <= night && night < season.to);
    // 1970-01-01 was a Thursday.
    let weekday = usize::try_from((night.days() + 3) % 7).expect("a weekday");
    let layers = [
        kept.map(|(_, price)| price),
        of_date,
        season.and_then(|season| season.terms.price),
        rules.weekdays[weekday].price,
        rules.default.price,
    ];
    layers.into_iter().flatten().next().unwrap_or(wish.property.price_per_night)
}

/// A fraction of an amount to the nearest whole, halves up.
fn rounded(of: i128, numerator: u32, denominator: u32) -> i128 {
    let (numerator, denominator) = (i128::from(numerator), i128::from(denominator));
    (2 * of * numerator + denominator).div_euclid(2 * denominator)
}

const WHOLE_BP: u32 = 10_000;

/// What is charged for, and what it comes to; last what the guest pays.
fn model(wish: &Wish) -> (Vec<(&'static str, i128)>, i128) {
    let rates = &wish.property.rules.rates;
    let (count, guests) = (i128::from(wish.stay.nights()), i128::from(wish.guests));
    let mut lines = Vec::new();
    lines.push(("nights", wish.stay.each_night().map(|n| i128::from(of_night(wish, n))).sum()));
    if let Some(Toll { included, per_night }) = rates.extra_guests {
        let extra = (guests - i128::from(included)).max(0);
        lines.push(("extra_guests", count * extra * i128::from(per_night)));
    }
    let sum = |lines: &[(&str, i128)]| lines.iter().map(|(_, amount)| amount).sum::<i128>();
    let (weekly, monthly) = (rates.weekly_discount_bp, rates.monthly_discount_bp);
    let (name, bp) = match count {
        28.. if monthly >= weekly => ("monthly_discount", monthly),
        7.. => ("weekly_discount", weekly),
        _ => ("weekly_discount", 0),
    };
    lines.push((name, -rounded(sum(&lines), bp, WHOLE_BP)));
    lines.push(("cleaning_fee", rates.fees.cleaning.into()));
    lines.push(("service_fee", rounded(sum(&lines), rates.fees.service_bp, WHOLE_BP)));
    let untaxed = sum(&lines);
    let mut total = untaxed;
    for tax in &rates.taxes {
        let amount = match (tax.rate, tax.included) {
            (TaxRate::PerGuestNight { amount }, _) => count * guests * i128::from(amount),
            (TaxRate::Share { basis_points: bp }, false) => rounded(untaxed, bp, WHOLE_BP),
            (TaxRate::Share { basis_points: bp }, true) => rounded(untaxed, bp, WHOLE_BP + bp),
        };
        lines.push(("tax", amount));
        total += if tax.included { 0 } else { amount };
    }
    // M-Pesa moves whole shillings, so prices in them are whole.
    if wish.property.currency.code() == "KES" && total % 100 != 0 {
        lines.push(("rounding", 100 - total % 100));
        total += 100 - total % 100;
    }
    lines.retain(|(_, amount)| *amount != 0);
    (lines, total)
}

/// What a line must be worth by what it shows.
fn worth(line: &Line) -> i128 {
    let amount = match (line.basis, &line.kind) {
        (Basis::Each { quantity, unit }, _) => i128::from(quantity) * i128::from(unit),
        (Basis::Share { basis_points, of }, Kind::Tax { included: true, .. }) => {
            rounded(of.into(), basis_points, WHOLE_BP + basis_points)
        }
        (Basis::Share { basis_points, of }, _) => rounded(of.into(), basis_points, WHOLE_BP),
    };
    match line.kind {
        Kind::WeeklyDiscount | Kind::MonthlyDiscount => -amount,
        _ => amount,
    }
}

/// The lines by their names, all runs of nights as one; what costs nothing is left out.
fn shown(price: &Price) -> Vec<(&'static str, i128)> {
    let mut lines: Vec<(&'static str, i128)> = Vec::new();
    for line in price.lines() {
        match lines.last_mut() {
            Some(("nights", amount)) if line.kind.name() == "nights" => *amount += worth(line),
            _ => lines.push((line.kind.name(), worth(line))),
        }
    }
    lines.retain(|(_, amount)| *amount != 0);
    lines
}

/// What one night of a run costs.
fn of_run(line: &Line) -> Option<i64> {
    match line.basis {
        Basis::Each { unit, .. } => Some(unit),
        Basis::Share { .. } => None,
    }
}

fn adds_up(wish: &Wish) -> Result<(), TestCaseError> {
    let Wish { property, overrides, stay, guests, kept } = wish;
    let kept = kept.map(|(stay, price)| Price::even(stay, price * i64::from(stay.nights())));
    let price = property.price(overrides, *stay, *guests, kept.as_ref());
    let (lines, total) = model(wish);
    prop_assert_eq!(shown(&price), lines);
    prop_assert_eq!(i128::from(price.total()), total);
    for line in price.lines() {
        prop_assert_eq!(i128::from(line.amount()), worth(line));
    }
    for night in stay.each_night() {
        prop_assert_eq!(price.of_night(night), Some(of_night(wish, night)), "{}", night);
    }
    let nights = price.lines().iter().filter(|line| line.kind.name() == "nights");
    let runs: Vec<&Line> = nights.collect();
    prop_assert!(runs.windows(2).all(|pair| of_run(pair[0]) != of_run(pair[1])));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_500))]

    #[test]
    fn quotes_in_a_currency_without_digits_add_up(wish in wishes("JPY")) {
        adds_up(&wish)?;
    }

    #[test]
    fn quotes_in_a_currency_with_two_digits_add_up(wish in wishes("USD")) {
        adds_up(&wish)?;
    }

    #[test]
    fn quotes_in_another_currency_with_two_digits_add_up(wish in wishes("KES")) {
        adds_up(&wish)?;
    }

    #[test]
    fn quotes_in_a_currency_with_three_digits_add_up(wish in wishes("BHD")) {
        adds_up(&wish)?;
    }
}
