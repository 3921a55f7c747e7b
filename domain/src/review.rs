//! Reviews: what guest and host say of each other when a stay is over, until when, from when on
//! others read it, and what a property's ratings come to.

use crate::{Booking, Instant, Status};
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// How long after check-out a review may be written, changed and taken back by its author.
const WINDOW: Duration = Duration::from_secs(14 * 24 * 60 * 60);

/// Who speaks of whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// The guest of the property: everybody reads it, and it counts in the property's ratings.
    GuestToHost,
    /// The host of the guest: for the two of them alone.
    HostToGuest,
}

impl Direction {
    /// The stored and shown name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::GuestToHost => "guest_to_host",
            Self::HostToGuest => "host_to_guest",
        }
    }
}

/// The text names no direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be guest_to_host or host_to_guest")]
pub struct UnknownDirection;

impl FromStr for Direction {
    type Err = UnknownDirection;

    fn from_str(text: &str) -> Result<Self, UnknownDirection> {
        let mut known = [Self::GuestToHost, Self::HostToGuest].into_iter();
        known.find(|direction| direction.name() == text).ok_or(UnknownDirection)
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

impl Average {
    /// The hundredths of a star: 100 to 500.
    pub const fn hundredths(self) -> i64 {
        self.0
    }
}

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
    #[error("a blind review cannot be changed or taken back once it has appeared")]
    Appeared,
    #[error("the booking has its review")]
    AlreadyReviewed,
    #[error("the review has its reply")]
    AlreadyReplied,
    #[error("a booking that was made offline is not reviewed")]
    Offline,
}

/// Whether a stay may be reviewed now; gives the instant at which the window closes, which is
/// stored with the review. The guest of one that was made offline is its host or an admin.
pub fn window(booking: &Booking, now: Instant) -> Result<Instant, Refusal> {
    if booking.offline {
        return Err(Refusal::Offline);
    }
    if booking.status != Status::Completed {
        return Err(Refusal::NotCompleted);
    }
    let closes_at = booking.check_out_at.plus(WINDOW);
    if now < closes_at { Ok(closes_at) } else { Err(Refusal::WindowClosed) }
}

/// How a review appears. A blind one is its author's alone until the other side has spoken too, or
/// the window has closed: nobody answers a judgement in kind, because nobody knows it yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Publication {
    pub blind: bool,
    /// Whether it has appeared: others read it, and it counts.
    pub appeared: bool,
    /// When it appeared, or will if the other side stays silent.
    pub at: Instant,
}

impl Publication {
    /// Of the first review of a stay, which the property wants blind or not.
    pub fn first(blind: bool, closes_at: Instant, now: Instant) -> Self {
        Self { blind, appeared: !blind, at: if blind { closes_at } else { now } }
    }

    /// Of the other side's, which makes both appear. It is as blind as the first, whatever the
    /// property has come to want since: what is settled for one side is settled for both.
    pub fn second(first: Self, now: Instant) -> Self {
        Self { blind: first.blind, appeared: true, at: now }
    }

    /// Whether the author may change the review or take it back now. Once both sides know what was
    /// said blindly, it stays said.
    pub fn may_change(self, closes_at: Instant, now: Instant) -> Result<(), Refusal> {
        match self {
            _ if now >= closes_at => Err(Refusal::WindowClosed),
            Self { blind: true, appeared: true, .. } => Err(Refusal::Appeared),
            _ => Ok(()),
        }
    }
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
    fn a_direction_is_read_as_it_is_written() {
        for direction in [Direction::GuestToHost, Direction::HostToGuest] {
            assert_eq!(direction.name().parse(), Ok(direction));
        }
        for text in ["", "guest", "GUEST_TO_HOST", "guest_to_guest"] {
            assert_eq!(text.parse::<Direction>(), Err(UnknownDirection), "{text}");
        }
    }

    const NOW: Instant = Instant::from_micros(1_000);
    const LATER: Instant = Instant::from_micros(2_000);
    const CLOSES: Instant = Instant::from_micros(9_000);

    #[test]
    fn a_first_review_appears_at_once_or_blindly_when_the_window_closes() {
        let open = Publication { blind: false, appeared: true, at: NOW };
        let blind = Publication { blind: true, appeared: false, at: CLOSES };
        assert_eq!(Publication::first(false, CLOSES, NOW), open);
        assert_eq!(Publication::first(true, CLOSES, NOW), blind);
    }

    #[test]
    fn a_second_review_appears_at_once_and_is_as_blind_as_the_first() {
        for blind in [false, true] {
            let second = Publication::second(Publication::first(blind, CLOSES, NOW), LATER);
            assert_eq!(second, Publication { blind, appeared: true, at: LATER });
        }
    }

    #[test]
    fn an_author_has_the_window_and_of_what_is_blind_until_it_appears() {
        let before = Instant::from_micros(8_999);
        for (blind, appeared, now, expected) in [
            (false, true, before, Ok(())),
            (false, true, CLOSES, Err(Refusal::WindowClosed)),
            (true, false, before, Ok(())),
            (true, false, CLOSES, Err(Refusal::WindowClosed)),
            (true, true, NOW, Err(Refusal::Appeared)),
            (true, true, CLOSES, Err(Refusal::WindowClosed)),
        ] {
            let publication = Publication { blind, appeared, at: NOW };
            let verdict = publication.may_change(CLOSES, now);
            assert_eq!(verdict, expected, "{publication:?} at {now}");
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
