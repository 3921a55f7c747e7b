//! The one table of rights: role x action x what the caller is to the thing.
//!
//! Deny by default: a cell that names nobody lets nobody in, and an action without a row does not
//! exist. The table is data, so that the whole of it can be read, printed and tested at once.
//! Rules of renting (a host cannot be their own guest, an unlisted property takes no bookings)
//! are not here: they are refusals that `domain` gives to callers who may ask.

use crate::store::accounts::Role;
use domain::UserId;
use uuid::Uuid;

/// Somebody who showed a valid access token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller {
    pub id: UserId,
    /// The role when the token was issued: a change shows within a token's ten minutes.
    pub role: Role,
    pub session: Uuid,
}

/// What can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    Register,
    Login,
    RefreshSession,
    EndSession,
    VerifyAddress,
    ResetPassword,
    ListUsers,
    ReadProfile,
    ChangeProfile,
    /// A guest begins to rent out: the one change of a role.
    BecomeHost,
    DeleteAccount,
    ExportAccount,
    CreateProperty,
    ReadProperty,
    EditProperty,
    ReadCalendar,
    /// Also to look at one's blocks with their notes.
    EditCalendar,
    /// The public view: what changed, not who changed it or why.
    ReadEvents,
    /// Who caused the events, and why.
    ReadAudit,
    Quote,
    Book,
    /// To write down a stay that is settled outside.
    BookOffline,
    ReadBooking,
    ListBookings,
    ChangeBooking,
    CancelBooking,
    /// The host's word on a request, or on a guest who never came.
    AnswerBooking,
    StartPayment,
    ReadPayment,
    /// To give money back beyond what the policy says.
    RefundPayment,
    ListPayments,
    /// What a cancellation would return now.
    PreviewRefund,
    WriteReview,
    ReadReview,
    ListReviews,
    ChangeReview,
    DeleteReview,
    ReplyToReview,
}

/// What the caller is to the thing the action is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ownership {
    /// There is no such thing yet, or it is the caller's own by construction (a list of one's own).
    Unowned,
    /// Somebody else's, but shown to everybody: a listed property, a review.
    Public,
    /// Somebody else's and nobody else's business.
    Foreign,
    /// The caller is the guest of the booking, pays for it, or wrote the review of it.
    Guest,
    /// The caller is the host of the property.
    Host,
    /// The caller's own account.
    Own,
}

/// Why not. The surfaces say it as 401, 403 and 404.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// Nobody may do this without saying who they are.
    #[error("this needs a valid access token")]
    Unauthenticated,
    /// The caller may know that the thing exists, but not do this to it.
    #[error("your role does not allow this")]
    Forbidden,
    /// The thing is somebody else's: the caller is not told that it exists.
    #[error("there is no such thing, or it is not yours")]
    NotFound,
}

/// A set of callers: bits of anonymous, guest, host and admin.
type Who = u8;

const ANONYMOUS: Who = 1;
const GUEST: Who = 2;
const HOST: Who = 4;
const ADMIN: Who = 8;
const NOBODY: Who = 0;
const SIGNED: Who = GUEST | HOST | ADMIN;
const ANYBODY: Who = ANONYMOUS | SIGNED;

