//! The nights of one property: who claims each, and how that looks from outside.
//!
//! A calendar is a sorted list of month pages behind `Arc`s. A copy shares every page, and a change
//! copies only the pages it touches, so that each committed state can be published as a snapshot
//! without copying the year.

use crate::{Booking, BookingId, Instant, Month, Night, Status, Stay};
use std::fmt;
use std::sync::Arc;

const LONGEST_MONTH: usize = 31;

/// What holds a night.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// Nobody.
    Open,
    /// A booking that is not confirmed yet and ends by itself.
    Held { booking: BookingId, until: Instant },
    /// A booking that is confirmed or was completed.
    Booked { booking: BookingId },
    /// The host's own.
    Blocked,
}

impl Claim {
    /// The booking that holds the night.
    pub const fn booking(self) -> Option<BookingId> {
        match self {
            Self::Open | Self::Blocked => None,
            Self::Held { booking, .. } | Self::Booked { booking } => Some(booking),
        }
    }

    /// How the night looks to the public.
    pub const fn state(self) -> NightState {
        match self {
            Self::Open => NightState::Available,
            Self::Held { until, .. } => NightState::Held { until },
            Self::Booked { .. } => NightState::Booked,
            Self::Blocked => NightState::Blocked,
        }
    }
}

/// The public state of a night. It follows from stored facts only; rules that depend on today are
/// applied by the reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NightState {
    Available,
    Held { until: Instant },
    Booked,
    Blocked,
}

impl NightState {
    /// The name in messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Available => "available",
            Self::Held { .. } => "held",
            Self::Booked => "booked",
            Self::Blocked => "blocked",
        }
    }

    /// The letter in a month's digest.
    pub const fn letter(self) -> u8 {
        match self {
            Self::Available => b'a',
            Self::Held { .. } => b'h',
            Self::Booked => b'b',
            Self::Blocked => b'k',
        }
    }
}

/// A run of nights `[from, to)` that now have this state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    pub from: Night,
    pub to: Night,
    pub state: NightState,
}

/// CRC-32 (ISO-HDLC) over one letter per night of a month.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Digest(pub u32);

