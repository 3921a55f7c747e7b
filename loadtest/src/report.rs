//! The result of a run: counts, rates, latencies and the checker's findings, as values, as JSON and
//! as text.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::AddAssign;

use serde::Serialize;

use crate::checker::check;
use crate::clock::{Nanos, SECOND};
use crate::demand::Figures;
use crate::findings::Findings;
use crate::guest::Guest;
use crate::history::{Accepted, Answer, Deed, History, Outcome};
use crate::latency::Latency;
use crate::stage::Stage;
use crate::tally::Tally;

/// What one run of a scenario showed.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    pub scenario: &'static str,
    pub targets: Vec<String>,
    /// With which the choices of stays can be repeated.
    pub seed: Option<u64>,
    pub clients: u32,
    pub properties: u32,
    /// Counts of the whole run, warm-up included.
    pub figures: Figures,
    pub paid: u64,
    /// Bookings that were asked for until the client's patience ended.
    pub unanswered: u64,
    /// Accepted bookings by the target that accepted them.
    pub accepted_by_target: Vec<u64>,
    /// Every answer by status, also those after which a request was repeated.
    pub statuses: BTreeMap<u16, u64>,
    /// Connections that were refused, broke, or stayed silent.
    pub lost_connections: u64,
    /// The length of the time in which what follows was counted.
    pub measured_seconds: f64,
    /// All nights were given away before the time was up.
    pub ended_early: bool,
    /// Answers to bookings, accepted and refused.
    pub answers_per_second: f64,
    pub accepted_per_second: f64,
    /// The same in each whole second.
    pub each_second: Vec<Second>,
    /// From the intended start to the answer.
    pub booking_latency: Latency,
    pub payment_latency: Latency,
    pub cancel_latency: Latency,
    /// What the figures have to be, where the scenario determines them.
    pub expected: Option<Figures>,
    pub findings: Findings,
    /// All that was recorded, for further questions.
    #[serde(skip)]
    pub history: History,
}

/// Answers in one second.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Second {
    pub answers: u64,
    pub accepted: u64,
}

/// The span in which rates and latencies are counted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Window {
    pub(crate) from: Nanos,
    pub(crate) to: Nanos,
}

impl Window {
    fn holds(self, at: Nanos) -> bool {
        (self.from..self.to).contains(&at)
    }

    fn seconds(self) -> f64 {
        (self.to - self.from) as f64 / SECOND as f64
    }
}

/// What a report says besides the history.
pub(crate) struct Context {
    pub(crate) scenario: &'static str,
    pub(crate) seed: Option<u64>,
    pub(crate) expected: Option<Figures>,
    pub(crate) ended_early: bool,
    pub(crate) targets: Vec<String>,
    /// The target of each client.
    pub(crate) target_of: Vec<usize>,
    pub(crate) tally: Tally,
}

impl Context {
    pub(crate) fn new(stage: &Stage, guests: &[Guest]) -> Self {
        let mut tally = Tally::default();
        for guest in guests {
            tally += guest.client.tally();
        }
        Self {
            scenario: "",
            seed: None,
            expected: None,
            ended_early: false,
            targets: stage.addresses(),
            target_of: guests.iter().map(|guest| stage.target_of(guest.number)).collect(),
            tally,
        }
    }
}

impl Report {
    /// Counts and judges a history.
    pub(crate) fn new(context: Context, window: Window, history: History) -> Self {
        let mut report = Self {
            scenario: context.scenario,
            targets: context.targets,
            seed: context.seed,
            clients: context.target_of.len() as u32,
            properties: history.properties.len() as u32,
            figures: Figures { accepted: 0, refused: 0, canceled: 0 },
            paid: 0,
            unanswered: 0,
            accepted_by_target: Vec::new(),
            statuses: context.tally.statuses,
            lost_connections: context.tally.lost,
            measured_seconds: window.seconds(),
            ended_early: context.ended_early,
            answers_per_second: 0.0,
            accepted_per_second: 0.0,
            each_second: vec![Second::default(); window.seconds() as usize],
            booking_latency: booking_latency(&history, window),
            payment_latency: deed_latency(&history, window, |accepted| accepted.payment),
            cancel_latency: deed_latency(&history, window, |accepted| accepted.cancel),
            expected: context.expected,
            findings: check(&history),
            history,
        };
        report.accepted_by_target = vec![0; report.targets.len()];
        report.count(window, &context.target_of);
        report
    }

    fn count(&mut self, window: Window, target_of: &[usize]) {
        let mut measured = Second::default();
        for attempt in &self.history.attempts {
            let mut one = Second { answers: 1, accepted: 0 };
            match &attempt.answer {
                Answer::Accepted(accepted) => {
                    one.accepted = 1;
                    self.figures.accepted += 1;
                    self.figures.canceled += u64::from(is_done(accepted.cancel));
                    self.paid += u64::from(is_done(accepted.payment));
                    self.accepted_by_target[target_of[attempt.client as usize]] += 1;
                }
                Answer::Refused(_) => self.figures.refused += 1,
                Answer::Rejected(_) | Answer::Unknown(Some(_)) => {}
                Answer::Unknown(None) => {
                    one.answers = 0;
                    self.unanswered += 1;
                }
            }
            if window.holds(attempt.answered) {
                measured += one;
                let second = (attempt.answered - window.from) / SECOND;
                if let Some(second) = self.each_second.get_mut(second as usize) {
                    *second += one;
                }
            }
        }
        let per_second = |count: u64| match self.measured_seconds {
            0.0 => 0.0,
            seconds => count as f64 / seconds,
        };
        self.answers_per_second = per_second(measured.answers);
        self.accepted_per_second = per_second(measured.accepted);
    }