/// The table. A host may do all that a guest may. Booking is open on things that are foreign,
/// because an unlisted property answers with the refusal `property_unlisted`; and to the host,
/// whom `domain` tells why not. What a guest needs to pay at the provider is shown to the guest
/// alone, whoever else may read the payment. A review that has not appeared is foreign to
/// all but its author, and so is one of a guest to all but the two whom it concerns. Whether an
/// author may still change a review is a question of time, which the table does not know.
#[rustfmt::skip]
const TABLE: [(Action, [Who; 6]); 38] = [
    //                        Unowned       Public   Foreign  Guest    Host          Own
    (Action::Register,       [ANYBODY,      NOBODY,  NOBODY,  NOBODY,  NOBODY,       NOBODY]),
    (Action::Login,          [ANYBODY,      NOBODY,  NOBODY,  NOBODY,  NOBODY,       NOBODY]),
    (Action::RefreshSession, [ANYBODY,      NOBODY,  NOBODY,  NOBODY,  NOBODY,       NOBODY]),
    (Action::EndSession,     [NOBODY,       NOBODY,  NOBODY,  NOBODY,  NOBODY,       SIGNED]),
    (Action::VerifyAddress,  [ANYBODY,      NOBODY,  NOBODY,  NOBODY,  NOBODY,       NOBODY]),
    (Action::ResetPassword,  [ANYBODY,      NOBODY,  NOBODY,  NOBODY,  NOBODY,       NOBODY]),
    (Action::ListUsers,      [ADMIN,        NOBODY,  NOBODY,  NOBODY,  NOBODY,       NOBODY]),
    (Action::ReadProfile,    [NOBODY,       NOBODY,  ADMIN,   NOBODY,  NOBODY,       SIGNED]),
    (Action::ChangeProfile,  [NOBODY,       NOBODY,  ADMIN,   NOBODY,  NOBODY,       SIGNED]),
    (Action::BecomeHost,     [NOBODY,       NOBODY,  NOBODY,  NOBODY,  NOBODY,       GUEST]),
    (Action::DeleteAccount,  [NOBODY,       NOBODY,  ADMIN,   NOBODY,  NOBODY,       SIGNED]),
    (Action::ExportAccount,  [NOBODY,       NOBODY,  NOBODY,  NOBODY,  NOBODY,       SIGNED]),
    (Action::CreateProperty, [HOST | ADMIN, NOBODY,  NOBODY,  NOBODY,  NOBODY,       NOBODY]),
    (Action::ReadProperty,   [NOBODY,       ANYBODY, ADMIN,   NOBODY,  HOST | ADMIN, NOBODY]),
    (Action::EditProperty,   [NOBODY,       ADMIN,   ADMIN,   NOBODY,  HOST | ADMIN, NOBODY]),
    (Action::ReadCalendar,   [NOBODY,       ANYBODY, ADMIN,   NOBODY,  HOST | ADMIN, NOBODY]),
    (Action::EditCalendar,   [NOBODY,       ADMIN,   ADMIN,   NOBODY,  HOST | ADMIN, NOBODY]),
    (Action::ReadEvents,     [NOBODY,       ANYBODY, ADMIN,   NOBODY,  HOST | ADMIN, NOBODY]),
    (Action::ReadAudit,      [NOBODY,       ADMIN,   ADMIN,   NOBODY,  HOST | ADMIN, NOBODY]),
    (Action::Quote,          [NOBODY,       ANYBODY, ADMIN,   NOBODY,  HOST | ADMIN, NOBODY]),
    (Action::Book,           [NOBODY,       SIGNED,  SIGNED,  NOBODY,  HOST | ADMIN, NOBODY]),
    (Action::BookOffline,    [NOBODY,       ADMIN,   ADMIN,   NOBODY,  HOST | ADMIN, NOBODY]),
    (Action::ReadBooking,    [NOBODY,       NOBODY,  ADMIN,   SIGNED,  HOST | ADMIN, NOBODY]),
    (Action::ListBookings,   [SIGNED,       NOBODY,  NOBODY,  NOBODY,  NOBODY,       NOBODY]),
    (Action::ChangeBooking,  [NOBODY,       NOBODY,  ADMIN,   SIGNED,  ADMIN,        NOBODY]),
    (Action::CancelBooking,  [NOBODY,       NOBODY,  ADMIN,   SIGNED,  HOST | ADMIN, NOBODY]),
    (Action::AnswerBooking,  [NOBODY,       NOBODY,  ADMIN,   NOBODY,  HOST | ADMIN, NOBODY]),
    (Action::StartPayment,   [NOBODY,       NOBODY,  NOBODY,  SIGNED,  NOBODY,       NOBODY]),
    (Action::ReadPayment,    [NOBODY,       NOBODY,  ADMIN,   SIGNED,  HOST | ADMIN, NOBODY]),
    (Action::RefundPayment,  [NOBODY,       NOBODY,  ADMIN,   NOBODY,  HOST | ADMIN, NOBODY]),
    (Action::ListPayments,   [SIGNED,       NOBODY,  NOBODY,  NOBODY,  NOBODY,       NOBODY]),
    (Action::PreviewRefund,  [NOBODY,       NOBODY,  ADMIN,   SIGNED,  HOST | ADMIN, NOBODY]),
    (Action::WriteReview,    [NOBODY,       NOBODY,  NOBODY,  SIGNED,  HOST | ADMIN, NOBODY]),
    (Action::ReadReview,     [NOBODY,       ANYBODY, ADMIN,   SIGNED,  HOST | ADMIN, NOBODY]),
    (Action::ListReviews,    [NOBODY,       ANYBODY, ADMIN,   NOBODY,  HOST | ADMIN, NOBODY]),
    (Action::ChangeReview,   [NOBODY,       ADMIN,   ADMIN,   SIGNED,  ADMIN,        NOBODY]),
    (Action::DeleteReview,   [NOBODY,       ADMIN,   ADMIN,   SIGNED,  ADMIN,        NOBODY]),
    (Action::ReplyToReview,  [NOBODY,       NOBODY,  NOBODY,  NOBODY,  HOST | ADMIN, NOBODY]),
];

