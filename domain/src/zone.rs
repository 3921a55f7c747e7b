//! Time zones: the only place where a civil date meets an instant.
//!
//! A time that a clock change skips moves forward; one that comes twice means the earlier.

use crate::{Instant, Night};
use jiff::civil::Time;
use jiff::tz::TimeZone;
use std::fmt;

/// An IANA time zone by its name.
#[derive(Clone, PartialEq)]
pub struct Zone(TimeZone);

/// The text names no time zone of the IANA database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be an IANA time zone, like Africa/Nairobi")]
pub struct UnknownZone;

impl Zone {
    /// The zone of that name; names are compared as the database spells them, without regard to
    /// case, and kept in its spelling.
    pub fn named(name: &str) -> Result<Self, UnknownZone> {
        // The system's own zone and fixed offsets are no names of places.
        let zone = TimeZone::get(name).map_err(|_| UnknownZone)?;
        zone.iana_name().ok_or(UnknownZone)?;
        Ok(Self(zone))
    }

    /// The IANA name.
    pub fn name(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }

    /// The local civil date at this instant, kept within the dates that can be named.
    pub fn today(&self, now: Instant) -> Night {
        let date = self.0.to_datetime(now.timestamp()).date();
        Night::of(date.clamp(Night::MIN.date(), Night::MAX.date())).unwrap_or(Night::MIN)
    }

    /// The instant of a local time on a date.
    pub fn at(&self, night: Night, time: Time) -> Instant {
        self.0
            .to_ambiguous_timestamp(night.date().to_datetime(time))
            .compatible()
            .map_or(Instant::default(), Instant::from)
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::time;

    fn at(zone: &str, date: &str, hour: i8, minute: i8) -> String {
        let zone = Zone::named(zone).expect("a zone");
        zone.at(date.parse().expect("a date"), time(hour, minute, 0, 0)).to_string()
    }

    #[test]
    fn a_local_time_becomes_one_instant_even_at_clock_changes() {
        for (zone, date, hour, minute, expected) in [
            ("Africa/Nairobi", "2026-12-01", 15, 0, "2026-12-01T12:00:00Z"),
            ("Pacific/Apia", "2026-12-01", 11, 0, "2026-11-30T22:00:00Z"),
            // 02:30 does not exist on this day: the clock goes from 02:00 to 03:00.
            ("America/Los_Angeles", "2026-03-08", 2, 30, "2026-03-08T10:30:00Z"),
            // 01:30 comes twice on this day: the earlier one is meant.
            ("America/Los_Angeles", "2026-11-01", 1, 30, "2026-11-01T08:30:00Z"),
        ] {
            assert_eq!(at(zone, date, hour, minute), expected, "{zone} {date}");
        }
    }

    #[test]
    fn today_is_the_local_date() {
        let now: jiff::Timestamp = "2026-12-01T03:00:00Z".parse().expect("an instant");
        for (zone, expected) in [
            ("America/Los_Angeles", "2026-11-30"),
            ("Asia/Kolkata", "2026-12-01"),
            ("Pacific/Apia", "2026-12-01"),
        ] {
            let zone = Zone::named(zone).expect("a zone");
            assert_eq!(zone.today(now.into()).to_string(), expected);
        }
    }

    #[test]
    fn only_names_of_the_database_are_zones() {
        for name in ["", "Mars/Olympus", "+03:00", "../etc/passwd", "local"] {
            assert!(Zone::named(name).is_err(), "{name}");
        }
    }
}
