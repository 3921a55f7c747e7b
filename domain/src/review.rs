//! Reviews: what a guest says of a stay that is over, until when, and what a property's ratings
//! come to.

use crate::{Booking, Instant, Status};
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// How long after check-out a review may be written, changed and taken back by its author.
const WINDOW: Duration = Duration::from_secs(14 * 24 * 60 * 60);

/// Who speaks of whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    GuestToHost,
}

impl Direction {
    /// The stored and shown name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::GuestToHost => "guest_to_host",
        }
    }
}

/// The text names no direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be guest_to_host")]
pub struct UnknownDirection;

impl FromStr for Direction {
    type Err = UnknownDirection;

    fn from_str(text: &str) -> Result<Self, UnknownDirection> {
        if text == Self::GuestToHost.name() { Ok(Self::GuestToHost) } else { Err(UnknownDirection) }
    }
}

/// One to five stars.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rating(u8);

/// The number is no rating.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a whole number from 1 to 5")]
pub struct NoRating;

impl Rating {
    /// A rating of so many stars.
    pub fn of(stars: i64) -> Result<Self, NoRating> {
        let stars = u8::try_from(stars).map_err(|_| NoRating)?;
        if (1..=5).contains(&stars) { Ok(Self(stars)) } else { Err(NoRating) }
    }

    /// The number of stars: 1 to 5.
    pub const fn stars(self) -> u8 {
        self.0
    }
}

/// All ratings of a property as two whole numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ratings {
    pub sum: i64,
    pub count: i64,
}

impl Ratings {
    /// The mean, rounded half up to two decimals; nothing without reviews.
    pub fn average(self) -> Option<Average> {
        let (sum, count) = (i128::from(self.sum), i128::from(self.count));
        let hundredths = (sum * 200 + count).checked_div_euclid(count * 2)?;
        i64::try_from(hundredths).ok().map(Average)
    }
}

/// A mean rating in hundredths of a star.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Average(i64);

impl fmt::Display for Average {
    /// A decimal number with two decimals: `4.50`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:02}", self.0 / 100, self.0 % 100)
    }
}

/// Why a review cannot be written, changed or answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("a stay can be reviewed when it is completed")]
    NotCompleted,
    #[error("a review can be written, changed and taken back until 14 days after check-out")]
    WindowClosed,
    #[error("the booking has its review")]
    AlreadyReviewed,
    #[error("the review has its reply")]
    AlreadyReplied,
}

/// Whether a stay may be reviewed now; gives the instant at which the window closes, which is
/// stored with the review.
pub fn window(booking: &Booking, now: Instant) -> Result<Instant, Refusal> {
    if booking.status != Status::Completed {
        return Err(Refusal::NotCompleted);
    }
    let closes_at = booking.check_out_at.plus(WINDOW);
    if now < closes_at { Ok(closes_at) } else { Err(Refusal::WindowClosed) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rating_has_one_to_five_stars() {
        for stars in 1..=5 {
            assert_eq!(Rating::of(stars).map(|rating| i64::from(rating.stars())), Ok(stars));
        }
        for stars in [i64::MIN, -1, 0, 6, 256, 257, i64::MAX] {
            assert_eq!(Rating::of(stars), Err(NoRating), "{stars}");
        }
    }

    #[test]
    fn an_average_has_two_decimals_rounded_half_up_and_is_nothing_without_reviews() {
        for (sum, count, expected) in [
            (5, 1, Some("5.00")),
            (9, 2, Some("4.50")),
            (14, 3, Some("4.67")),
            (13, 3, Some("4.33")),
            (1, 1, Some("1.00")),
            (33, 8, Some("4.13")),
            (0, 0, None),
        ] {
            let average = Ratings { sum, count }.average().map(|average| average.to_string());
            assert_eq!(average.as_deref(), expected, "{sum}/{count}");
        }
    }
}