/// Whether the caller may do this to a thing that is so much theirs.
pub fn allow(action: Action, caller: Option<&Caller>, ownership: Ownership) -> Result<(), Denied> {
    let (_, cells) = &TABLE[action as usize];
    let who = match caller.map(|caller| caller.role) {
        None => ANONYMOUS,
        Some(Role::Guest) => GUEST,
        Some(Role::Host) => HOST,
        Some(Role::Admin) => ADMIN,
    };
    if cells[ownership as usize] & who != 0 {
        return Ok(());
    }
    let open_to_anonymous = cells.iter().any(|cell| cell & ANONYMOUS != 0);
    Err(match ownership {
        // Who need not sign in for such things is told what a stranger is told.
        _ if caller.is_none() && !open_to_anonymous => Denied::Unauthenticated,
        Ownership::Foreign => Denied::NotFound,
        _ => Denied::Forbidden,
    })
}

impl Ownership {
    /// What the caller is to a property of this host.
    pub fn of_property(caller: Option<&Caller>, host: UserId, listed: bool) -> Self {
        match caller {
            Some(caller) if caller.id == host => Self::Host,
            _ if listed => Self::Public,
            _ => Self::Foreign,
        }
    }

    /// What the caller is to a booking, or to a payment for it.
    pub fn of_booking(caller: Option<&Caller>, guest: UserId, host: UserId) -> Self {
        match caller {
            Some(caller) if caller.id == guest => Self::Guest,
            Some(caller) if caller.id == host => Self::Host,
            _ => Self::Foreign,
        }
    }

    /// What the caller is to a review, which is `shown` to them or not; `host` is whom it is about,
    /// where it is about a property and that is known.
    pub fn of_review(
        caller: Option<&Caller>,
        author: UserId,
        shown: bool,
        host: Option<UserId>,
    ) -> Self {
        match caller {
            Some(caller) if caller.id == author => Self::Guest,
            _ if !shown => Self::Foreign,
            Some(caller) if Some(caller.id) == host => Self::Host,
            _ => Self::Public,
        }
    }

