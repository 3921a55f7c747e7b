//! The second half of the checker: what the server lists afterwards against what it answered. Every
//! acknowledged booking is there, as acknowledged; nothing is there that nobody asked for; and no
//! two listed bookings hold one night.

use std::collections::{HashMap, HashSet};

use jiff::civil::Date;
use uuid::Uuid;

use crate::checker::words;
use crate::findings::{Findings, Violation};
use crate::history::{Accepted, Answer, Attempt, Deed, History, List, Listed, Outcome, Status};

/// Compares the lists of a history with its attempts. Clients without a list are not judged.
pub(crate) fn compare(history: &History, findings: &mut Findings) {
    let mut attempts: HashMap<u32, Vec<&Attempt>> = HashMap::new();
    for attempt in &history.attempts {
        attempts.entry(attempt.client).or_default().push(attempt);
    }
    for list in &history.lists {
        let own = attempts.get(&list.client).map_or(&[][..], Vec::as_slice);
        compare_one(history, own, list, findings);
    }
    find_shared_nights(history, findings);
}

fn compare_one(history: &History, own: &[&Attempt], list: &List, findings: &mut Findings) {
    let mut listed: HashMap<Uuid, &Listed> = HashMap::new();
    for booking in &list.bookings {
        if listed.insert(booking.id, booking).is_some() {
            findings.add(Violation::PhantomBooking, || {
                format!("client {} has booking {} twice in its list", list.client, booking.id)
            });
        }
    }
    for attempt in own {
        let Answer::Accepted(accepted) = &attempt.answer else { continue };
        let told = || words(history, attempt);
        match listed.remove(&accepted.id) {
            None => findings.add(Violation::BookingLost, || {
                format!("{} was acknowledged and is not in the guest's list", told())
            }),
            Some(booking) if !is_asked_for(history, attempt, booking) => {
                findings.add(Violation::BookingChanged, || {
                    let Listed { property, check_in, check_out, .. } = booking;
                    format!("{} is listed as {check_in}/{check_out} at {property}", told())
                });
            }
            Some(booking) if !may_be(attempt, accepted, &booking.status, list) => {
                findings.add(Violation::BookingChanged, || {
                    format!("{} is listed as {:?}", told(), booking.status)
                });
            }
            Some(_) => {}
        }
    }
    // What is left was never acknowledged: it has to be a request whose answer was lost.
    let mut unanswered: Vec<_> =
        own.iter().filter(|attempt| matches!(attempt.answer, Answer::Unknown(_))).collect();
    for booking in listed.into_values() {
        match unanswered.iter().position(|attempt| is_asked_for(history, attempt, booking)) {
            Some(position) => drop(unanswered.swap_remove(position)),
            None => findings.add(Violation::PhantomBooking, || {
                let Listed { id, property, check_in, check_out, .. } = booking;
                format!(
                    "client {} has booking {id} of {check_in}/{check_out} at {property} in its \
                     list and never made it",
                    list.client
                )
            }),
        }
    }
}

fn is_asked_for(history: &History, attempt: &Attempt, booking: &Listed) -> bool {
    let property = history.properties.get(attempt.property as usize);
    property == Some(&booking.property)
        && booking.check_in == attempt.stay.check_in()
        && booking.check_out == attempt.stay.check_out()
}

/// Whether a booking can have `status` after what was done to it.
fn may_be(attempt: &Attempt, accepted: &Accepted, status: &Status, list: &List) -> bool {
    let outcome = |deed: Option<Deed>| deed.map(|deed| deed.outcome);
    let (cancel, payment) = (outcome(accepted.cancel), outcome(accepted.payment));
    let canceled = cancel == Some(Outcome::Done);
    let lapses_at = accepted.hold.map(|hold| attempt.first_sent.saturating_add(hold));
    match status {
        Status::Canceled => matches!(cancel, Some(Outcome::Done | Outcome::Unknown(_))),
        Status::Pending => !canceled && accepted.hold.is_some() && payment != Some(Outcome::Done),
        Status::Confirmed => {
            let paid = matches!(payment, Some(Outcome::Done | Outcome::Unknown(_)));
            !canceled && (paid || accepted.hold.is_none())
        }
        Status::Expired => {
            let paid = payment == Some(Outcome::Done);
            !canceled && !paid && lapses_at.is_some_and(|lapse| lapse <= list.read_to)
        }
        Status::Other(_) => false,
    }
}

/// Finds nights that two listed bookings hold, whatever the clients were told about them.
fn find_shared_nights(history: &History, findings: &mut Findings) {
    let mut taken: HashMap<(Uuid, Date), Uuid> = HashMap::new();
    let mut told: HashSet<(Uuid, Uuid)> = HashSet::new();
    let held = |booking: &&Listed| matches!(booking.status, Status::Pending | Status::Confirmed);
    for booking in history.lists.iter().flat_map(|list| &list.bookings).filter(held) {
        let nights = booking.check_in.series(jiff::Span::new().days(1));
        for night in nights.take_while(|&night| night < booking.check_out) {
            let Some(other) = taken.insert((booking.property, night), booking.id) else { continue };
            if other != booking.id && told.insert((other, booking.id)) {
                findings.add(Violation::Overlap, || {
                    format!("bookings {other} and {} are both listed on {night}", booking.id)
                });
            }
        }
    }
}
