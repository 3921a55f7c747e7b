//! A stay as scenarios use it: an arrival and a number of nights, at most 64, so that any choice of
//! its nights fits one word.

use std::fmt;

use jiff::civil::Date;
use jiff::{SignedDuration, ToSpan};

/// The longest stay that can be recorded.
pub const MAX_NIGHTS: u16 = 64;

/// The nights from `check_in` on; the day after the last night is the check-out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Stay {
    check_in: Date,
    nights: u16,
}

impl Stay {
    /// A stay of 1 to 64 nights, `None` for any other number.
    pub fn new(check_in: Date, nights: u16) -> Option<Self> {
        (1..=MAX_NIGHTS).contains(&nights).then_some(Self { check_in, nights })
    }

    /// The day of arrival.
    pub fn check_in(self) -> Date {
        self.check_in
    }

    /// The day of departure, which is not a night of the stay.
    pub fn check_out(self) -> Date {
        self.check_in.saturating_add(i64::from(self.nights).days())
    }

    /// The same number of nights, `shift` earlier or later.
    pub fn moved(self, shift: SignedDuration) -> Self {
        Self { check_in: self.check_in.saturating_add(shift), ..self }
    }

    /// Its nights in order.
    pub fn nights(self) -> impl Iterator<Item = Date> {
        (0..i64::from(self.nights)).map(move |night| self.check_in.saturating_add(night.days()))
    }

    /// Which night of the stay `date` is, counted from 0; `None` when it is not in the stay.
    pub fn position(self, date: Date) -> Option<u16> {
        let days = date.duration_since(self.check_in).as_hours() / 24;
        u16::try_from(days).ok().filter(|&position| position < self.nights)
    }
}

impl fmt::Display for Stay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.check_in, self.check_out())
    }
}

/// Some of the nights of a stay.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Nights(u64);

impl Nights {
    /// Adds the night at `position`, which must be below [`MAX_NIGHTS`].
    pub fn insert(&mut self, position: u16) {
        self.0 |= 1 << position;
    }

    /// Whether there are none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Their dates in `stay`, in order.
    pub fn of(self, stay: Stay) -> impl Iterator<Item = Date> {
        stay.nights().enumerate().filter(move |(n, _)| self.0 >> n & 1 == 1).map(|(_, date)| date)
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::{MAX_NIGHTS, Nights, Stay};

    #[test]
    fn the_check_out_day_is_no_night_of_the_stay() {
        let stay = Stay::new(date(2026, 12, 30), 3).expect("three nights");
        assert_eq!(stay.check_out(), date(2027, 1, 2));
        assert_eq!(stay.position(date(2026, 12, 29)), None);
        assert_eq!(stay.position(date(2026, 12, 30)), Some(0));
        assert_eq!(stay.position(date(2027, 1, 1)), Some(2));
        assert_eq!(stay.position(date(2027, 1, 2)), None);
    }

    #[test]
    fn a_stay_has_one_to_sixty_four_nights() {
        assert_eq!(Stay::new(date(2026, 12, 1), 0), None);
        assert_eq!(Stay::new(date(2026, 12, 1), MAX_NIGHTS + 1), None);
        let stay = Stay::new(date(2026, 12, 1), MAX_NIGHTS).expect("sixty-four nights");
        let mut last = Nights::default();
        last.insert(MAX_NIGHTS - 1);
        assert_eq!(last.of(stay).collect::<Vec<_>>(), [date(2027, 2, 2)]);
    }
}
