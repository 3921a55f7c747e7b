//! Prices against tables by hand.

use crate::given::{property, stay};
use domain::price::{Basis, Kind, Price};
use domain::property::{MAX_PRICE, Property};
use domain::rules::{
    Fees, MAX_FEE_BP, MAX_TOLL, Overrides, Rates, Rules, Tax, TaxRate, Terms, Toll,
};
use std::sync::Arc;

fn priced(rates: Rates, nights: i32, guests: u16) -> Price {
    let rules = Arc::new(Rules { rates, ..Rules::default() });
    let property = Property { rules, ..property() };
    property.price(&Overrides::default(), stay(1, 1 + nights), guests, None)
}

fn amounts(price: &Price) -> Vec<(&'static str, i64)> {
    price.lines().iter().map(|line| (line.kind.name(), line.amount())).collect()
}

fn share(name: &str, basis_points: u32, included: bool) -> Tax {
    Tax { name: name.into(), rate: TaxRate::Share { basis_points }, included }
}

#[test]
fn every_line_stands_in_its_order_and_the_total_is_their_sum() {
    let rates = Rates {
        extra_guests: Some(Toll { included: 2, per_night: 1_500 }),
        weekly_discount_bp: 1_000,
        monthly_discount_bp: 2_500,
        fees: Fees { cleaning: 4_999, service_bp: 1_250 },
        taxes: vec![
            share("VAT", 1_600, false),
            Tax {
                name: "bed".into(),
                rate: TaxRate::PerGuestNight { amount: 200 },
                included: false,
            },
        ],
    };
    let price = priced(rates, 7, 4);
    // 70,000 + 21,000 - 9,100 + 4,999 = 86,899; 12.5 % of it 10,862.375; 16 % of 97,761 15,641.76.
    assert_eq!(
        amounts(&price),
        [
            ("nights", 70_000),
            ("extra_guests", 21_000),
            ("weekly_discount", -9_100),
            ("cleaning_fee", 4_999),
            ("service_fee", 10_862),
            ("tax", 15_642),
            ("tax", 5_600),
        ]
    );
    assert_eq!(price.total(), 119_003);
}

#[test]
fn only_guests_above_those_that_are_included_have_a_line() {
    let toll = Toll { included: 2, per_night: 1_500 };
    let rates = Rates { extra_guests: Some(toll), ..Rates::default() };
    for (guests, expected) in [(1, None), (2, None), (3, Some(("extra_guests", 3_000)))] {
        let lines = amounts(&priced(rates.clone(), 2, guests));
        assert_eq!(lines.get(1).copied(), expected, "{guests}");
    }
}

#[test]
fn the_largest_discount_that_applies_is_the_one() {
    let rates = |weekly, monthly| Rates {
        weekly_discount_bp: weekly,
        monthly_discount_bp: monthly,
        ..Rates::default()
    };
    for (weekly, monthly, nights, expected) in [
        (1_000, 2_000, 6, None),
        (1_000, 2_000, 7, Some(("weekly_discount", -7_000))),
        (1_000, 2_000, 27, Some(("weekly_discount", -27_000))),
        (1_000, 2_000, 28, Some(("monthly_discount", -56_000))),
        (1_000, 0, 28, Some(("weekly_discount", -28_000))),
        (2_000, 2_000, 28, Some(("monthly_discount", -56_000))),
        (0, 2_000, 27, None),
    ] {
        let lines = amounts(&priced(rates(weekly, monthly), nights, 2));
        assert_eq!(lines.get(1).copied(), expected, "{weekly} {monthly} {nights}");
    }
}

#[test]
fn a_tax_that_is_included_is_shown_and_not_added() {
    let flat = TaxRate::PerGuestNight { amount: 100 };
    let rates = Rates {
        taxes: vec![
            share("VAT", 1_900, true),
            Tax { name: "bed".into(), rate: flat, included: true },
            share("city", 500, false),
        ],
        ..Rates::default()
    };
    let price = priced(rates, 2, 2);
    assert_eq!(amounts(&price), [("nights", 20_000), ("tax", 3_193), ("tax", 400), ("tax", 1_000)]);
    assert_eq!(price.total(), 21_000);
}

#[test]
fn nights_of_one_price_are_one_line() {
    let weekend = Terms { price: Some(15_000), ..Terms::default() };
    let mut rules = Rules::default();
    rules.weekdays[4] = weekend;
    rules.weekdays[5] = weekend;
    let property = Property { rules: Arc::new(rules), ..property() };
    let dear = Terms { price: Some(99_000), ..Terms::default() };
    // 2026-12-04 is a Friday.
    let overrides = Overrides::from([(stay(6, 7).check_in(), dear)]);
    let price = property.price(&overrides, stay(3, 9), 2, None);
    let shown: Vec<_> = price.lines().iter().map(|line| (&line.kind, line.basis)).collect();
    let nights = |day: i32| Kind::Nights { from: stay(day, 9).check_in() };
    let each = |quantity, unit| Basis::Each { quantity, unit };
    assert_eq!(
        shown,
        [
            (&nights(3), each(1, 10_000)),
            (&nights(4), each(2, 15_000)),
            (&nights(6), each(1, 99_000)),
            (&nights(7), each(2, 10_000)),
        ]
    );
    for (day, expected) in
        [(2, None), (3, Some(10_000)), (5, Some(15_000)), (6, Some(99_000)), (8, Some(10_000))]
    {
        assert_eq!(price.of_night(stay(day, 30).check_in()), expected, "{day}");
    }
    assert_eq!(price.of_night(stay(9, 30).check_in()), None);
}

#[test]
fn an_even_price_loses_nothing() {
    let price = Price::even(stay(1, 4), 100);
    assert_eq!((price.total(), price.lines().len()), (100, 2));
    assert_eq!(Price::even(stay(1, 4), 99).lines().len(), 1);
}

#[test]
fn the_dearest_stay_of_all_is_still_counted() {
    let tax = Tax {
        name: "t".into(),
        rate: TaxRate::PerGuestNight { amount: MAX_TOLL },
        included: false,
    };
    let rates = Rates {
        extra_guests: Some(Toll { included: 0, per_night: MAX_TOLL }),
        fees: Fees { cleaning: MAX_PRICE, service_bp: MAX_FEE_BP },
        taxes: vec![tax, share("a", MAX_FEE_BP, false), share("b", MAX_FEE_BP, false)],
        ..Rates::default()
    };
    let rules = Arc::new(Rules { rates, ..Rules::default() });
    let property = Property { rules, price_per_night: MAX_PRICE, ..property() };
    let price = property.price(&Overrides::default(), stay(1, 731), 1_000, None);
    let sum: i128 = price.lines().iter().map(|line| i128::from(line.amount())).sum();
    assert_eq!(i128::from(price.total()), sum);
}
