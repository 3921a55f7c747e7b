//! The table of one run: rates, what they are compared with, and the floors.
//!
//! Contract: a ratio is always between two rates of the same run. A floor that is not held makes
//! the whole table bad.

use std::time::Duration;

/// Something measured, per second.
pub(crate) struct Rate {
    pub(super) title: String,
    pub(super) per_second: f64,
}

impl Rate {
    /// The same rate, with one more word about its circumstances.
    pub(super) fn titled(self, word: &str) -> Self {
        Self { title: format!("{}, {word}", self.title), ..self }
    }
}

/// A rate that others are compared with, by its row.
#[derive(Clone, Copy)]
pub(super) struct Base(usize);

struct Row {
    rate: Rate,
    ratio: Option<f64>,
    floor: Option<f64>,
}

impl Row {
    fn is_good(&self) -> bool {
        self.floor.is_none_or(|floor| self.ratio.is_some_and(|ratio| ratio >= floor))
    }

    fn line(&self) -> String {
        let Rate { title, per_second } = &self.rate;
        let ratio = self.ratio.map(|ratio| format!("{ratio:.1}")).unwrap_or_default();
        let floor = self.floor.map(|floor| format!("{floor:.1}")).unwrap_or_default();
        let verdict = match (self.floor, self.is_good()) {
            (None, _) => "",
            (Some(_), true) => "PASS",
            (Some(_), false) => "FAIL",
        };
        let line = format!("{title:<60}{per_second:>12.0}{ratio:>8}{floor:>8}  {verdict}");
        line.trim_end().to_string()
    }
}

/// The rows in the order they were measured.
#[derive(Default)]
pub(super) struct Table {
    notes: Vec<(&'static str, Duration)>,
    rows: Vec<Row>,
}

impl Table {
    /// A latency that stands beside the rates.
    pub(super) fn note(&mut self, title: &'static str, latency: Duration) {
        self.notes.push((title, latency));
    }

    /// Adds a rate that others are compared with.
    pub(super) fn base(&mut self, rate: Rate) -> Base {
        self.rows.push(Row { rate, ratio: None, floor: None });
        Base(self.rows.len() - 1)
    }

    /// Adds a rate as a multiple of `base`, which should be at least `floor`.
    pub(super) fn against(&mut self, base: Base, rate: Rate, floor: Option<f64>) {
        let ratio = Some(rate.per_second / self.rows[base.0].rate.per_second);
        self.rows.push(Row { rate, ratio, floor });
    }

    pub(super) fn is_good(&self) -> bool {
        self.rows.iter().all(Row::is_good)
    }

    pub(super) fn print(&self) {
        println!("\n{:<60}{:>12}{:>8}{:>8}", "", "per second", "ratio", "floor");
        for row in &self.rows {
            println!("{}", row.line());
        }
        for (title, latency) in &self.notes {
            println!("{title:<60}{:>9.2} ms", latency.as_secs_f64() * 1000.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_below_its_floor_makes_the_table_bad() {
        let rate = |per_second| Rate { title: "sample".into(), per_second };
        for (against, floor, good) in [
            (170.0, Some(1.7), true),
            (169.0, Some(1.7), false),
            (1.0, None, true),
            (f64::NAN, Some(1.7), false),
        ] {
            let mut table = Table::default();
            let base = table.base(rate(100.0));
            table.against(base, rate(against), floor);
            assert_eq!(table.is_good(), good, "{against}");
        }
    }
}