    /// What the caller is to an account.
    pub fn of_account(caller: Option<&Caller>, user: UserId) -> Self {
        match caller {
            Some(caller) if caller.id == user => Self::Own,
            _ => Self::Foreign,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Write;

    const OWNERSHIPS: [Ownership; 6] = [
        Ownership::Unowned,
        Ownership::Public,
        Ownership::Foreign,
        Ownership::Guest,
        Ownership::Host,
        Ownership::Own,
    ];

    /// Columns: anonymous, guest, host, admin for each ownership in turn. `+` is allowed, `1`
    /// is 401, `3` is 403 and `4` is 404.
    const EXPECTED: &str = "\
Action          Unowned Public Foreign Guest Host Own
Register        ++++ 3333 4444 3333 3333 3333
Login           ++++ 3333 4444 3333 3333 3333
RefreshSession  ++++ 3333 4444 3333 3333 3333
EndSession      1333 1333 1444 1333 1333 1+++
VerifyAddress   ++++ 3333 4444 3333 3333 3333
ResetPassword   ++++ 3333 4444 3333 3333 3333
ListUsers       133+ 1333 1444 1333 1333 1333
ReadProfile     1333 1333 144+ 1333 1333 1+++
ChangeProfile   1333 1333 144+ 1333 1333 1+++
BecomeHost      1333 1333 1444 1333 1333 1+33
DeleteAccount   1333 1333 144+ 1333 1333 1+++
ExportAccount   1333 1333 1444 1333 1333 1+++
CreateProperty  13++ 1333 1444 1333 1333 1333
ReadProperty    3333 ++++ 444+ 3333 33++ 3333
EditProperty    1333 133+ 144+ 1333 13++ 1333
ReadCalendar    3333 ++++ 444+ 3333 33++ 3333
EditCalendar    1333 133+ 144+ 1333 13++ 1333
ReadEvents      3333 ++++ 444+ 3333 33++ 3333
ReadAudit       1333 133+ 144+ 1333 13++ 1333
Quote           3333 ++++ 444+ 3333 33++ 3333
Book            1333 1+++ 1+++ 1333 13++ 1333
BookOffline     1333 133+ 144+ 1333 13++ 1333
ReadBooking     1333 1333 144+ 1+++ 13++ 1333
ListBookings    1+++ 1333 1444 1333 1333 1333
ChangeBooking   1333 1333 144+ 1+++ 133+ 1333
CancelBooking   1333 1333 144+ 1+++ 13++ 1333
AnswerBooking   1333 1333 144+ 1333 13++ 1333
StartPayment    1333 1333 1444 1+++ 1333 1333
ReadPayment     1333 1333 144+ 1+++ 13++ 1333
RefundPayment   1333 1333 144+ 1333 13++ 1333
ListPayments    1+++ 1333 1444 1333 1333 1333
PreviewRefund   1333 1333 144+ 1+++ 13++ 1333
WriteReview     1333 1333 1444 1+++ 13++ 1333
ReadReview      3333 ++++ 444+ 3+++ 33++ 3333
ListReviews     3333 ++++ 444+ 3333 33++ 3333
ChangeReview    1333 133+ 144+ 1+++ 133+ 1333
DeleteReview    1333 133+ 144+ 1+++ 133+ 1333
ReplyToReview   1333 1333 1444 1333 13++ 1333
";

    fn caller(role: Role) -> Caller {
        Caller { id: UserId(Uuid::from_u128(1)), role, session: Uuid::from_u128(2) }
    }

    fn cell(action: Action, caller: Option<&Caller>, ownership: Ownership) -> char {
        match allow(action, caller, ownership) {
            Ok(()) => '+',
            Err(Denied::Unauthenticated) => '1',
            Err(Denied::Forbidden) => '3',
            Err(Denied::NotFound) => '4',
        }
    }

    #[test]
    fn every_cell_of_the_matrix_is_as_written_here() {
        let callers = [None, Some(Role::Guest), Some(Role::Host), Some(Role::Admin)]
            .map(|role| role.map(caller));
        let mut matrix = String::from("Action          Unowned Public Foreign Guest Host Own\n");
        for (action, _) in TABLE {
            write!(matrix, "{:<15}", format!("{action:?}")).expect("a string takes text");
            for ownership in OWNERSHIPS {
                matrix.push(' ');
                matrix.extend(callers.iter().map(|who| cell(action, who.as_ref(), ownership)));
            }
            matrix.push('\n');
        }
        println!("{matrix}");
        assert_eq!(matrix, EXPECTED);
    }

    #[test]
    fn rows_stand_in_the_order_of_the_actions() {
        for (index, (action, _)) in TABLE.iter().enumerate() {
            assert_eq!(*action as usize, index, "{action:?}");
        }
        for (index, ownership) in OWNERSHIPS.iter().enumerate() {
            assert_eq!(*ownership as usize, index, "{ownership:?}");
        }
    }

    #[test]
    fn ownership_follows_from_who_is_named() {
        let (me, other) = (caller(Role::Host), UserId(Uuid::from_u128(9)));
        let seen = Some(&me);
        assert_eq!(Ownership::of_property(seen, me.id, false), Ownership::Host);
        assert_eq!(Ownership::of_property(seen, other, true), Ownership::Public);
        assert_eq!(Ownership::of_property(None, other, false), Ownership::Foreign);
        assert_eq!(Ownership::of_booking(seen, me.id, other), Ownership::Guest);
        assert_eq!(Ownership::of_booking(seen, other, me.id), Ownership::Host);
        assert_eq!(Ownership::of_booking(seen, other, other), Ownership::Foreign);
        assert_eq!(Ownership::of_review(seen, me.id, false, Some(other)), Ownership::Guest);
        assert_eq!(Ownership::of_review(seen, other, true, Some(me.id)), Ownership::Host);
        assert_eq!(Ownership::of_review(seen, other, false, Some(me.id)), Ownership::Foreign);
        assert_eq!(Ownership::of_review(seen, other, true, None), Ownership::Public);
        assert_eq!(Ownership::of_review(None, other, true, None), Ownership::Public);
        assert_eq!(Ownership::of_review(None, other, false, None), Ownership::Foreign);
        assert_eq!(Ownership::of_account(seen, me.id), Ownership::Own);
        assert_eq!(Ownership::of_account(None, me.id), Ownership::Foreign);
    }
}
