//! When a stay may be reviewed.

use crate::given::{HOUR, TICK, booking, paid};
use domain::review::{Refusal, window};
use domain::{Booking, Night, Status};

#[test]
fn a_stay_may_be_reviewed_from_its_completion_until_14_days_after_check_out() {
    let stayed = paid(Status::Completed);
    let closes_at = stayed.check_out_at.plus(14 * 24 * HOUR);
    for (at, expected) in [
        (stayed.check_out_at, Ok(closes_at)),
        (closes_at.minus(TICK), Ok(closes_at)),
        (closes_at, Err(Refusal::WindowClosed)),
    ] {
        assert_eq!(window(&stayed, at), expected, "{at}");
    }
}

#[test]
fn only_a_completed_stay_is_reviewed() {
    let no_show = Status::NoShow { free_from: Night::MIN };
    for status in [Status::Confirmed, Status::Canceled, Status::Declined, Status::Expired, no_show]
    {
        let stay = booking(status, None);
        let verdict = window(&stay, stay.check_out_at);
        assert_eq!(verdict, Err(Refusal::NotCompleted), "{}", status.name());
    }
}

#[test]
fn what_was_made_offline_is_not_reviewed() {
    let stayed = Booking { offline: true, ..booking(Status::Completed, None) };
    assert_eq!(window(&stayed, stayed.check_out_at), Err(Refusal::Offline));
}
