//! Places: distances, and areas that have everything near a point.

use domain::place::{Area, Position};
use proptest::prelude::*;

fn at(latitude: f64, longitude: f64) -> Position {
    Position::new(latitude, longitude).expect("a place")
}

fn has(area: Area, latitude: f64, longitude: f64) -> bool {
    let Area { south, north, west, east } = area;
    let between = if west <= east {
        west <= longitude && longitude <= east
    } else {
        west <= longitude || longitude <= east
    };
    south <= latitude && latitude <= north && between
}

#[test]
fn distances_are_those_of_a_sphere_also_across_the_180th_meridian() {
    for (from, to, metres) in [
        ((38.7, -9.1), (38.7, -9.1), 0),
        // A degree of the equator, and of a meridian.
        ((0.0, 0.0), (0.0, 1.0), 111_195),
        ((60.0, 10.0), (61.0, 10.0), 111_195),
        ((0.0, 179.5), (0.0, -179.5), 111_195),
        // Half-way around, and from pole to pole.
        ((0.0, 0.0), (0.0, 180.0), 20_015_114),
        ((90.0, 0.0), (-90.0, 0.0), 20_015_114),
        // Lisbon to Nairobi.
        ((38.7223, -9.1393), (-1.2921, 36.8219), 6_462_975),
    ] {
        let way = |a: (f64, f64), b: (f64, f64)| at(a.0, a.1).metres_to(at(b.0, b.1));
        assert_eq!((way(from, to), way(to, from)), (metres, metres), "{from:?} to {to:?}");
    }
}

#[test]
fn what_is_no_angle_makes_no_place_and_no_area() {
    let wrong = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 180.1, -180.1];
    for degrees in wrong {
        assert_eq!(Position::new(degrees, 0.0), None);
        assert_eq!(Position::new(0.0, degrees), None);
        for side in 0..4 {
            let mut sides = [-10.0, -10.0, 10.0, 10.0];
            sides[side] = degrees;
            assert_eq!(Area::new(sides), None, "{sides:?}");
        }
    }
    assert_eq!(Position::new(90.1, 0.0), None);
    assert_eq!(Area::new([0.0, 1.0, 0.0, 0.0]), None);
    assert!(Area::new([170.0, 0.0, -170.0, 0.0]).is_some());
}

#[test]
fn an_area_around_a_pole_has_all_meridians() {
    for latitude in [90.0, 89.99, -89.99, -90.0] {
        let area = Area::around(at(latitude, 12.0), 5_000);
        assert_eq!((area.west, area.east), (-180.0, 180.0));
    }
    let area = Area::around(at(0.0, 179.99), 5_000);
    assert!(area.west > area.east, "{area:?}");
}

proptest! {
    #[test]
    fn an_area_has_everything_so_near_and_little_that_is_far(
        latitude in -90.0..=90.0_f64,
        longitude in -180.0..=180.0_f64,
        radius in 100..500_000_i64,
        (north, east) in (-6.0..6.0_f64, -6.0..6.0_f64),
    ) {
        let center = at(latitude, longitude);
        let area = Area::around(center, radius);
        let other = ((latitude + north).clamp(-90.0, 90.0), longitude + east);
        let other = (other.0, if other.1 > 180.0 { other.1 - 360.0 } else { other.1 });
        let other = (other.0, if other.1 < -180.0 { other.1 + 360.0 } else { other.1 });
        let metres = center.metres_to(at(other.0, other.1));
        prop_assert!(metres > radius || has(area, other.0, other.1), "{metres} {area:?}");
        // The corner of a square is farther away than its side; meridians meet at the poles.
        let is_far = metres > 2 * radius && latitude.abs() < 75.0;
        prop_assert!(!is_far || !has(area, other.0, other.1), "{metres} {area:?}");
    }
}