    /// Whether nothing was found and the figures are what they have to be.
    pub fn passed(&self) -> bool {
        self.findings.is_empty() && self.is_as_expected()
    }

    /// Where the figures are determined, every accepted booking has to be paid as well.
    fn is_as_expected(&self) -> bool {
        self.expected.is_none_or(|figures| figures == self.figures && figures.accepted == self.paid)
    }
}

impl AddAssign for Second {
    fn add_assign(&mut self, other: Self) {
        self.answers += other.answers;
        self.accepted += other.accepted;
    }
}

fn is_done(deed: Option<Deed>) -> bool {
    deed.is_some_and(|deed| deed.outcome == Outcome::Done)
}

fn booking_latency(history: &History, window: Window) -> Latency {
    let attempts = history.attempts.iter().filter(|attempt| window.holds(attempt.answered));
    Latency::of(attempts.map(|attempt| (attempt.intended, attempt.answered)))
}

fn deed_latency(
    history: &History,
    window: Window,
    deed: impl Fn(&Accepted) -> Option<Deed>,
) -> Latency {
    let deeds = history.attempts.iter().filter_map(|attempt| match &attempt.answer {
        Answer::Accepted(accepted) => deed(accepted).filter(|deed| window.holds(deed.ended)),
        _ => None,
    });
    Latency::of(deeds.map(|deed| (deed.first_sent, deed.ended)))
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Figures { accepted, refused, canceled } = self.figures;
        writeln!(f, "{} against {}", self.scenario, self.targets.join(", "))?;
        writeln!(f, "clients     {}, properties {}", self.clients, self.properties)?;
        if let Some(seed) = self.seed {
            writeln!(f, "seed        {seed}")?;
        }
        writeln!(
            f,
            "bookings    {accepted} accepted, {refused} refused, {canceled} canceled, {} paid, {} \
             unanswered",
            self.paid, self.unanswered
        )?;
        if let Some(expected) = self.expected {
            let Figures { accepted, refused, canceled } = expected;
            let verdict = if self.is_as_expected() { "as expected" } else { "NOT as expected" };
            writeln!(
                f,
                "expected    {accepted} accepted, {refused} refused, {canceled} canceled, all \
                 paid: {verdict}"
            )?;
        }
        if self.targets.len() > 1 {
            writeln!(f, "by server   {:?} accepted", self.accepted_by_target)?;
        }
        write!(f, "statuses   ")?;
        for (status, count) in &self.statuses {
            write!(f, " {status}: {count}")?;
        }
        writeln!(f, ", connections lost: {}", self.lost_connections)?;
        self.write_rates(f)?;
        if self.findings.is_empty() {
            writeln!(f, "history     no violation")
        } else {
            write!(f, "history     VIOLATED\n{}", self.findings)
        }
    }
}

impl Report {
    fn write_rates(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { measured_seconds, answers_per_second, accepted_per_second, .. } = self;
        let early = if self.ended_early { ", ended early: all nights were given away" } else { "" };
        writeln!(
            f,
            "rates       {answers_per_second:.0} answers/s, {accepted_per_second:.0} accepted/s in \
             {measured_seconds:.1} s{early}"
        )?;
        let range = |of: fn(&Second) -> u64| {
            let each = || self.each_second.iter().map(of);
            each().min().zip(each().max())
        };
        if let (Some(answers), Some(accepted)) = (range(|s| s.answers), range(|s| s.accepted)) {
            writeln!(
                f,
                "each second {} to {} answers, {} to {} accepted",
                answers.0, answers.1, accepted.0, accepted.1
            )?;
        }
        let latencies = [
            ("booking ", self.booking_latency),
            ("payment ", self.payment_latency),
            ("cancel  ", self.cancel_latency),
        ];
        for (name, latency) in latencies {
            if latency.count > 0 {
                writeln!(f, "{name}    {latency}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::{Context, Report, Second, Window};
    use crate::demand::{EXPECTED, Figures};
    use crate::history::{Answer, Attempt, History};
    use crate::stay::Stay;
    use crate::tally::Tally;

    fn context(expected: Figures) -> Context {
        Context {
            scenario: "test",
            seed: None,
            expected: Some(expected),
            ended_early: false,
            targets: vec!["http://localhost".to_owned()],
            target_of: vec![0],
            tally: Tally::default(),
        }
    }

    #[test]
    fn a_run_with_other_figures_than_expected_does_not_pass() {
        let window = Window { from: 0, to: 1 };
        let nothing = Figures { accepted: 0, refused: 0, canceled: 0 };
        let report = Report::new(context(nothing), window, History::default());
        assert!(report.passed() && report.to_string().contains("as expected"), "{report}");
        let report = Report::new(context(EXPECTED), window, History::default());
        assert!(!report.passed() && report.to_string().contains("NOT as expected"), "{report}");
    }

    #[test]
    fn only_answers_within_the_window_are_measured() {
        let stay = Stay::new(date(2026, 12, 1), 1).expect("one night");
        let attempt = |answered: u64| Attempt {
            property: 0,
            client: 0,
            stay,
            intended: answered - 1_000_000,
            first_sent: answered,
            last_sent: answered,
            answered,
            answer: Answer::Rejected(422),
        };
        let second = 1_000_000_000;
        let times = [second / 2, second, second + 1, 3 * second - 1, 3 * second];
        let attempts = times.map(attempt).to_vec();
        let history = History { attempts, ..History::default() };
        let window = Window { from: second, to: 3 * second };
        let report = Report::new(context(EXPECTED), window, history);
        let answers = |answers| Second { answers, accepted: 0 };
        assert_eq!(report.each_second, [answers(2), answers(1)]);
        assert_eq!(report.answers_per_second, 1.5);
        assert_eq!((report.booking_latency.count, report.booking_latency.max_micros), (3, 1_000));
    }
}
