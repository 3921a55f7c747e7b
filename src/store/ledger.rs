//! One property's books, closed and compared: the list of events is the truth, and every other
//! table has to follow from it. It knows no SQL; rows come in, findings come out as sentences.

use super::calendar::StoredEvent;
use super::payments::Payment;
use domain::block::Blocks;
use domain::calendar::claims_of;
use domain::codec;
use domain::event::{Fact, Head, Seq};
use domain::payment::PaymentStatus;
use domain::rules::Overrides;
use domain::{BlockId, Booking, BookingId, Instant, Night, Property, PropertyId, Stay};
use sqlx::FromRow;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::Display;
use uuid::Uuid;

/// A row of `occupied_night`.
#[derive(FromRow)]
pub(super) struct NightFact {
    night: i32,
    booking_id: Uuid,
}

/// A row of `idempotency_key`.
#[derive(FromRow)]
pub(super) struct KeyFact {
    key: String,
    booking_id: Option<Uuid>,
    seq: Option<i64>,
}

/// One property as its events tell it.
pub(super) struct Ledger {
    property: PropertyId,
    told: Option<Property>,
    /// The event that tells the property as it is.
    told_by: Seq,
    head: Head,
    bookings: HashMap<BookingId, Booking>,
    overrides: Overrides,
    blocks: Blocks,
    /// Which booking each event is about.
    steps: HashMap<Seq, BookingId>,
    findings: Vec<String>,
}

impl Ledger {
    pub(super) fn new(property: PropertyId) -> Self {
        Self {
            property,
            told: None,
            told_by: 0,
            head: Head::default(),
            bookings: HashMap::new(),
            overrides: Overrides::new(),
            blocks: Blocks::new(),
            steps: HashMap::new(),
            findings: Vec::new(),
        }
    }

    pub(super) fn findings(self) -> Vec<String> {
        self.findings
    }

    fn find(&mut self, what: impl Display) {
        self.findings.push(format!("property {}: {what}", self.property));
    }

    /// Takes the next event: numbers have no gaps, and each hash covers the one before.
    pub(super) fn event(&mut self, stored: &StoredEvent) {
        let seq = stored.seq;
        let last = self.head.seq;
        if seq != last + 1 {
            self.find(format_args!("event {seq} follows event {last}"));
        }
        if stored.hash != self.head.hash.chain(&stored.bytes) {
            self.find(format_args!("the hash of event {seq} does not cover it"));
        }
        self.head = Head { seq, hash: stored.hash };
        let event = match codec::decode(&stored.bytes) {
            Ok(event) => event,
            Err(error) => return self.find(format_args!("event {seq} cannot be read: {error}")),
        };
        if event.seq != seq {
            self.find(format_args!("event {seq} says that it is number {}", event.seq));
        }
        match event.fact {
            Fact::PropertyCreated(property) | Fact::PropertyChanged(property) => {
                self.told = Some(property);
                self.told_by = seq;
            }
            Fact::Booking(_, booking) => {
                self.steps.insert(seq, booking.id);
                self.bookings.insert(booking.id, booking);
            }
            Fact::CalendarEdited(edited) => {
                edited.set_terms(&mut self.overrides);
                edited.set_blocks(&mut self.blocks);
            }
        }
    }

    /// The property's row says what its last event about it says and names that event, and the
    /// head is the last event.
    pub(super) fn facts(&mut self, row: Option<(Property, Seq)>, head: Head) {
        if head != self.head {
            let (says, is) = (head.seq, self.head.seq);
            self.find(format_args!("the head is at event {says}, the last event is {is}"));
        }
        match (&self.told, &row) {
            (None, _) => self.find("no event created it"),
            (_, None) => self.find("it has a calendar, but no row"),
            (Some(told), Some((row, _))) if told != row => {
                self.find("its row is not what events say");
            }
            (Some(_), Some((_, seq))) if *seq != self.told_by => {
                self.find("its row names another event than the one that made it so");
            }
            _ => {}
        }
    }

    /// The rows of bookings are what their last events say.
    pub(super) fn bookings(&mut self, rows: Vec<Booking>) {
        let mut missing: HashSet<BookingId> = self.bookings.keys().copied().collect();
        for row in rows {
            missing.remove(&row.id);
            match self.bookings.get(&row.id) {
                None => self.find(format_args!("no event tells of booking {}", row.id)),
                Some(told) if *told != row => {
                    self.find(format_args!("booking {} is not what its last event says", row.id));
                }
                Some(_) => {}
            }
            // A booking that became cheaper gave back the difference at once.
            let held: i64 = row.takings.iter().map(|taking| taking.held).sum();
            let is_sum = held == row.retained()
                && (0..=row.paid).contains(&row.refunded)
                && row.retained() <= row.total
                && row.price.total() == row.total;
            if row.offline && (row.paid != 0 || row.attempt.is_some()) {
                self.find(format_args!("booking {} was made offline and paid for here", row.id));
            }
            if !is_sum {
                self.find(format_args!("booking {} has impossible sums", row.id));
            }
        }
        for id in missing {
            self.find(format_args!("booking {id} has events, but no row"));
        }
    }

