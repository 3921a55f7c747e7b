//! What a property's events say, folded naively: the model that everything else is compared with.
//!
//! It reads the stored bytes and nothing else, and shares no rule with the machines: which nights a
//! booking occupies, which step may follow which and what the public sees are written down here a
//! second time, as plainly as possible.

use domain::block::Block;
use domain::booking::Cause;
use domain::calendar::{Claim, NightState};
use domain::codec;
use domain::edit::Edited;
use domain::event::{By, Event, EventHash, Fact, Head, Sealed, Seq};
use domain::snapshot::Snapshot;
use domain::{Awaiting, BlockId, Booking, BookingId, Instant, Month, Night, Status, Stay};
use std::collections::{HashMap, HashSet};
use std::time::Duration;
use uuid::Uuid;

/// A rule that does not hold, in words.
pub(crate) type Checked<T = ()> = Result<T, String>;

/// A booking as it stood from the moment at which that was durable until the first moment at which
/// anybody could know of the next version.
#[derive(Clone, Debug)]
pub(crate) struct Version {
    pub(crate) from: Instant,
    pub(crate) seq: Seq,
    /// The event that made the next version.
    pub(crate) ended_by: Option<Seq>,
    pub(crate) booking: Booking,
}

/// A block, from the moment at which it was durable until anybody could know of its end.
#[derive(Clone, Copy, Debug)]
struct Blocked {
    nights: Stay,
    from: Instant,
    ended_by: Option<Seq>,
}

/// Who holds a night, and what the public sees of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Holder {
    booking: BookingId,
    state: NightState,
}

/// What stands for a night that the host keeps.
const BLOCKED: Holder = Holder { booking: BookingId(Uuid::nil()), state: NightState::Blocked };

/// One property's history.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    pub(crate) head: Head,
    pub(crate) bookings: HashMap<BookingId, Vec<Version>>,
    /// The number of the event of each command.
    pub(crate) commands: HashMap<Uuid, i64>,
    nights: HashMap<Night, Holder>,
    blocks: HashMap<BlockId, Blocked>,
    /// The nights as somebody sees them who knows nothing but the events' changes.
    public: HashMap<Night, NightState>,
    last_at: Instant,
    /// When each event was published first.
    told_at: Vec<Instant>,
    hashes: Vec<EventHash>,
    /// A fingerprint of the held nights after each event.
    prints: Vec<u64>,
}

macro_rules! ensure {
    ($holds:expr, $($text:tt)+) => {
        if !$holds {
            return Err(format!($($text)+));
        }
    };
}
pub(crate) use ensure;

impl Ledger {
    /// Takes the next event of the store.
    pub(crate) fn absorb(&mut self, sealed: &Sealed, now: Instant) -> Checked {
        let hash = self.head.hash.chain(&sealed.bytes);
        ensure!(hash == sealed.hash, "the chain is broken at {}", sealed.event.seq);
        let event = codec::decode(&sealed.bytes).map_err(|error| error.to_string())?;
        ensure!(event == sealed.event, "the bytes of {} say something else", event.seq);
        let seq = self.head.seq + 1;
        ensure!(event.seq == seq, "event {} stands at {seq}", event.seq);
        ensure!(self.last_at <= event.at, "event {seq} was decided before the one before it");
        if !event.command.is_nil() {
            let before = *self.commands.entry(event.command).or_insert(seq);
            // A host who gives a booking up blocks its nights in the same breath.
            let follows = before == seq - 1 && matches!(event.fact, Fact::CalendarEdited(_));
            ensure!(before == seq || follows, "one command has two events, {before} and {seq}");
        }
        match &event.fact {
            Fact::PropertyCreated(_) => ensure!(seq == 1, "a property was created at {seq}"),
            Fact::PropertyChanged(_) => ensure!(seq > 1, "a property was changed at {seq}"),
            Fact::Booking(cause, after) => self.take_step(&event, *cause, after, now)?,
            Fact::CalendarEdited(edited) => self.take_blocks(&event, edited, now)?,
        }
        self.head = Head { seq, hash };
        self.last_at = event.at;
        self.hashes.push(hash);
        let print = self.nights.iter().fold(0, |print, (n, h)| print ^ fingerprint(*n, *h));
        let print = self.blocked().fold(print, |print, n| print ^ fingerprint(n, BLOCKED));
        self.prints.push(print);
        Ok(())
    }

