//! What tests turn off and break. In builds with `feature = "test_switches"` only.

use super::Reader;
use domain::switches::{Bug, Switches};

impl<F: Fn(&str) -> Option<String>> Reader<F> {
    pub(super) fn switches(&mut self) -> Switches {
        match self.text("TEST_SWITCH").as_deref() {
            None => Switches::default(),
            Some("no_overlap_check") => Switches::planted(Bug::NoOverlapCheck),
            Some(_) => {
                self.problem("TEST_SWITCH: must be no_overlap_check".to_owned());
                Switches::default()
            }
        }
    }

    pub(super) fn die_at_step(&mut self) -> i64 {
        let Some(text) = self.text("DIE_AT_STEP") else { return 0 };
        text.parse().unwrap_or_else(|_| {
            self.problem("DIE_AT_STEP: must be a number".to_owned());
            0
        })
    }
}
