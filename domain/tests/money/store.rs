//! What is durable: the bookings as they stand, the payments as they are recorded, and the work.

use crate::provider::{Kind, Said};
use domain::block::Blocks;
use domain::event::{Head, Seq};
use domain::group::Group;
use domain::payment::{PaymentStatus, Refund, RefundState};
use domain::rules::Overrides;
use domain::settlement::Record;
use domain::state::{Stored, matters};
use domain::{Booking, BookingId, Instant, PaymentId, Property, RefundId};
use std::collections::BTreeMap;

/// A payment's row.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) record: Record,
    pub(crate) kind: Kind,
    /// When the provider was asked for the money last, or a little earlier.
    pub(crate) asked_at: Option<Instant>,
    /// Whether the last worker at it came to rest, and nobody has begun since. What is looked at
    /// by the oracle only.
    pub(crate) rests: bool,
}

/// Why a worker looks at a payment.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Why {
    /// A step of its booking.
    Step,
    /// Something that its provider, or somebody else, said.
    Event { said: Said, forged: bool },
}

/// Work that waits, until a worker that did it comes to rest.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Work {
    pub(crate) number: u64,
    pub(crate) payment: PaymentId,
    pub(crate) run_at: Instant,
    pub(crate) why: Why,
}

/// Everything that is durable.
#[derive(Debug)]
pub(crate) struct Store {
    property: Property,
    property_seq: Seq,
    head: Head,
    blocks: Blocks,
    pub(crate) bookings: BTreeMap<BookingId, Booking>,
    pub(crate) rows: BTreeMap<PaymentId, Row>,
    pub(crate) work: Vec<Work>,
    /// What our own books say that the providers have for us, in minor units.
    pub(crate) ledger: BTreeMap<PaymentId, i64>,
    /// When each refund was sent last, or a little earlier.
    pub(crate) sent: BTreeMap<RefundId, Instant>,
    numbers: u64,
}

impl Store {
    pub(crate) fn new(property: Property) -> Self {
        Self {
            property,
            property_seq: 1,
            head: Head::default(),
            blocks: Blocks::new(),
            bookings: BTreeMap::new(),
            rows: BTreeMap::new(),
            work: Vec::new(),
            ledger: BTreeMap::new(),
            sent: BTreeMap::new(),
            numbers: 0,
        }
    }

    /// What a process reads when it begins.
    pub(crate) fn stored(&self) -> Stored {
        Stored {
            property: self.property.clone(),
            property_seq: self.property_seq,
            head: self.head,
            overrides: Overrides::default(),
            blocks: self.blocks.clone(),
            bookings: self.bookings.values().filter(|b| matters(b)).cloned().collect(),
            keys: Vec::new(),
        }
    }

    /// Writes a group, all of it at once.
    pub(crate) fn write(&mut self, group: &Group) {
        self.head = group.head;
        if let Some(booking) = group.booking() {
            self.bookings.insert(booking.id, booking.clone());
        }
        if let Some(rows) = &group.calendar {
            rows.edited.set_blocks(&mut self.blocks);
        }
        if let Some(row) = &group.payment {
            let kind = if &*row.provider == "phone" { Kind::Phone } else { Kind::Card };
            let record = Record {
                payment: row.payment,
                booking: row.booking,
                amount: row.amount,
                currency: row.currency,
                status: PaymentStatus::Created,
                asked: false,
                disowned: false,
                refunds: Vec::new(),
            };
            self.rows.insert(row.payment, Row { record, kind, asked_at: None, rests: true });
        }
        for job in &group.jobs {
            self.add_work(job.payment, job.run_at, Why::Step);
        }
    }

    pub(crate) fn add_work(&mut self, payment: PaymentId, run_at: Instant, why: Why) {
        self.numbers += 1;
        self.work.push(Work { number: self.numbers, payment, run_at, why });
    }

    /// A payment with its booking, as both stand.
    pub(crate) fn read(&self, payment: PaymentId) -> Option<(&Booking, &Row)> {
        let row = self.rows.get(&payment)?;
        Some((self.bookings.get(&row.record.booking)?, row))
    }

    /// Writes down that the money came.
    pub(crate) fn book(&mut self, payment: PaymentId) {
        let Some(row) = self.rows.get_mut(&payment) else { return };
        row.record.status = PaymentStatus::Captured;
        *self.ledger.entry(payment).or_default() += row.record.amount;
    }

    /// Writes down how a refund stands, with the books where it ended well.
    pub(crate) fn write_refund(&mut self, payment: PaymentId, refund: Refund) {
        let Some(Row { record, .. }) = self.rows.get_mut(&payment) else { return };
        let Some(mine) = record.refunds.iter_mut().find(|mine| mine.id == refund.id) else {
            return;
        };
        let is_new = mine.state != refund.state;
        mine.state = refund.state;
        if refund.state == RefundState::Succeeded && is_new {
            *self.ledger.entry(payment).or_default() -= refund.amount;
            let status = if back(record, RefundState::Succeeded) == record.amount {
                PaymentStatus::Refunded
            } else {
                PaymentStatus::PartiallyRefunded
            };
            if record.status.may_become(status) {
                record.status = status;
            }
        }
    }
}

/// What of a payment went back, or did not, in minor units.
pub(crate) fn back(record: &Record, state: RefundState) -> i64 {
    let refunds = record.refunds.iter().filter(|refund| refund.state == state);
    refunds.map(|refund| refund.amount).sum()
}
