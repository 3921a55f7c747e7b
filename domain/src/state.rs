//! A property as its events have made it: what decisions read and what events change.

use crate::block::{Block, Blocks};
use crate::booking::{Booking, Cause};
use crate::calendar::{Calendar, claims_of};
use crate::command::{Command, Intent, Key, KeyUse};
use crate::edit::Edited;
use crate::event::{By, Event, EventHash, Fact, Head, Sealed, Seq};
use crate::group::{CalendarRows, Group, GroupId, Incarnation, NO_COMMAND, PaymentRow, Subject};
use crate::group::{Job, JobKind};
use crate::keys::KeyRing;
use crate::property::Edit;
use crate::refusal::Hold;
use crate::rules::Overrides;
use crate::settlement::Wish;
use crate::snapshot::{Layers, Public, Snapshot};
use crate::switches::{Bug, Switches};
use crate::{BookingId, Instant, Night, PaymentId, Property, Status, Stay, UserId};
use foldhash::{HashMap, HashMapExt as _};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// What the operator sets for all properties.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// How long a booking that waits for payment keeps its nights: 15 minutes by default.
    pub hold_ttl: Duration,
    /// How much longer an open payment attempt keeps them: 2 minutes by default.
    pub release_ttl: Duration,
    /// Whether other processes may write to the same database: refusals are then released only
    /// after a look at the property's head.
    pub shared: bool,
    /// Whether a guest has at most one pending booking of a property.
    pub one_pending_each: bool,
    pub switches: Switches,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            hold_ttl: Duration::from_secs(15 * 60),
            release_ttl: Duration::from_secs(2 * 60),
            shared: false,
            one_pending_each: true,
            switches: Switches::default(),
        }
    }
}

/// What the store has of a property, read in one snapshot.
#[derive(Clone, Debug)]
pub struct Stored {
    pub property: Property,
    /// The event that made the property as it is.
    pub property_seq: Seq,
    pub head: Head,
    pub overrides: Overrides,
    pub blocks: Blocks,
    /// Every booking that occupies nights or has money, and every expired one that may still be paid.
    pub bookings: Vec<Booking>,
    pub keys: Vec<KeyUse>,
}

/// A property with everything that its decisions read.
#[derive(Clone, Debug)]
pub struct State {
    pub settings: Settings,
    pub property: Arc<Property>,
    /// The event that made the property as it is.
    pub property_seq: Seq,
    pub head: Head,
    pub overrides: Arc<Overrides>,
    pub blocks: Arc<Blocks>,
    pub calendar: Calendar,
    /// Each by itself: in the table they would be moved, and twice their room be cleared, each time
    /// that it grows.
    bookings: HashMap<BookingId, Arc<Booking>>,
    deadlines: BTreeSet<(Instant, BookingId)>,
    keys: KeyRing,
}

/// The step that an event tells of, before it has a number.
pub(crate) struct Draft {
    pub by: By,
    pub command: Uuid,
    pub cause: Cause,
    pub after: Booking,
    pub key: Option<Key>,
    pub payment: Option<PaymentRow>,
    /// What takes the place of the booking's nights, as a second event.
    pub block: Option<Block>,
}

impl Draft {
    pub(crate) fn of(command: &Command, cause: Cause, after: Booking, now: Instant) -> Self {
        let payment = match &command.intent {
            Intent::StartAttempt { payment, provider, method, return_url, .. }
                if cause == Cause::AttemptStarted =>
            {
                Some(PaymentRow {
                    payment: *payment,
                    booking: after.id,
                    provider: Arc::clone(provider),
                    method: Arc::clone(method),
                    return_url: Arc::clone(return_url),
                    amount: after.due(),
                    currency: after.currency,
                    created_at: now,
                })
            }
            _ => None,
        };
        let key = command.key.clone();
        Self { by: command.by, command: command.id, cause, after, key, payment, block: None }
    }