impl Digest {
    /// The digest of a month in which every night is open.
    pub fn of_open(month: Month) -> Self {
        Self(crc32fast::hash(&[b'a'; LONGEST_MONTH][..month.length()]))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

type Page = [Claim; LONGEST_MONTH];

/// Who claims each night. Nights that nobody ever claimed take no room.
#[derive(Clone, Debug, Default)]
pub struct Calendar {
    pages: Vec<(Month, Arc<Page>)>,
}

impl Calendar {
    /// What holds this night.
    pub fn claim(&self, night: Night) -> Claim {
        let (month, index) = night.in_month();
        self.page(month).map_or(Claim::Open, |page| page[index])
    }

    /// The claims on a stay's nights, in order.
    pub fn claims(&self, stay: Stay) -> impl Iterator<Item = (Night, Claim)> {
        Walk::new(stay.check_in()).zip(stay.each_night()).scan(
            None::<(Month, Option<&Arc<Page>>)>,
            |cached, ((month, index), night)| {
                let page = match *cached {
                    Some((held, page)) if held == month => page,
                    _ => self.page(month),
                };
                *cached = Some((month, page));
                Some((night, page.map_or(Claim::Open, |page| page[index])))
            },
        )
    }

    /// Whether nobody holds a night of the stay at `now`: a hold whose time is over counts as none.
    pub fn is_free(&self, stay: Stay, now: Instant) -> bool {
        self.claims(stay).all(|(_, claim)| !claim.is_live(now))
    }

    /// Sets the claim of every night of the stay.
    fn set(&mut self, stay: Stay, claim: Claim) {
        let mut nights = Walk::new(stay.check_in()).take(stay.each_night().count()).peekable();
        while let Some(&(month, _)) = nights.peek() {
            let at = match self.pages.binary_search_by_key(&month, |(m, _)| *m) {
                Ok(at) => at,
                Err(at) => {
                    self.pages.insert(at, (month, Arc::new([Claim::Open; LONGEST_MONTH])));
                    at
                }
            };
            let page = Arc::make_mut(&mut self.pages[at].1);
            while let Some((_, index)) = nights.next_if(|(m, _)| *m == month) {
                page[index] = claim;
            }
        }
    }

    /// Replaces what `before` claimed by what `after` claims, and returns the public difference
    /// with the digest of every month in it.
    pub fn replace(
        &mut self,
        before: Option<&Booking>,
        after: &Booking,
    ) -> (Vec<Change>, Vec<(Month, Digest)>) {
        let old = || before.into_iter().flat_map(claims_of);
        let new = || claims_of(after);
        let mut changes = Vec::new();
        for (stay, _) in old().filter(|piece| !new().any(|kept| kept == *piece)) {
            self.set(stay, Claim::Open);
            // Where a new claim covers the old one, its own change says all there is to say.
            let covers = |new: Stay| {
                new.check_in() <= stay.check_in() && stay.check_out() <= new.check_out()
            };
            if !new().any(|(stay, _)| covers(stay)) {
                changes.push(change(stay, Claim::Open));
            }
        }
        for (stay, claim) in new().filter(|piece| !old().any(|kept| kept == *piece)) {
            self.set(stay, claim);
            changes.push(change(stay, claim));
        }
        if changes.is_empty() {
            return (Vec::new(), Vec::new());
        }
        let digests = self.digests_of(&changes);
        (changes, digests)
    }

    /// Sets single nights, which stand in order; the public difference in runs.
    pub(crate) fn set_nights(&mut self, claims: &[(Night, Claim)]) -> Vec<Change> {
        let mut runs: Vec<(Stay, Claim)> = Vec::new();
        for (night, claim) in claims {
            let Ok(alone) = Stay::new(*night, night.plus(1)) else { continue };
            match runs.last_mut() {
                Some((stay, last)) if stay.check_out() == *night && last == claim => {
                    *stay = Stay::new(stay.check_in(), alone.check_out()).unwrap_or(alone);
                }
                _ => runs.push((alone, *claim)),
            }
        }
        for (stay, claim) in &runs {
            self.set(*stay, *claim);
        }
        runs.into_iter().map(|(stay, claim)| change(stay, claim)).collect()
    }

    /// The digest of a month as it stands.
    pub fn digest(&self, month: Month) -> Digest {
        let Some(page) = self.page(month) else { return Digest::of_open(month) };
        let letters = page.map(|claim| claim.state().letter());
        Digest(crc32fast::hash(&letters[..month.length()]))
    }

    /// Every claimed night with its claim, in order.
    pub fn claimed(&self) -> impl Iterator<Item = (Night, Claim)> {
        self.pages.iter().flat_map(|(month, page)| {
            let first = month.first();
            (0..)
                .zip(page.iter())
                .filter(|(_, claim)| **claim != Claim::Open)
                .map(move |(index, claim)| (first.plus(index), *claim))
        })
    }

    fn page(&self, month: Month) -> Option<&Arc<Page>> {
        let at = self.pages.binary_search_by_key(&month, |(m, _)| *m).ok()?;
        Some(&self.pages[at].1)
    }

    pub(crate) fn digests_of(&self, changes: &[Change]) -> Vec<(Month, Digest)> {
        let mut months: Vec<Month> = Vec::new();
        for change in changes {
            let (mut month, last) = (change.from.in_month().0, change.to.plus(-1).in_month().0);
            while month <= last {
                if !months.contains(&month) {
                    months.push(month);
                }
                month = month.next();
            }
        }
        months.sort_unstable();
        months.into_iter().map(|month| (month, self.digest(month))).collect()
    }
}

impl Claim {
    /// Whether the claim still stands at `now`: a hold ends at its own time even before the event
    /// that says so.
    pub fn is_live(self, now: Instant) -> bool {
        match self {
            Self::Open => false,
            Self::Held { until, .. } => now < until,
            Self::Booked { .. } | Self::Blocked => true,
        }
    }
}

/// The nights that a booking occupies, and how: those that it has, and before and behind them those
/// that a change would add.
pub fn claims_of(booking: &Booking) -> impl Iterator<Item = (Stay, Claim)> {
    let added = booking.request.as_ref().map(|request| {
        let claim = Claim::Held { booking: booking.id, until: request.expires_at };
        let pieces = request.change.stay.without(booking.stay);
        pieces.into_iter().flatten().map(move |piece| (piece, claim))
    });
    claim_of(booking).into_iter().chain(added.into_iter().flatten())
}

/// The nights that a booking has in its present status.
fn claim_of(booking: &Booking) -> Option<(Stay, Claim)> {
    let id = booking.id;
    match booking.status {
        Status::Pending { expires_at, .. } => {
            Some((booking.stay, Claim::Held { booking: id, until: expires_at }))
        }
        Status::Confirmed | Status::Completed => {
            Some((booking.stay, Claim::Booked { booking: id }))
        }
        Status::NoShow { free_from } => {
            let kept = Stay::new(booking.stay.check_in(), free_from.min(booking.stay.check_out()));
            Some((kept.ok()?, Claim::Booked { booking: id }))
        }
        Status::Canceled | Status::Declined | Status::Expired => None,
    }
}

fn change(stay: Stay, claim: Claim) -> Change {
    Change { from: stay.check_in(), to: stay.check_out(), state: claim.state() }
}

/// Walks from a night on, naming month and index without asking the date library each time.
struct Walk {
    month: Month,
    index: usize,
    length: usize,
}

impl Walk {
    fn new(from: Night) -> Self {
        let (month, index) = from.in_month();
        Self { month, index, length: month.length() }
    }
}

impl Iterator for Walk {
    type Item = (Month, usize);

    fn next(&mut self) -> Option<(Month, usize)> {
        let here = (self.month, self.index);
        self.index += 1;
        if self.index == self.length {
            self.month = self.month.next();
            self.index = 0;
            self.length = self.month.length();
        }
        Some(here)
    }
}
