//! Nights, months and stays: civil dates only, never instants, so that no time zone can shift them.
//!
//! A stay is the half-open range of nights `[check_in, check_out)`. Two stays conflict when
//! `a.in < b.out and b.in < a.out`: the check-out day is free for the next check-in.

use jiff::SignedDuration;
use jiff::civil::Date;
use std::fmt;
use std::str::FromStr;

/// The civil date on which a night begins, as days since 1970-01-01.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Night(i32);

const EPOCH: Date = Date::constant(1970, 1, 1);
/// The first night that can be named: 1970-01-01.
const FIRST: i32 = 0;
/// The last date that can be named: 2199-12-31.
const LAST: i32 = 84_005;
const HOURS_A_DAY: i64 = 24;

impl Night {
    /// The first night that can be named, 1970-01-01.
    pub const MIN: Self = Self(FIRST);
    /// The last date that can be named, 2199-12-31.
    pub const MAX: Self = Self(LAST);

    /// The night that begins on this date, or `None` outside 1970-01-01 to 2199-12-31.
    pub fn of(date: Date) -> Option<Self> {
        let days = i32::try_from(date.duration_since(EPOCH).as_hours() / HOURS_A_DAY).ok()?;
        (FIRST..=LAST).contains(&days).then_some(Self(days))
    }

    /// From days since 1970-01-01, as it is stored; `None` outside the range of [`Night::of`].
    pub fn from_days(days: i32) -> Option<Self> {
        (FIRST..=LAST).contains(&days).then_some(Self(days))
    }

    /// Days since 1970-01-01.
    pub const fn days(self) -> i32 {
        self.0
    }

    /// The night `days` later (earlier if negative), kept within the range that can be named.
    #[must_use]
    pub fn plus(self, days: i32) -> Self {
        Self(self.0.saturating_add(days).clamp(FIRST, LAST))
    }

    /// The civil date on which the night begins.
    pub fn date(self) -> Date {
        EPOCH
            .checked_add(SignedDuration::from_hours(i64::from(self.0) * HOURS_A_DAY))
            .unwrap_or(EPOCH)
    }

    /// The month the night begins in, and its index there from 0.
    pub fn in_month(self) -> (Month, usize) {
        let date = self.date();
        (Month::of(date), usize::from(date.day().unsigned_abs()) - 1)
    }
}

impl fmt::Display for Night {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.date().fmt(f)
    }
}

impl fmt::Debug for Night {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.date().fmt(f)
    }
}

impl FromStr for Night {
    type Err = DateError;

    /// Reads `YYYY-MM-DD` and nothing else.
    fn from_str(text: &str) -> Result<Self, DateError> {
        let shaped = text.len() == 10
            && text.bytes().enumerate().all(|(i, b)| match i {
                4 | 7 => b == b'-',
                _ => b.is_ascii_digit(),
            });
        if !shaped {
            return Err(DateError::Form);
        }
        let date: Date = text.parse().map_err(|_| DateError::NoSuchDay)?;
        Self::of(date).ok_or(DateError::OutOfRange)
    }
}

/// Why a text is not a date.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DateError {
    #[error("must be a date in the form YYYY-MM-DD")]
    Form,
    #[error("is not a day of the calendar")]
    NoSuchDay,
    #[error("must lie between 1970-01-01 and 2199-12-31")]
    OutOfRange,
}

/// A calendar month, as months since year 0.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month(i32);

impl Month {
    fn of(date: Date) -> Self {
        Self(i32::from(date.year()) * 12 + i32::from(date.month()) - 1)
    }

    /// From months since year 0, as it is stored; `None` outside the years 1970 to 2199.
    pub fn from_index(index: i32) -> Option<Self> {
        (1970 * 12..2200 * 12).contains(&index).then_some(Self(index))
    }

    /// Months since year 0.
    pub const fn index(self) -> i32 {
        self.0
    }

    /// The first night of the month.
    pub fn first(self) -> Night {
        let year = i16::try_from(self.0.div_euclid(12)).unwrap_or(1970);
        let month = i8::try_from(self.0.rem_euclid(12) + 1).unwrap_or(1);
        Date::new(year, month, 1).ok().and_then(Night::of).unwrap_or(Night::MAX)
    }

    /// The month after.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }

    /// How many nights the month has: 28 to 31.
    pub fn length(self) -> usize {
        usize::from(self.first().date().days_in_month().unsigned_abs())
    }
}

impl fmt::Display for Month {
    /// `YYYY-MM`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.0.div_euclid(12), self.0.rem_euclid(12) + 1)
    }
}

impl fmt::Debug for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The half-open range of nights `[check_in, check_out)`: 1 to 730 nights.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stay {
    check_in: Night,
    check_out: Night,
}

/// The longest stay, in nights.
pub const MAX_NIGHTS: i32 = 730;

/// Why two dates are not a stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StayError {
    #[error("check_out must be after check_in")]
    Empty,
    #[error("a stay has at most 730 nights")]
    TooLong,
}

impl Stay {
    /// A stay of 1 to 730 nights.
    pub fn new(check_in: Night, check_out: Night) -> Result<Self, StayError> {
        match check_out.0 - check_in.0 {
            ..=0 => Err(StayError::Empty),
            1..=MAX_NIGHTS => Ok(Self { check_in, check_out }),
            _ => Err(StayError::TooLong),
        }
    }