    pub(crate) fn by_clock(cause: Cause, after: Booking) -> Self {
        let (command, key, payment, block) = (NO_COMMAND, None, None, None);
        Self { by: By::Clock, command, cause, after, key, payment, block }
    }
}

impl State {
    /// Builds the state from what is stored.
    pub fn load(stored: Stored, settings: Settings) -> Self {
        let mut state = Self {
            settings,
            property: Arc::new(stored.property),
            property_seq: stored.property_seq,
            head: stored.head,
            overrides: Arc::new(stored.overrides),
            blocks: Arc::new(Blocks::new()),
            calendar: Calendar::default(),
            bookings: HashMap::with_capacity(stored.bookings.len()),
            deadlines: BTreeSet::new(),
            keys: KeyRing::default(),
        };
        let forget = settings.switches.has(Bug::ForgetPending);
        for booking in stored.bookings {
            if !(forget && matches!(booking.status, Status::Pending { .. })) {
                state.put(booking);
            }
        }
        for used in stored.keys {
            state.keys.put(used);
        }
        let blocked = stored.blocks.into_values().collect();
        state.apply(&Edited { blocked, ..Edited::default() });
        state
    }

    /// The booking of this id, if it still matters to decisions.
    pub fn booking(&self, id: BookingId) -> Option<&Booking> {
        self.bookings.get(&id).map(|booking| &**booking)
    }

    /// The pending booking that this guest has here; of several the one that ends last.
    pub(crate) fn hold_of(&self, guest: UserId, now: Instant) -> Option<Hold> {
        let of_guest = self.bookings.values().filter(|booking| booking.guest == guest);
        let holds = of_guest.filter_map(|booking| {
            Some(Hold { booking: booking.id, until: booking.status.expires_at()? })
        });
        holds.filter(|hold| now < hold.until).max_by_key(|hold| (hold.until, hold.booking))
    }

    /// What a caller's key stands for.
    pub fn key(&self, caller: UserId, text: &Arc<str>) -> Option<&KeyUse> {
        self.keys.get(caller, text)
    }

    /// The nearest instant at which the clock has something to do here.
    pub fn next_deadline(&self) -> Option<Instant> {
        self.deadlines.first().map(|(at, _)| *at)
    }

    /// The booking whose deadline passed first, if any has at `now`.
    pub fn overdue(&self, now: Instant) -> Option<BookingId> {
        let (at, id) = *self.deadlines.first()?;
        let alive =
            if self.settings.switches.has(Bug::DeadlineClosed) { now <= at } else { now < at };
        (!alive).then_some(id)
    }

