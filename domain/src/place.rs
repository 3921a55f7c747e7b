//! Places on the globe, for finding what is near: the one part of the rules that reckons with
//! fractions, because no money and no night depends on it.

/// A point on the globe in degrees.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Position {
    latitude: f64,
    longitude: f64,
}

/// The mean radius of the Earth in metres (IUGG).
const EARTH: f64 = 6_371_008.8;
/// Distances are rounded to metres, so what is this much farther may still count.
const SLACK: f64 = 1.0;

impl Position {
    /// The point there; nothing outside -90 to 90 and -180 to 180 degrees.
    pub fn new(latitude: f64, longitude: f64) -> Option<Self> {
        let exists = is_latitude(latitude) && is_longitude(longitude);
        exists.then_some(Self { latitude, longitude })
    }

    /// The way to another point along the surface of a sphere, in whole metres. Whole, so that it
    /// can be sorted by and named in a cursor.
    pub fn metres_to(self, other: Self) -> i64 {
        let half = |from: f64, to: f64| ((to - from).to_radians() / 2.0).sin().powi(2);
        let scale = self.latitude.to_radians().cos() * other.latitude.to_radians().cos();
        let chord =
            half(self.latitude, other.latitude) + scale * half(self.longitude, other.longitude);
        // Half the circumference is about 20,000,000: far inside of an i64.
        (2.0 * EARTH * chord.sqrt().min(1.0).asin()).round() as i64
    }
}

/// Everything between two parallels and two meridians, with its edges.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Area {
    pub south: f64,
    pub north: f64,
    /// Larger than `east` where the area lies across the 180th meridian.
    pub west: f64,
    pub east: f64,
}

impl Area {
    /// The area between these; nothing where one is no such angle, or south is north of north.
    pub fn new([west, south, east, north]: [f64; 4]) -> Option<Self> {
        let exist = [west, east].into_iter().all(is_longitude)
            && [south, north].into_iter().all(is_latitude)
            && south <= north;
        exist.then_some(Self { south, north, west, east })
    }

    /// An area that has every point up to so many metres from this one, and not many others. The
    /// metres are fewer than from a pole to the equator.
    pub fn around(center: Position, metres: i64) -> Self {
        let angle = (metres as f64 + SLACK) / EARTH;
        let (latitude, longitude) = (center.latitude, center.longitude);
        let (south, north) = (latitude - angle.to_degrees(), latitude + angle.to_degrees());
        let (south, north) = (south.max(-90.0), north.min(90.0));
        // Where a pole is near, every meridian is.
        let reach = angle.sin() / latitude.to_radians().cos();
        if south == -90.0 || north == 90.0 || reach >= 1.0 {
            return Self { south, north, west: -180.0, east: 180.0 };
        }
        let reach = reach.asin().to_degrees();
        let (west, east) = (around_once(longitude - reach), around_once(longitude + reach));
        Self { south, north, west, east }
    }
}

fn is_latitude(degrees: f64) -> bool {
    (-90.0..=90.0).contains(&degrees)
}

fn is_longitude(degrees: f64) -> bool {
    (-180.0..=180.0).contains(&degrees)
}

/// The same meridian between -180 and 180 degrees.
fn around_once(longitude: f64) -> f64 {
    if longitude < -180.0 {
        longitude + 360.0
    } else if longitude > 180.0 {
        longitude - 360.0
    } else {
        longitude
    }
}
