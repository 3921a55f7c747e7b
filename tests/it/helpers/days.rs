//! Dates of tests: all in the future, and counted from one day for the whole run, so that midnight
//! changes nothing.

use domain::Night;
use domain::zone::Zone;
use std::sync::LazyLock;
use vacancy::clock::Clock;

static TODAY: LazyLock<Night> = LazyLock::new(|| {
    let utc = Zone::named("UTC").expect("UTC is a zone");
    utc.today(Clock::wall())
});

/// The date so many days from now, as it is written.
pub(crate) fn day(from_now: i32) -> String {
    TODAY.plus(from_now).to_string()
}

/// Every night from one written date to another, as they are written.
pub(crate) fn nights(from: &str, to: &str) -> Vec<String> {
    let night = |text: &str| -> Night { text.parse().expect("a date") };
    let (from, to) = (night(from), night(to));
    (0..to.days() - from.days()).map(|days| from.plus(days).to_string()).collect()
}