    /// This state as readers see it, once it is durable.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        Arc::new(Snapshot {
            property: Arc::clone(&self.property),
            head: self.head,
            overrides: Arc::clone(&self.overrides),
            blocks: Arc::clone(&self.blocks),
            calendar: self.calendar.clone(),
        })
    }

    /// Takes in an event that was decided before: what is left is what deciding it left.
    pub(crate) fn replay(&mut self, event: &Event, hash: EventHash) {
        match &event.fact {
            Fact::PropertyCreated(property) | Fact::PropertyChanged(property) => {
                self.property = Arc::new(property.clone());
                self.property_seq = event.seq;
            }
            Fact::Booking(_, booking) => self.put(booking.clone()),
            Fact::CalendarEdited(edited) => {
                self.apply(edited);
            }
        }
        self.head = Head { seq: event.seq, hash };
    }

    /// Gives a step its number, applies it, and returns what must be written.
    pub(crate) fn seal(&mut self, draft: Draft, incarnation: Incarnation, now: Instant) -> Group {
        let Draft { by, command, cause, after, key, payment, block } = draft;
        let before = self.bookings.get(&after.id).cloned();
        let before = before.as_deref();
        let public = self.calendar.replace(before, &after);
        let fact = Fact::Booking(cause, after.clone());
        let (base, sealed) = self.append((by, command), fact, Public::of(public), now);
        let key = key.map(|key| KeyUse { key, booking: after.id, seq: self.head.seq, at: now });
        if let Some(used) = &key {
            self.keys.put(used.clone());
        }
        let (claimed, released) = claim_difference(before, &after);
        let mut events = vec![sealed];
        let calendar = block.map(|block| {
            let edited = Edited { blocked: vec![block], ..Edited::default() };
            let public = self.apply(&edited);
            let fact = Fact::CalendarEdited(edited.clone());
            events.push(self.append((by, command), fact, public, now).1);
            Arc::new(CalendarRows { edited, notes: Vec::new() })
        });
        let head = self.head;
        let jobs = jobs(cause, before, &after, head, now);
        let after = Arc::new(after);
        self.put_booking(Arc::clone(&after));
        let subject = Subject::Booking(after);
        let group = self.group(base, events, subject, incarnation);
        Group { calendar, claimed, released, key, payment, jobs, ..group }
    }

    /// Gives an edit of the property its number, applies it, and returns what must be written.
    pub(crate) fn seal_edit(
        &mut self,
        command: &Command,
        edit: &Arc<Edit>,
        incarnation: Incarnation,
        now: Instant,
    ) -> Group {
        let fact = Fact::PropertyChanged(edit.facts.clone());
        let (base, sealed) = self.append((command.by, command.id), fact, Public::default(), now);
        let head = self.head;
        self.property = Arc::new(edit.facts.clone());
        self.property_seq = head.seq;
        self.group(base, vec![sealed], Subject::Property(Arc::clone(edit)), incarnation)
    }

    /// Gives an edit of the calendar its number, applies it, and returns what must be written.
    pub(crate) fn seal_calendar(
        &mut self,
        command: &Command,
        rows: CalendarRows,
        incarnation: Incarnation,
        now: Instant,
    ) -> Group {
        let public = self.apply(&rows.edited);
        let fact = Fact::CalendarEdited(rows.edited.clone());
        let (base, sealed) = self.append((command.by, command.id), fact, public, now);
        let group = self.group(base, vec![sealed], Subject::Calendar, incarnation);
        Group { calendar: Some(Arc::new(rows)), ..group }
    }

    /// The events since `base` as a group that writes nothing else yet but its subject.
    fn group(
        &self,
        base: Head,
        events: Vec<Sealed>,
        subject: Subject,
        incarnation: Incarnation,
    ) -> Group {
        let (property, head) = (self.property.id, self.head);
        Group {
            id: GroupId { property, incarnation, number: head.seq.unsigned_abs() },
            property,
            base,
            head,
            events,
            subject,
            calendar: None,
            claimed: Vec::new(),
            released: Vec::new(),
            key: None,
            payment: None,
            jobs: Vec::new(),
            next_deadline: self.next_deadline(),
        }
    }

    fn apply(&mut self, edited: &Edited) -> Public {
        let Self { property, overrides, blocks, calendar, .. } = self;
        Layers { overrides, blocks, calendar }.apply(edited, property)
    }

    /// Adds the next event to the chain: the head before it, and the event as it is stored.
    fn append(
        &mut self,
        (by, command): (By, Uuid),
        fact: Fact,
        public: Public,
        now: Instant,
    ) -> (Head, Sealed) {
        let base = self.head;
        let Public { changes, offers, digests } = public;
        let seq = base.seq + 1;
        let event = Event { seq, at: now, by, command, fact, changes, offers, digests };
        let sealed = Sealed::after(base.hash, event);
        self.head = Head { seq: sealed.event.seq, hash: sealed.hash };
        (base, sealed)
    }

    /// The bookings that have not ended, in the order of their ids.
    pub(crate) fn live_bookings(&self) -> Vec<BookingId> {
        let live = self.bookings.values().filter(|booking| booking.status.is_live());
        let mut ids: Vec<BookingId> = live.map(|booking| booking.id).collect();
        ids.sort_unstable();
        ids
    }

    /// Adds a stored booking: its claims, its deadline and itself.
    fn put(&mut self, booking: Booking) {
        let before = self.bookings.get(&booking.id);
        self.calendar.replace(before.map(|before| &**before), &booking);
        self.put_booking(Arc::new(booking));
    }

    fn put_booking(&mut self, booking: Arc<Booking>) {
        if let Some(before) = self.bookings.remove(&booking.id)
            && let Some(at) = before.deadline()
        {
            self.deadlines.remove(&(at, before.id));
        }
        if let Some(at) = booking.deadline() {
            self.deadlines.insert((at, booking.id));
        }
        if matters(&booking) {
            self.bookings.insert(booking.id, booking);
        }
    }

    /// Frees a booking's nights and forgets it without an event: what the planted bug does.
    pub(crate) fn drop_silently(&mut self, mut booking: Booking) {
        booking.status = Status::Expired;
        booking.attempt = None;
        self.put(booking);
    }
}