    fn take_blocks(&mut self, event: &Event, edited: &Edited, now: Instant) -> Checked {
        for id in &edited.unblocked {
            let block = self.blocks.get_mut(id).ok_or(format!("{id} was no block"))?;
            ensure!(block.ended_by.is_none(), "{id} was gone at {}", event.seq);
            block.ended_by = Some(event.seq);
        }
        for block in &edited.blocked {
            let Block { id, nights, .. } = *block;
            let before = self.blocks.insert(id, Blocked { nights, from: now, ended_by: None });
            ensure!(before.is_none_or(|b| b.ended_by.is_some()), "{id} is blocked twice");
            let taken = nights.each_night().find(|night| self.nights.contains_key(night));
            ensure!(taken.is_none(), "{id} blocks {taken:?}, which is booked");
        }
        let gone = edited.unblocked.iter().map(|id| self.blocks[id].nights);
        let touched: Vec<Stay> =
            edited.blocked.iter().map(|block| block.nights).chain(gone).collect();
        self.check_public(event, touched.into_iter())
    }

    /// The nights that are blocked now.
    fn blocked(&self) -> impl Iterator<Item = Night> {
        let live = self.blocks.values().filter(|block| block.ended_by.is_none());
        live.flat_map(|block| block.nights.each_night()).collect::<HashSet<_>>().into_iter()
    }

    /// Whether a night was blocked at a moment from `asked` to `now`.
    pub(crate) fn was_blocked(&self, night: Night, asked: Instant, now: Instant) -> bool {
        self.blocks.values().any(|block| {
            let over = block.ended_by.is_some_and(|seq| self.was_told(seq, asked));
            block.nights.has(night) && block.from <= now && !over
        })
    }

    /// Whether there ever was such a block.
    pub(crate) fn had_block(&self, id: BlockId) -> bool {
        self.blocks.contains_key(&id)
    }

    fn take_step(&mut self, event: &Event, cause: Cause, after: &Booking, now: Instant) -> Checked {
        let before = self.newest(after.id).cloned();
        let version = before.as_ref().map_or(1, |before| before.version + 1);
        ensure!(after.version == version, "{:?} skips from version {version}", after);
        ensure!(
            follows(before.as_ref(), cause, after, event),
            "{cause:?} by {:?} at {} leads from {before:?} to {after:?}",
            event.by,
            event.at
        );
        if before.is_some() {
            self.nights.retain(|_, holder| holder.booking != after.id);
        }
        for (night, state) in nights_of(after) {
            let holder = Holder { booking: after.id, state };
            if let Some(other) = self.nights.insert(night, holder) {
                return Err(format!("{night} belongs to {other:?} and to {after:?}"));
            }
        }
        let both = before.as_ref().into_iter().chain([after]);
        let touched = both.flat_map(|b| [Some(b.stay), requested(b)]).flatten();
        self.check_public(event, touched)?;
        let seq = event.seq;
        let versions = self.bookings.entry(after.id).or_default();
        if let Some(last) = versions.last_mut() {
            last.ended_by = Some(seq);
        }
        versions.push(Version { from: now, seq, ended_by: None, booking: after.clone() });
        Ok(())
    }

    /// Whoever applies an event's changes sees what is so, and its digests agree.
    fn check_public(&mut self, event: &Event, touched: impl Iterator<Item = Stay>) -> Checked {
        for change in &event.changes {
            for days in change.from.days()..change.to.days() {
                let night = Night::from_days(days).ok_or("a change names no night")?;
                self.public.insert(night, change.state);
            }
        }
        for night in touched.flat_map(Stay::each_night) {
            let (seen, held) = (self.seen(night), self.held(night));
            ensure!(seen == held, "after {} {night} looks {seen:?}, is {held:?}", event.seq);
        }
        for (month, digest) in &event.digests {
            let expected = self.digest(*month);
            ensure!(digest.0 == expected, "the digest of {month} is wrong at {}", event.seq);
        }
        let told = |night: Night| event.digests.iter().any(|(m, _)| *m == night.in_month().0);
        let silent = event.changes.iter().find(|change| !told(change.from));
        ensure!(silent.is_none(), "{silent:?} has no digest");
        Ok(())
    }

    fn seen(&self, night: Night) -> NightState {
        self.public.get(&night).copied().unwrap_or(NightState::Available)
    }

