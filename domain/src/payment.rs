//! A payment as it is recorded: where it stands, and what of it goes back.

use crate::RefundId;
use std::str::FromStr;

/// Where a payment stands, in the order of its road; the last four are ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PaymentStatus {
    Created,
    RequiresAction,
    Processing,
    Authorized,
    Captured,
    PartiallyRefunded,
    Refunded,
    Failed,
    Voided,
    Expired,
    Conflicted,
}

impl PaymentStatus {
    const ALL: [Self; 11] = [
        Self::Created,
        Self::RequiresAction,
        Self::Processing,
        Self::Authorized,
        Self::Captured,
        Self::PartiallyRefunded,
        Self::Refunded,
        Self::Failed,
        Self::Voided,
        Self::Expired,
        Self::Conflicted,
    ];

    /// The stored and shown name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::RequiresAction => "requires_action",
            Self::Processing => "processing",
            Self::Authorized => "authorized",
            Self::Captured => "captured",
            Self::PartiallyRefunded => "partially_refunded",
            Self::Refunded => "refunded",
            Self::Failed => "failed",
            Self::Voided => "voided",
            Self::Expired => "expired",
            Self::Conflicted => "conflicted",
        }
    }

    /// Whether the provider's last word is still to come.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Created | Self::RequiresAction | Self::Processing)
    }

    /// Whether it ended without money: nothing was taken, or nothing of it is ours any more.
    pub const fn is_void(self) -> bool {
        matches!(self, Self::Failed | Self::Voided | Self::Expired)
    }

    /// Whether the money came, whatever went back since.
    pub const fn is_captured(self) -> bool {
        matches!(self, Self::Captured | Self::PartiallyRefunded | Self::Refunded)
    }

    /// Whether a payment may move from here to there: forward along the road, or to an end. What
    /// was captured can only be refunded or found in conflict; ends stay.
    pub fn may_become(self, next: Self) -> bool {
        let is_end =
            |status: Self| status.is_void() || matches!(status, Self::Refunded | Self::Conflicted);
        let captured = (self as u8) >= (Self::Captured as u8);
        match next {
            // What had ended without money, and then came after all.
            Self::Captured | Self::Conflicted if self.is_void() => true,
            _ if is_end(self) => false,
            Self::Failed | Self::Voided | Self::Expired => !captured,
            _ => (next as u8) > (self as u8),
        }
    }
}

/// The text names no status of a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be the status of a payment, like captured")]
pub struct UnknownPaymentStatus;

impl FromStr for PaymentStatus {
    type Err = UnknownPaymentStatus;

    fn from_str(text: &str) -> Result<Self, UnknownPaymentStatus> {
        Self::ALL.into_iter().find(|s| s.name() == text).ok_or(UnknownPaymentStatus)
    }
}

/// What a guest has to do so that a payment goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NextAction {
    /// The provider's script in the guest's browser goes on with this secret.
    Client { secret: String },
    /// The guest is led to this address.
    Redirect { url: String },
    /// The guest confirms on the phone.
    Phone,
}

/// Money of a payment that goes back. It is written down before the provider hears of it, under the
/// id that the provider's own record of it carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refund {
    pub id: RefundId,
    /// In minor units, above 0.
    pub amount: i64,
    pub state: RefundState,
}

/// Where a refund stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefundState {
    /// Written down; whether the provider has heard of it is not known.
    Requested,
    /// The provider has it, and will say how it ends.
    Submitted,
    Succeeded,
    /// The provider will not do it: the guest is owed the money, and people have to see to it.
    Failed,
}

impl RefundState {
    const ALL: [Self; 4] = [Self::Requested, Self::Submitted, Self::Succeeded, Self::Failed];

    /// The stored and shown name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Submitted => "submitted",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
        }
    }

    /// Whether how it ends is still to come.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Requested | Self::Submitted)
    }

    /// Whether a refund may move from here to there. What succeeded may still fail; what failed
    /// stays so, because people may have given the money back meanwhile.
    pub const fn may_become(self, next: Self) -> bool {
        match (self, next) {
            (Self::Requested, _) | (Self::Submitted, Self::Submitted) => true,
            (Self::Submitted, Self::Succeeded | Self::Failed) => true,
            (Self::Succeeded, Self::Failed) => true,
            (Self::Submitted | Self::Succeeded | Self::Failed, _) => false,
        }
    }
}

/// The text names no state of a refund.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be the state of a refund, like succeeded")]
pub struct UnknownRefundState;

impl FromStr for RefundState {
    type Err = UnknownRefundState;

    fn from_str(text: &str) -> Result<Self, UnknownRefundState> {
        Self::ALL.into_iter().find(|state| state.name() == text).ok_or(UnknownRefundState)
    }
}
