//! Latencies as a few figures.

use std::fmt;

use hdrhistogram::Histogram;
use serde::Serialize;

use crate::clock::Nanos;

/// Longer ones count as an hour.
const LONGEST_MICROS: u64 = 3_600_000_000;

/// Microseconds that so many per cent of requests did not exceed, to three digits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Latency {
    pub count: u64,
    pub p50_micros: u64,
    pub p90_micros: u64,
    pub p99_micros: u64,
    pub max_micros: u64,
}

impl Latency {
    /// The figures of spans given as start and end.
    pub(crate) fn of(spans: impl Iterator<Item = (Nanos, Nanos)>) -> Self {
        let mut histogram = Self::histogram();
        for (from, to) in spans {
            histogram.saturating_record(to.saturating_sub(from) / 1_000);
        }
        Self::read(&histogram)
    }

    /// An empty one, for microseconds.
    pub(crate) fn histogram() -> Histogram<u64> {
        Histogram::new_with_max(LONGEST_MICROS, 3)
            .expect("three digits up to an hour are a precision that it has")
    }

    /// The figures of what was recorded.
    pub(crate) fn read(histogram: &Histogram<u64>) -> Self {
        Self {
            count: histogram.len(),
            p50_micros: histogram.value_at_quantile(0.5),
            p90_micros: histogram.value_at_quantile(0.9),
            p99_micros: histogram.value_at_quantile(0.99),
            max_micros: histogram.max(),
        }
    }
}

impl fmt::Display for Latency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = |micros: u64| micros as f64 / 1_000.0;
        let [p50, p90, p99, max] =
            [self.p50_micros, self.p90_micros, self.p99_micros, self.max_micros].map(millis);
        write!(f, "p50 {p50:.2} ms, p90 {p90:.2}, p99 {p99:.2}, max {max:.2}")
    }
}

#[cfg(test)]
mod tests {
    use super::Latency;

    #[test]
    fn quantiles_are_in_microseconds_and_a_span_that_ends_before_it_starts_counts_as_none() {
        let spans = (1..=1000).map(|n| (0, n * 1_000_000)).chain([(5, 4)]);
        let latency = Latency::of(spans);
        assert_eq!(latency.count, 1001);
        assert!((499_000..=501_500).contains(&latency.p50_micros), "{latency:?}");
        assert!((999_000..=1_001_500).contains(&latency.max_micros), "{latency:?}");
    }
}