    fn held(&self, night: Night) -> NightState {
        let blocked = || {
            let live = |block: &Blocked| block.ended_by.is_none() && block.nights.has(night);
            self.blocks.values().any(live)
        };
        match self.nights.get(&night) {
            Some(holder) => holder.state,
            None if blocked() => NightState::Blocked,
            None => NightState::Available,
        }
    }

    /// CRC-32 as the standard writes it, bit by bit.
    fn digest(&self, month: Month) -> u32 {
        let nights = (month.first().days()..month.next().first().days()).map(Night::from_days);
        let letters = nights.flatten().map(|night| match self.held(night) {
            NightState::Available => b'a',
            NightState::Held { .. } => b'h',
            NightState::Booked => b'b',
            NightState::Blocked => b'k',
        });
        !letters.fold(u32::MAX, |crc, letter| {
            (0..8).fold(crc ^ u32::from(letter), |crc, _| {
                if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 }
            })
        })
    }

    /// The booking as its last event left it.
    pub(crate) fn newest(&self, id: BookingId) -> Option<&Booking> {
        Some(&self.bookings.get(&id)?.last()?.booking)
    }

    /// Whether this head is one that the property had.
    pub(crate) fn had(&self, head: Head) -> bool {
        head == Head::default() || self.hash(head.seq) == Some(head.hash)
    }

    fn hash(&self, seq: i64) -> Option<EventHash> {
        self.hashes.get(usize::try_from(seq - 1).ok()?).copied()
    }

    /// Whether a published snapshot is what was durable at its number.
    pub(crate) fn check_snapshot(&mut self, snapshot: &Snapshot, now: Instant) -> Checked {
        let head = snapshot.head;
        ensure!(self.had(head), "a snapshot of {head:?} is published, {:?} is durable", self.head);
        let at = usize::try_from(head.seq - 1).map_err(|error| error.to_string())?;
        let print = snapshot.calendar.claimed().fold(0, |print, (night, claim)| {
            debug_assert_ne!(claim, Claim::Open);
            let booking = claim.booking().unwrap_or(BLOCKED.booking);
            print ^ fingerprint(night, Holder { booking, state: claim.state() })
        });
        ensure!(print == self.prints[at], "the snapshot of {} is not the fold", head.seq);
        self.told_at.resize(self.told_at.len().max(at + 1), now);
        Ok(())
    }

    /// Whether a booking other than this one held the night at a moment from `asked` to `now`. A
    /// hold ends at its own time, even before the event that says so.
    pub(crate) fn was_held(
        &self,
        night: Night,
        not: BookingId,
        asked: Instant,
        now: Instant,
    ) -> bool {
        self.bookings.iter().filter(|(id, _)| **id != not).flat_map(|(_, v)| v).any(|version| {
            let holds = nights_of(&version.booking).any(|(held, state)| {
                let over = matches!(state, NightState::Held { until } if until <= asked);
                held == night && !over
            });
            holds && self.meets(version, asked, now)
        })
    }

    /// Another booking of the same guest that was pending when this event was decided.
    pub(crate) fn pending_beside(&self, made: &Booking, seq: Seq) -> Option<&Booking> {
        self.bookings.values().flatten().find_map(|version| {
            let booking = &version.booking;
            let is_newest = version.seq < seq && version.ended_by.is_none_or(|end| end > seq);
            let beside = booking.guest == made.guest && booking.status.awaiting().is_some();
            (is_newest && beside && booking.id != made.id).then_some(booking)
        })
    }

    /// The versions of a booking that were the newest at a moment from `asked` to `now`.
    pub(crate) fn versions(
        &self,
        id: BookingId,
        asked: Instant,
        now: Instant,
    ) -> impl Iterator<Item = &Booking> {
        let met = move |version: &&Version| self.meets(version, asked, now);
        self.bookings.get(&id).into_iter().flatten().filter(met).map(|version| &version.booking)
    }

    fn meets(&self, version: &Version, asked: Instant, now: Instant) -> bool {
        version.from <= now && !version.ended_by.is_some_and(|seq| self.was_told(seq, asked))
    }

    /// Whether anybody could know of this event before `asked`.
    fn was_told(&self, seq: Seq, asked: Instant) -> bool {
        let told = self.told_at.get(usize::try_from(seq - 1).unwrap_or(0));
        told.is_some_and(|told| *told < asked)
    }

    /// Whether anybody could know of this booking before `asked`.
    pub(crate) fn was_known(&self, id: BookingId, asked: Instant) -> bool {
        let first = self.bookings.get(&id).and_then(|versions| versions.first());
        first.is_some_and(|first| self.was_told(first.seq, asked))
    }

    /// The nights that are held now, with their holders.
    pub(crate) fn held_nights(&self) -> HashMap<Night, BookingId> {
        self.nights.iter().map(|(night, holder)| (*night, holder.booking)).collect()
    }

    /// The nearest instant at which a booking ends or moves on by itself.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.bookings.keys().filter_map(|id| deadline(self.newest(*id)?)).min()
    }
}