/// Whether a booking can still change, occupies nights or has money: only those are kept in memory.
pub fn matters(booking: &Booking) -> bool {
    claims_of(booking).next().is_some()
        || booking.retained() > 0
        || (booking.status == Status::Expired && booking.attempt.is_some())
}

/// The nights that a step claims, and those that it gives up.
pub(crate) fn claim_difference(
    before: Option<&Booking>,
    after: &Booking,
) -> (Vec<Night>, Vec<Night>) {
    fn stays(of: Option<&Booking>) -> impl Iterator<Item = Stay> {
        of.into_iter().flat_map(claims_of).map(|(stay, _)| stay)
    }
    let without = |of, other| -> Vec<Night> {
        let inside = |night: &Night| stays(other).any(|stay| stay.has(*night));
        stays(of).flat_map(Stay::each_night).filter(|night| !inside(night)).collect()
    };
    (without(Some(after), before), without(before, Some(after)))
}

/// The work that a step causes: a job for each payment of which the booking wants something else
/// than before.
fn jobs(
    cause: Cause,
    before: Option<&Booking>,
    after: &Booking,
    head: Head,
    now: Instant,
) -> Vec<Job> {
    let mut payments: Vec<PaymentId> = Vec::new();
    for booking in [Some(after), before].into_iter().flatten() {
        let taken = booking.takings.iter().map(|taking| taking.payment);
        for payment in booking.attempt.map(|attempt| attempt.payment).into_iter().chain(taken) {
            if !payments.contains(&payment) {
                payments.push(payment);
            }
        }
    }
    let job = |(number, payment)| {
        let wanted = before.map_or(Wish::Nothing, |before| before.wish(payment));
        let kind = work(cause, wanted, after.wish(payment))?;
        Some(Job { id: Job::id_of(head, number), kind, payment, run_at: now })
    };
    (0..).zip(payments).filter_map(job).collect()
}

/// What is to be done about a payment of which this is wanted instead of that.
const fn work(cause: Cause, wanted: Wish, wants: Wish) -> Option<JobKind> {
    match (wanted, wants) {
        (Wish::Open, Wish::Open) => None,
        (_, Wish::Open) => Some(JobKind::CreateIntent),
        // The provider said so itself.
        (Wish::Open, Wish::Nothing) if matches!(cause, Cause::AttemptEnded) => None,
        (Wish::Open, Wish::Leave | Wish::Nothing) => Some(JobKind::CancelIntent),
        (Wish::Keep(was) | Wish::Promise(was), Wish::Keep(is) | Wish::Promise(is)) if is < was => {
            Some(JobKind::Refund { amount: was - is })
        }
        (Wish::Keep(was) | Wish::Promise(was), Wish::Nothing) => {
            Some(JobKind::Refund { amount: was })
        }
        (Wish::Keep(_), Wish::Keep(_)) => None,
        (_, Wish::Keep(_)) => Some(JobKind::Capture),
        _ => None,
    }
}

/// The seq before the first event.
pub const NO_SEQ: Seq = 0;