    /// Every night that a live booking claims is occupied by it, once, and no other night is.
    pub(super) fn nights(&mut self, rows: &[NightFact]) {
        let mut claims: BTreeMap<Night, BookingId> = BTreeMap::new();
        let mut overlaps = Vec::new();
        for (stay, claim) in self.bookings.values().flat_map(claims_of) {
            let Some(booking) = claim.booking() else { continue };
            for night in stay.each_night() {
                if let Some(other) = claims.insert(night, booking) {
                    overlaps.push((night, booking, other));
                }
            }
        }
        for (night, one, other) in overlaps {
            self.find(format_args!("the night of {night} belongs to {one} and {other}"));
        }
        for row in rows {
            let night = Night::from_days(row.night);
            let claimed = night.and_then(|night| claims.remove(&night));
            if claimed != Some(BookingId(row.booking_id)) {
                let day = night.map_or_else(|| row.night.to_string(), |night| night.to_string());
                let id = row.booking_id;
                self.find(format_args!(
                    "the night of {day} is occupied by {id}, which has no claim"
                ));
            }
        }
        for (night, booking) in claims {
            self.find(format_args!(
                "the night of {night} is not occupied, but {booking} claims it"
            ));
        }
    }

    /// What dates say, and the blocks, are what events made of them; no block lies over a booking.
    pub(super) fn dates(&mut self, overrides: &Overrides, blocks: &Blocks) {
        if *overrides != self.overrides {
            self.find("what its dates say is not what events say");
        }
        if *blocks != self.blocks {
            self.find("its blocks are not those that events made");
        }
        let claimed: Vec<Stay> = self.bookings.values().flat_map(claims_of).map(|c| c.0).collect();
        let over: Vec<BlockId> = blocks
            .values()
            .filter(|block| claimed.iter().any(|stay| stay.conflicts(block.nights)))
            .map(|block| block.id)
            .collect();
        for block in over {
            self.find(format_args!("block {block} lies over a booking"));
        }
    }

    /// The nearest deadline is the one that the sweep waits for, or a night would stay held.
    pub(super) fn deadline(&mut self, stored: Option<i64>) {
        let nearest = self.bookings.values().filter_map(Booking::deadline).min();
        if stored.map(Instant::from_micros) != nearest {
            self.find("the stored deadline is not the nearest one of its bookings");
        }
    }

    /// Every key names an event that is there and is about the key's booking.
    pub(super) fn keys(&mut self, rows: &[KeyFact]) {
        for row in rows {
            let resolves = match (row.booking_id, row.seq) {
                (Some(booking), Some(seq)) => self.steps.get(&seq) == Some(&BookingId(booking)),
                (None, Some(seq)) => (1..=self.head.seq).contains(&seq),
                (_, None) => false,
            };
            if !resolves {
                self.find(format_args!("the key {:?} names an event that is not its own", row.key));
            }
        }
    }

    /// Bookings whose guests have no account.
    pub(super) fn strangers(&mut self, bookings: impl Iterator<Item = BookingId>) {
        for booking in bookings {
            self.find(format_args!("the guest of booking {booking} has no account"));
        }
    }

    /// Money is conserved: what payments hold is what their booking says was paid and not given
    /// back. A booking is compared when no job is about any of its payments.
    pub(super) fn payments(&mut self, payments: &[Payment], busy: &HashSet<Uuid>) {
        let mut held: HashMap<BookingId, i64> = HashMap::new();
        let mut open: HashSet<BookingId> = HashSet::new();
        for payment in payments {
            if !self.bookings.contains_key(&payment.booking) {
                self.find(format_args!("payment {} is for no booking", payment.id));
            }
            if !(0..=payment.amount).contains(&payment.refunded) {
                self.find(format_args!("payment {} gave back more than it had", payment.id));
            }
            if busy.contains(&payment.id.0) {
                open.insert(payment.booking);
            }
            *held.entry(payment.booking).or_default() += holds(payment);
        }
        let ids: HashSet<_> = payments.iter().map(|payment| payment.id).collect();
        let mut wrong = Vec::new();
        for booking in self.bookings.values() {
            if let Some(attempt) = booking.attempt
                && !ids.contains(&attempt.payment)
            {
                wrong.push(format!("booking {} names a payment that is not there", booking.id));
            }
            let held = held.get(&booking.id).copied().unwrap_or(0);
            let kept = booking.paid - booking.refunded;
            if held != kept && !open.contains(&booking.id) {
                let id = booking.id;
                wrong.push(format!("booking {id} kept {kept}, but its payments hold {held}"));
            }
        }
        for what in wrong {
            self.find(what);
        }
    }
}

/// What of a payment is with us or promised, in minor units. A payment in conflict is counted
/// nowhere: it was never taken for the booking.
const fn holds(payment: &Payment) -> i64 {
    match payment.status {
        PaymentStatus::Authorized | PaymentStatus::Captured | PaymentStatus::PartiallyRefunded => {
            payment.amount - payment.refunded
        }
        _ => 0,
    }
}