/// How a booking's nights look to the public while it occupies them.
fn occupies(booking: &Booking) -> Option<NightState> {
    match booking.status {
        Status::Pending { expires_at, .. } => Some(NightState::Held { until: expires_at }),
        Status::Confirmed | Status::Completed => Some(NightState::Booked),
        Status::Canceled | Status::Declined | Status::Expired | Status::NoShow { .. } => None,
    }
}

/// The nights of the change that waits for its payment.
fn requested(booking: &Booking) -> Option<Stay> {
    booking.request.as_ref().map(|request| request.change.stay)
}

/// Every night that a booking occupies: its own, and those that a change would add.
pub(crate) fn nights_of(booking: &Booking) -> impl Iterator<Item = (Night, NightState)> {
    let stay = booking.stay;
    let own = occupies(booking)
        .into_iter()
        .flat_map(move |state| stay.each_night().map(move |night| (night, state)));
    let added = booking.request.iter().flat_map(move |request| {
        let state = NightState::Held { until: request.expires_at };
        let nights = request.change.stay.each_night().filter(move |night| !stay.has(*night));
        nights.map(move |night| (night, state))
    });
    own.chain(added)
}

/// When the clock has something to do with a booking.
pub(crate) fn deadline(booking: &Booking) -> Option<Instant> {
    match booking.status {
        Status::Pending { expires_at, .. } => Some(expires_at),
        Status::Confirmed => {
            let request = booking.request.as_ref().map(|request| request.expires_at);
            Some(request.map_or(booking.check_out_at, |at| at.min(booking.check_out_at)))
        }
        _ => None,
    }
}

