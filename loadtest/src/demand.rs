//! The recorded demand: 14,836 real hotel bookings in the order in which they were made, and what
//! must become of them when they are replayed over a hundred properties. `data/README.md` describes
//! the embedded columns and names their source.

use jiff::ToSpan;
use jiff::civil::{Date, date};

use crate::stay::Stay;

const COLUMNS: &str = include_str!("../data/demand.txt");
const FIRST_DAY: Date = date(2014, 3, 18);

/// How many properties the rows are dealt to: row `i` goes to property `i mod 100`.
pub const PROPERTIES: usize = 100;

/// One booking as it was made.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// The day it was made.
    pub booked_on: Date,
    /// Arrival and nights.
    pub stay: Stay,
    /// 1 to 55.
    pub guests: u16,
    /// The day it was canceled, `None` where the guest came or simply stayed away.
    pub canceled_on: Option<Date>,
}

/// How often each answer is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Figures {
    pub accepted: u64,
    pub refused: u64,
    pub canceled: u64,
}

/// What a correct calendar makes of the recorded demand.
pub const EXPECTED: Figures = Figures { accepted: 8_034, refused: 6_802, canceled: 4_657 };

/// All rows in file order, with their dates as recorded.
pub fn rows() -> Vec<Row> {
    let mut booked_on = FIRST_DAY;
    let mut parse = |line: &'static str| {
        let mut columns = line.split(',').map(str::parse::<i64>);
        let mut column = || columns.next().and_then(Result::ok);
        booked_on = booked_on.saturating_add(column()?.days());
        let check_in = booked_on.saturating_add(column()?.days());
        Some(Row {
            booked_on,
            stay: Stay::new(check_in, u16::try_from(column()?).ok()?)?,
            guests: u16::try_from(column()?).ok()?,
            canceled_on: column().map(|days| booked_on.saturating_add(days.days())),
        })
    };
    COLUMNS.lines().map(|line| parse(line).expect("the embedded demand is well formed")).collect()
}

/// The rows of each property, with all dates moved by the same number of days so that the earliest
/// arrival is on `first_arrival`.
pub fn by_property(first_arrival: Date) -> Vec<Vec<Row>> {
    let rows = rows();
    let earliest = rows.iter().map(|row| row.stay.check_in()).min().unwrap_or(FIRST_DAY);
    let shift = first_arrival.duration_since(earliest);
    let mut dealt = vec![Vec::new(); PROPERTIES];
    for (number, row) in rows.into_iter().enumerate() {
        let moved = Row {
            booked_on: row.booked_on.saturating_add(shift),
            stay: row.stay.moved(shift),
            guests: row.guests,
            canceled_on: row.canceled_on.map(|day| day.saturating_add(shift)),
        };
        dealt[number % PROPERTIES].push(moved);
    }
    dealt
}

#[cfg(test)]
mod tests {
    use jiff::civil::{Date, date};

    use super::{EXPECTED, Figures, by_property, rows};
    use crate::stay::Stay;

    /// The rules of the replay on the most naive calendar there is.
    fn foresee(first_arrival: Date) -> Figures {
        let mut figures = Figures { accepted: 0, refused: 0, canceled: 0 };
        for rows in by_property(first_arrival) {
            let mut live: Vec<(Stay, Option<Date>)> = Vec::new();
            for row in rows {
                let before = live.len();
                live.retain(|(_, canceled_on)| canceled_on.is_none_or(|day| day >= row.booked_on));
                figures.canceled += (before - live.len()) as u64;
                if row
                    .stay
                    .nights()
                    .any(|night| live.iter().any(|(s, _)| s.position(night).is_some()))
                {
                    figures.refused += 1;
                } else {
                    figures.accepted += 1;
                    live.push((row.stay, row.canceled_on));
                }
            }
            figures.canceled += live.iter().filter(|(_, day)| day.is_some()).count() as u64;
        }
        figures
    }

    #[test]
    fn a_naive_calendar_gives_the_three_expected_figures_wherever_the_dates_are_moved() {
        assert_eq!(rows().len(), 14_836);
        assert_eq!(foresee(date(2015, 7, 1)), EXPECTED);
        assert_eq!(foresee(date(2027, 2, 27)), EXPECTED);
    }

    #[test]
    fn the_earliest_arrival_is_on_the_day_asked_for() {
        let first = date(2027, 1, 1);
        let dealt = by_property(first);
        let earliest = dealt.iter().flatten().map(|row| row.stay.check_in()).min();
        assert_eq!(earliest, Some(first));
        assert!(dealt.iter().flatten().all(|row| row.guests <= 60));
    }
}
