//! Admission: how many commands may be on their way at once, per property and per node.
//!
//! A mailbox is no bound, so commands are counted before they are sent. A permit is also the
//! command's slot in its lane: it is given back when the command has its answer, so that whatever
//! was decided has room to be committed.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Commands on their way to one property.
const PER_PROPERTY: usize = 2_048;
/// Commands on their way on this node.
pub(super) const PER_NODE: usize = 8_192;
/// An eighth of the node's room is kept for what frees nights or settles money.
const PER_NODE_ORDINARY: usize = PER_NODE - PER_NODE / 8;

/// Whether a command may use the room that is kept free.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Urgency {
    /// New bookings and new payments.
    Ordinary,
    /// Confirmations, cancellations and the ends of attempts.
    Urgent,
}

/// A bounded count.
#[derive(Debug, Default)]
pub(super) struct Count(AtomicUsize);

impl Count {
    fn take(&self, most: usize) -> bool {
        let before = self.0.fetch_add(1, Ordering::Relaxed);
        if before >= most {
            self.0.fetch_sub(1, Ordering::Relaxed);
        }
        before < most
    }

    fn give_back(&self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Room for one command, given back when dropped.
#[derive(Debug)]
pub(super) struct Permit {
    property: Arc<Count>,
    node: Arc<Count>,
}

impl Permit {
    /// Room for a command, or `None` when the property or the node is full.
    pub(super) fn take(property: &Arc<Count>, node: &Arc<Count>, urgency: Urgency) -> Option<Self> {
        let most = match urgency {
            Urgency::Ordinary => PER_NODE_ORDINARY,
            Urgency::Urgent => PER_NODE,
        };
        if !node.take(most) {
            return None;
        }
        if !property.take(PER_PROPERTY) {
            node.give_back();
            return None;
        }
        Some(Self { property: Arc::clone(property), node: Arc::clone(node) })
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.property.give_back();
        self.node.give_back();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_bounded_per_property_and_per_node_and_comes_back() {
        let node = Arc::new(Count::default());
        let first = Arc::new(Count::default());
        let full: Vec<_> = std::iter::from_fn(|| Permit::take(&first, &node, Urgency::Ordinary))
            .take(PER_NODE)
            .collect();
        assert_eq!(full.len(), PER_PROPERTY);
        let mut others = Vec::new();
        while let Some(permit) = Permit::take(&Arc::new(Count::default()), &node, Urgency::Ordinary)
        {
            others.push(permit);
        }
        assert_eq!(full.len() + others.len(), PER_NODE_ORDINARY);
        let other = Arc::new(Count::default());
        assert!(Permit::take(&other, &node, Urgency::Urgent).is_some(), "room is kept");
        drop(full);
        assert!(Permit::take(&first, &node, Urgency::Ordinary).is_some(), "room comes back");
    }
}
