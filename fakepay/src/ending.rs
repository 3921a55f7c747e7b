//! How pending payments and refunds end when somebody else than their customer decides.

use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Ending {
    Paid,
    Failed,
}

/// There is no such payment or refund, or it is at its end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NotPending;