    /// The day of arrival and first night.
    pub const fn check_in(self) -> Night {
        self.check_in
    }

    /// The day of departure, whose night is free.
    pub const fn check_out(self) -> Night {
        self.check_out
    }

    /// The number of nights: 1 to 730.
    pub const fn nights(self) -> i32 {
        self.check_out.0 - self.check_in.0
    }

    /// Every night of the stay in order.
    pub fn each_night(self) -> impl Iterator<Item = Night> {
        (self.check_in.0..self.check_out.0).map(Night)
    }

    /// Whether the two stays share a night.
    pub const fn conflicts(self, other: Self) -> bool {
        self.check_in.0 < other.check_out.0 && other.check_in.0 < self.check_out.0
    }

    /// These nights with so many more on both sides, kept within the dates that can be named. It
    /// may be longer than anybody can book.
    #[must_use]
    pub fn widened(self, nights: u16) -> Self {
        let nights = i32::from(nights);
        Self { check_in: self.check_in.plus(-nights), check_out: self.check_out.plus(nights) }
    }

    /// All nights of the months that these lie in. They may be more than anybody can book.
    #[must_use]
    pub fn in_whole_months(self) -> Self {
        let check_in = self.check_in.in_month().0.first();
        let check_out = self.check_out.plus(-1).in_month().0.next().first();
        Self { check_in, check_out }
    }

    /// Whether the night is one of the stay's.
    pub fn has(self, night: Night) -> bool {
        self.check_in <= night && night < self.check_out
    }

    /// What of the stay lies before and behind the other.
    pub fn without(self, other: Self) -> [Option<Self>; 2] {
        let before = Self::new(self.check_in, self.check_out.min(other.check_in));
        let behind = Self::new(self.check_in.max(other.check_out), self.check_out);
        [before.ok(), behind.ok()]
    }

    /// The stay moved by some days, or `None` where that leaves the range of dates.
    pub fn moved(self, days: i32) -> Option<Self> {
        Some(Self {
            check_in: Night::from_days(self.check_in.0 + days)?,
            check_out: Night::from_days(self.check_out.0 + days)?,
        })
    }

    /// The same arrival with fewer nights, or `None` if none is left.
    pub fn shortened(self, nights: i32) -> Option<Self> {
        Self::new(self.check_in, Night(self.check_out.0 - nights)).ok()
    }
}

impl fmt::Display for Stay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.check_in, self.check_out)
    }
}

impl fmt::Debug for Stay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn night(text: &str) -> Night {
        text.parse().expect("a date in a test")
    }

    #[test]
    fn dates_are_read_in_one_form_only() {
        for (text, expected) in [
            ("2026-12-01", Ok(())),
            ("2028-02-29", Ok(())),
            ("2027-02-29", Err(DateError::NoSuchDay)),
            ("2026-13-01", Err(DateError::NoSuchDay)),
            ("0001-01-01", Err(DateError::OutOfRange)),
            ("9999-12-31", Err(DateError::OutOfRange)),
            ("2200-01-01", Err(DateError::OutOfRange)),
            ("2026-12-01T00:00:00Z", Err(DateError::Form)),
            ("20261201", Err(DateError::Form)),
            ("2026-1-1", Err(DateError::Form)),
            ("2026/12/01", Err(DateError::Form)),
            ("1969-12-31", Err(DateError::OutOfRange)),
            ("1970-01-01", Ok(())),
            ("2199-12-31", Ok(())),
            ("", Err(DateError::Form)),
        ] {
            assert_eq!(text.parse::<Night>().map(|_| ()), expected, "{text}");
        }
    }

    #[test]
    fn the_edges_of_the_calendar_are_its_named_dates() {
        assert_eq!(Night::MIN.to_string(), "1970-01-01");
        assert_eq!(Night::MAX.to_string(), "2199-12-31");
        assert_eq!(Night::MAX.in_month().0.length(), 31);
    }

    #[test]
    fn a_night_knows_its_month_and_place() {
        let (month, index) = night("2028-02-29").in_month();
        assert_eq!((month.to_string().as_str(), index, month.length()), ("2028-02", 28, 29));
        assert_eq!(month.next().first(), night("2028-03-01"));
    }

    #[test]
    fn stays_that_only_touch_do_not_conflict() {
        let stay = |a, b| Stay::new(night(a), night(b)).expect("a stay");
        let base = stay("2026-12-10", "2026-12-14");
        for (a, b, conflict) in [
            ("2026-12-08", "2026-12-10", false),
            ("2026-12-14", "2026-12-15", false),
            ("2026-12-09", "2026-12-11", true),
            ("2026-12-13", "2026-12-20", true),
            ("2026-12-11", "2026-12-12", true),
            ("2026-12-01", "2026-12-31", true),
        ] {
            assert_eq!(base.conflicts(stay(a, b)), conflict, "{a} {b}");
            assert_eq!(stay(a, b).conflicts(base), conflict, "{a} {b}");
        }
    }

    #[test]
    fn a_stay_has_one_to_730_nights() {
        let start = night("2026-12-10");
        assert_eq!(Stay::new(start, start), Err(StayError::Empty));
        assert_eq!(Stay::new(start, start.plus(-1)), Err(StayError::Empty));
        assert!(Stay::new(start, start.plus(730)).is_ok());
        assert_eq!(Stay::new(start, start.plus(731)), Err(StayError::TooLong));
    }
}
