//! Counts tests by reading what the runners print.
//!
//! Contract: understands the closing lines of Rust's test harness and of Node's TAP reporter; a
//! line that is neither counts nothing. Whoever runs tests and finds an empty tally has run none.

use std::fmt;
use std::ops::AddAssign;

/// How many tests passed, failed and were marked to be ignored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) ignored: u64,
}

impl Tally {
    /// What one line of output adds.
    pub(crate) fn of_line(line: &str) -> Self {
        if let Some(rest) = line.strip_prefix("test result: ") {
            let parts = rest.split(['.', ';']).map(str::trim);
            return parts.fold(Self::default(), |tally, part| match part.split_once(' ') {
                Some((count, noun)) => tally.with(noun, count),
                None => tally,
            });
        }
        let node = line.strip_prefix("# ").and_then(|rest| rest.split_once(' '));
        node.map_or_else(Self::default, |(noun, count)| Self::default().with(noun, count))
    }

    fn with(mut self, noun: &str, count: &str) -> Self {
        let field = match noun {
            "passed" | "pass" => &mut self.passed,
            "failed" | "fail" | "cancelled" => &mut self.failed,
            "ignored" | "skipped" | "todo" => &mut self.ignored,
            _ => return self,
        };
        *field += count.parse().unwrap_or(0);
        self
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.ignored += other.ignored;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_runners_closing_lines_are_counted_and_nothing_else() {
        let rust = "test result: FAILED. 12 passed; 3 failed; 1 ignored; 0 measured; \
                    4 filtered out; finished in 0.52s";
        for (line, passed, failed, ignored) in [
            (rust, 12, 3, 1),
            ("test result: ok. 0 passed; 0 failed; 0 ignored; 0 measured", 0, 0, 0),
            ("# pass 7", 7, 0, 0),
            ("# fail 2", 0, 2, 0),
            ("# cancelled 1", 0, 1, 0),
            ("# skipped 1", 0, 0, 1),
            ("# duration_ms 81.3", 0, 0, 0),
            ("# Subtest: 5 pass", 0, 0, 0),
            ("test stay::tests::overlap ... ok", 0, 0, 0),
        ] {
            assert_eq!(Tally::of_line(line), Tally { passed, failed, ignored }, "{line}");
        }
    }
}