/// Whether this step may lead from one booking to the other: the table of the rules, once more.
fn follows(before: Option<&Booking>, cause: Cause, after: &Booking, event: &Event) -> bool {
    let Some(before) = before else {
        let stands = match cause {
            Cause::Held => after.status.expires_at().is_some_and(|at| event.at < at),
            // Where nothing is due here there is nothing to wait for.
            Cause::Confirmed => {
                after.status == Status::Confirmed && (after.total == 0 || after.offline)
            }
            _ => false,
        };
        return stands && (after.paid, after.refunded, after.attempt) == (0, 0, None);
    };
    let fixed = |b: &Booking| (b.guest, b.offline, b.created_at);
    let terms = |b: &Booking| (b.stay, b.guests, b.total, b.check_in_at, b.check_out_at);
    let is_changed = cause == Cause::Changed;
    if fixed(before) != fixed(after) || (terms(before) == terms(after)) == is_changed {
        return false;
    }
    let keeps_request = match cause {
        Cause::AttemptStarted | Cause::AttemptEnded => before.request == after.request,
        Cause::ChangeRequested => after.request.is_some(),
        Cause::Releasing => before.request.is_some() == after.request.is_some(),
        _ => after.request.is_none(),
    };
    if !keeps_request {
        return false;
    }
    let overdue = deadline(before).is_some_and(|at| at <= event.at);
    let by_clock = event.by == By::Clock;
    let awaiting = before.status.awaiting();
    let pending = awaiting.is_some();
    let money = (after.paid - before.paid, after.refunded - before.refunded);
    // Nobody pays twice.
    let paid_now = (after.total, 0);
    let all_back = (0, before.paid - before.refunded);
    let status = after.status;
    match cause {
        Cause::Held | Cause::NoShow => false,
        _ if overdue != by_clock => false,
        Cause::Completed => before.status == Status::Confirmed && status == Status::Completed,
        Cause::Releasing => {
            let hold =
                awaiting == Some(Awaiting::Payment) && status.awaiting() == Some(Awaiting::Release);
            let is_late = |b: &Booking| b.request.as_ref().is_some_and(|r| r.releasing);
            (hold || (!is_late(before) && is_late(after)))
                && before.has_live_attempt()
                && money == (0, 0)
        }
        Cause::ChangeRequested => {
            let waits = after.request.as_ref().is_some_and(|request| {
                event.at < request.expires_at && request.expires_at <= after.check_out_at
            });
            let stands = before.status == Status::Confirmed && status == Status::Confirmed;
            stands && !before.has_live_attempt() && waits && after.due() > 0 && money == (0, 0)
        }
        Cause::ChangeDropped => {
            let late = before.request.as_ref().is_some_and(|request| request.releasing);
            let waits = before.has_live_attempt() && !late;
            let word = late && before.has_live_attempt() && event.by == By::Provider;
            before.request.is_some()
                && ((by_clock && !waits) || word)
                && !after.has_live_attempt()
                && status == Status::Confirmed
                && money == (0, 0)
        }
        Cause::Expired if by_clock => {
            let waits = awaiting == Some(Awaiting::Payment) && before.has_live_attempt();
            pending && !waits && status == Status::Expired && money == all_back
        }
        Cause::Expired => {
            awaiting == Some(Awaiting::Release)
                && before.has_live_attempt()
                && !after.has_live_attempt()
                && status == Status::Expired
                && money == (0, 0)
        }
        Cause::Refunded => !pending && status == before.status && money.0 == 0 && money.1 > 0,
        Cause::PaymentLost => {
            let ends = status == Status::Canceled && before.status == Status::Confirmed;
            event.by == By::Provider && (ends || status == before.status)
        }
        Cause::AttemptStarted => {
            let asks = pending || before.request.is_some();
            asks && after.has_live_attempt() && status == before.status && money == (0, 0)
        }
        Cause::AttemptEnded => {
            before.has_live_attempt() && !after.has_live_attempt() && status == before.status
        }
        Cause::Confirmed => {
            let waits_for_host = awaiting == Some(Awaiting::Host) && status == before.status;
            pending && (status == Status::Confirmed || waits_for_host) && money == paid_now
        }
        Cause::Reclaimed => {
            let late = before.status == Status::Expired && event.at < before.check_in_at;
            late && status == Status::Confirmed && money == paid_now
        }
        Cause::Changed if event.by == By::Provider => {
            let wished = before.request.as_ref().is_some_and(|request| {
                (request.change.stay, request.change.guests) == (after.stay, after.guests)
            });
            wished && status == Status::Confirmed && money == (before.due(), 0)
        }
        Cause::Changed => {
            let stands = before.status == Status::Confirmed;
            let open = matches!(awaiting, Some(Awaiting::Payment | Awaiting::Host));
            let less = before.paid - before.refunded - after.total;
            let settled = !before.offline && (stands || before.paid > 0);
            let back = if settled { (0, less) } else { (0, 0) };
            let free = !stands && after.total == 0 && status == Status::Confirmed;
            (stands || open)
                && !before.has_live_attempt()
                && (status.name() == before.status.name() || free)
                && (back.1 >= 0)
                && money == back
        }
        Cause::Accepted => awaiting == Some(Awaiting::Host) && money == (0, 0),
        Cause::Declined => awaiting == Some(Awaiting::Host) && money == all_back,
        Cause::Canceled => {
            let free = before.check_in_at.minus(Duration::from_secs(24 * 60 * 60));
            let late = !pending && event.at >= free && by_guest(event, before);
            let back = if late { (0, 0) } else { all_back };
            before.status.is_live() && status == Status::Canceled && money == back
        }
    }
}

fn by_guest(event: &Event, booking: &Booking) -> bool {
    event.by == By::User(booking.guest)
}

/// A number that stands for one held night; the numbers of all nights together stand for a
/// calendar.
fn fingerprint(night: Night, holder: Holder) -> u64 {
    let state = match holder.state {
        NightState::Available => 0,
        NightState::Held { until } => until.as_micros().unsigned_abs(),
        NightState::Booked => 1,
        NightState::Blocked => 2,
    };
    let (high, low) = holder.booking.0.as_u64_pair();
    [u64::from(night.days().unsigned_abs()), state, high, low]
        .into_iter()
        .fold(7, |mixed, part| (mixed ^ part).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29))
}
