//! The judge of a history. It believes no server: from what the clients saw alone it finds
//!
//! * two bookings on one night at one time. A booking is there for certain from its answer's end to
//!   its cancel's start;
//! * a refusal without a cause: no booking on a night it names that can have been there (from its
//!   request's start to its cancel's end) while the refused request was on its way. A booking whose
//!   request was never answered may be there for ever;
//! * nights, reasons, dates and statuses that were not asked for;
//! * a booking that was acknowledged and is not in its guest's list as it should be, and one in a
//!   list that nobody asked for (see `lists.rs`).
//!
//! It must know nothing of how the requests were made, and takes time of order n log n.

use crate::findings::{Findings, Violation};
use crate::history::{Answer, Attempt, Deed, History, Outcome, Refusal};
use crate::lists;
use crate::lives::Lives;

/// Finds everything that is wrong in a history.
pub fn check(history: &History) -> Findings {
    let mut findings = Findings::default();
    find_overlaps(history, &mut findings);
    judge_answers(history, &mut findings);
    lists::compare(history, &mut findings);
    findings
}

fn find_overlaps(history: &History, findings: &mut Findings) {
    let attempts = &history.attempts;
    let certain = attempts.iter().enumerate().filter_map(|(number, attempt)| {
        Some((number, attempt.property, attempt.stay, attempt.certain_life()?))
    });
    for meeting in Lives::new(certain).meetings() {
        let [one, two] = meeting.attempts.map(|number| &attempts[number]);
        // Two stays that share several nights are one overlap, told on the first of them.
        if meeting.night == one.stay.check_in().max(two.stay.check_in()) {
            findings.add(Violation::Overlap, || {
                let (one, two) = (words(history, one), words(history, two));
                format!("the night {} was booked twice: {one}, and {two}", meeting.night)
            });
        }
    }
}

fn judge_answers(history: &History, findings: &mut Findings) {
    let possible = history.attempts.iter().enumerate().filter_map(|(number, attempt)| {
        Some((number, attempt.property, attempt.stay, attempt.possible_life()?))
    });
    let possible = Lives::new(possible);
    for attempt in &history.attempts {
        let told = || words(history, attempt);
        match &attempt.answer {
            Answer::Refused(refusal) => {
                judge_refusal(attempt, refusal, &possible, findings, told);
            }
            Answer::Accepted(accepted) => {
                if !accepted.faithful {
                    findings.add(Violation::WrongBooking, || {
                        format!("{} was answered with another property or other dates", told())
                    });
                }
                judge_deed(accepted.payment, Violation::PaymentFailed, findings, told);
                judge_deed(accepted.cancel, Violation::CancelFailed, findings, told);
            }
            Answer::Unknown(Some(201)) => findings.add(Violation::WrongBooking, || {
                format!("{} was answered with a 201 that cannot be read", told())
            }),
            Answer::Rejected(status) | Answer::Unknown(Some(status)) => {
                findings.add(Violation::UnexpectedStatus, || {
                    format!("{} was answered with {status}", told())
                });
            }
            Answer::Unknown(None) => {}
        }
    }
}

fn judge_refusal(
    attempt: &Attempt,
    refusal: &Refusal,
    possible: &Lives,
    findings: &mut Findings,
    told: impl Fn() -> String,
) {
    if let Some(night) = refusal.stray {
        findings.add(Violation::StrayNightNamed, || {
            format!("the refusal of {} names {night}, which is not in the stay", told())
        });
    }
    if let Some(code) = &refusal.foreign {
        findings.add(Violation::ForeignReason, || {
            format!("{} was refused for another reason than taken nights: {code}", told())
        });
        return;
    }
    let (from, to) = (attempt.last_sent, attempt.answered);
    let held = |&night: &_| possible.meets(attempt.property, night, from, to);
    let free = refusal.named.of(attempt.stay).find(|night| !held(night));
    if !refusal.named.of(attempt.stay).any(|night| held(&night)) {
        findings.add(Violation::RefusalWithoutCause, || {
            format!("{} was refused, and nothing held any of the nights it names", told())
        });
    } else if let Some(night) = free {
        findings.add(Violation::FreeNightNamed, || {
            format!("the refusal of {} names {night}, which nothing held", told())
        });
    }
}

fn judge_deed(
    deed: Option<Deed>,
    violation: Violation,
    findings: &mut Findings,
    told: impl Fn() -> String,
) {
    let outcome = deed.map(|deed| deed.outcome);
    if let Some(Outcome::Rejected(status) | Outcome::Unknown(Some(status))) = outcome {
        let deed = if violation == Violation::PaymentFailed { "payment" } else { "cancel" };
        findings
            .add(violation, || format!("the {deed} of {} was last answered with {status}", told()));
    }
}

/// An attempt in words, with what finds it in the server's log.
pub(crate) fn words(history: &History, attempt: &Attempt) -> String {
    let Attempt { client, stay, .. } = attempt;
    let property = match history.properties.get(attempt.property as usize) {
        Some(id) => id.to_string(),
        None => attempt.property.to_string(),
    };
    let id = match &attempt.answer {
        Answer::Accepted(accepted) => format!("booking {}, ", accepted.id),
        _ => String::new(),
    };
    let [from, to] = [attempt.first_sent, attempt.answered].map(|at| at as f64 / 1e9);
    format!("{stay} ({id}property {property}, client {client}, from {from:.6} s to {to:.6} s)")
}
