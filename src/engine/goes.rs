//! Which payments this process is settling at this moment, and of which its provider said something
//! meanwhile.
//!
//! Most of what a provider tells is the echo of what it was just asked. Who hears of a payment that is
//! being settled here need not keep it: the worker that is at it looks once more before it is done,
//! and if it dies before that, its job is still there.

use domain::PaymentId;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The payments that are being settled, each with whether something was said of it.
#[derive(Clone, Debug, Default)]
pub struct Goes(Arc<Mutex<HashMap<PaymentId, bool>>>);

/// One payment that is being settled; it ends when this is dropped.
#[derive(Debug)]
pub(super) struct Going {
    goes: Goes,
    payment: PaymentId,
}

impl Goes {
    fn locked(&self) -> MutexGuard<'_, HashMap<PaymentId, bool>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn begin(&self, payment: PaymentId) -> Going {
        self.locked().insert(payment, false);
        Going { goes: self.clone(), payment }
    }

    /// Something was said of this payment; whether somebody here will look at it.
    pub(super) fn hear(&self, payment: PaymentId) -> bool {
        self.locked().get_mut(&payment).map(|heard| *heard = true).is_some()
    }
}

impl Going {
    /// Whether something was said since the last time. Where nothing was, whatever comes from now on
    /// is kept by who hears it.
    pub(super) fn has_heard(&self) -> bool {
        let mut going = self.goes.locked();
        match going.get_mut(&self.payment) {
            Some(heard) if *heard => {
                *heard = false;
                true
            }
            _ => {
                going.remove(&self.payment);
                false
            }
        }
    }
}

impl Drop for Going {
    fn drop(&mut self) {
        self.goes.locked().remove(&self.payment);
    }
}
