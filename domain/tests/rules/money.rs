//! Money against exact arithmetic.

use crate::given::{property, stay};
use domain::Property;
use domain::money::share;
use domain::property::MAX_PRICE;
use domain::rules::Overrides;
use proptest::prelude::*;

proptest! {
    #[test]
    fn a_share_is_the_nearest_whole_and_half_goes_up(amount in any::<i64>(), bp in 0..=30_000_u32) {
        let exact = i128::from(amount) * i128::from(bp);
        let edge = (i128::from(i64::MIN), i128::from(i64::MAX));
        let found = i128::from(share(amount, bp));
        // Twice the distance to the exact value is at most one, and a half is rounded up.
        let distance = 2 * (found * 10_000 - exact);
        let nearest = -10_000 < distance && distance <= 10_000;
        prop_assert!(nearest || found == edge.0 && exact < edge.0 * 10_000
            || found == edge.1 && exact > edge.1 * 10_000);
    }

    #[test]
    fn a_stay_costs_its_nights(price in 0..=MAX_PRICE, nights in 1..=20) {
        let property = Property { price_per_night: price, ..property() };
        let found = property.price(&Overrides::default(), stay(1, 1 + nights), 2, None);
        prop_assert_eq!(found.total(), price * i64::from(nights));
    }
}

#[test]
fn a_share_that_no_amount_can_hold_stops_at_the_edge() {
    for (amount, bp, expected) in [
        (i64::MAX, 20_000, i64::MAX),
        (i64::MIN, 20_000, i64::MIN),
        (i64::MIN, 10_000, i64::MIN),
        (i64::MAX, u32::MAX, i64::MAX),
    ] {
        assert_eq!(share(amount, bp), expected, "{amount} {bp}");
    }
}
