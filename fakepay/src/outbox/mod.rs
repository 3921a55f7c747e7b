//! What is sent to others: Stripe's events to the webhook, Daraja's results to their callbacks.
//!
//! Contract: first attempts go out in the order in which things happened, one at a time. A
//! delivery that is not answered 2xx is tried again after waits that grow, on the stand-in's
//! clock, and holds up nobody meanwhile. Both what waits and what is remembered are bounded.

pub(crate) mod sender;

use crate::clock::after;
use crate::faults::EventFault;
use crate::settings::Webhook;
use crate::signature;
use jiff::Timestamp;
use serde::{Deserialize, Serialize, Serializer};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Deliveries that may wait; another is turned away, and its record says so.
const MOST_WAITING: usize = 5_000;
/// Deliveries that are remembered, waiting ones included.
const MOST_REMEMBERED: usize = 10_000;
/// The waits after each failed attempt, in seconds; after the last of them it is given up.
const WAITS_SECONDS: [u64; 4] = [1, 5, 25, 125];
/// How long a delivery that is to come after the next one waits for that.
const LONGEST_BEHIND: Duration = Duration::from_secs(60);
/// What forged deliveries are signed with.
const FORGED: &str = "whsec_of_somebody_else";

/// What is to be sent.
#[derive(Debug)]
pub(crate) struct Letter {
    /// The type of the event, such as `payment_intent.succeeded`.
    pub(crate) event: String,
    /// The id of the event or of what it is about.
    pub(crate) about: String,
    /// The address; none is the webhook.
    pub(crate) to: Option<String>,
    pub(crate) body: String,
}

/// What became of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Fate {
    Waiting,
    Delivered,
    GivenUp,
    /// By a fault that was asked for.
    Dropped,
    /// The queue was full.
    TurnedAway,
}

#[derive(Debug, Serialize, Deserialize)]
struct Delivery {
    number: u64,
    event: String,
    about: String,
    url: String,
    fate: Fate,
    attempts: Vec<Attempt>,
    /// How often it may be tried.
    tries: usize,
    signed: Signed,
    body: String,
    due: Timestamp,
}

/// A delivery as `GET /control/deliveries` lists it.
#[derive(Debug, Serialize)]
struct Listed<'a> {
    number: u64,
    event: &'a str,
    about: &'a str,
    url: &'a str,
    fate: Fate,
    attempts: &'a [Attempt],
}

/// Who signs a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Signed {
    /// Nobody: it goes to an address of its own.
    Not,
    /// The stand-in: it goes to the webhook, wherever that is when it goes.
    Well,
    /// Somebody else, so it seems.
    Forged,
}

#[derive(Debug, Serialize, Deserialize)]
struct Attempt {
    at: Timestamp,
    /// The status that was answered.
    status: Option<u16>,
    /// Why there was no answer.
    error: Option<String>,
}

/// One attempt to make.
#[derive(Debug)]
pub(crate) struct Parcel {
    number: u64,
    url: String,
    signature: Option<String>,
    body: String,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Outbox {
    webhook: Option<Webhook>,
    #[serde(serialize_with = "those_that_wait")]
    deliveries: BTreeMap<u64, Delivery>,
    #[serde(skip)]
    waiting: BTreeSet<(Timestamp, u64)>,
    /// Those that wait for the next one to go first.
    behind: Vec<u64>,
    numbered: u64,
}

/// Writes the deliveries that wait, and those on their way: nobody asks another stand-in what
/// became of the others.
fn those_that_wait<S: Serializer>(
    deliveries: &BTreeMap<u64, Delivery>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(deliveries.iter().filter(|(_, one)| one.fate == Fate::Waiting))
}

impl Outbox {
    pub(crate) fn new(webhook: Option<Webhook>) -> Self {
        Self {
            webhook,
            deliveries: BTreeMap::new(),
            waiting: BTreeSet::new(),
            behind: Vec::new(),
            numbered: 0,
        }
    }

    pub(crate) fn set_webhook(&mut self, webhook: Webhook) {
        self.webhook = Some(webhook);
    }

    /// Goes on with what was kept. What was on its way may have come, and comes again.
    pub(crate) fn resume(&mut self, webhook: Option<Webhook>) {
        self.webhook = webhook.or(self.webhook.take());
        self.waiting = self.deliveries.values().map(|kept| (kept.due, kept.number)).collect();
    }

    /// All that is remembered, the oldest first.
    pub(crate) fn list(&self) -> Vec<impl Serialize> {
        let listed = self.deliveries.values().map(|delivery| Listed {
            number: delivery.number,
            event: &delivery.event,
            about: &delivery.about,
            url: &delivery.url,
            fate: delivery.fate,
            attempts: &delivery.attempts,
        });
        listed.collect()
    }

    /// Takes a letter, and does with it what the fault says; one to the webhook is forgotten where
    /// there is none.
    pub(crate) fn post(
        &mut self,
        now: Timestamp,
        letter: &Letter,
        fault: Option<(EventFault, Duration)>,
    ) {
        let mut fate = Fate::Waiting;
        let mut due = now;
        match fault {
            Some((EventFault::Duplicate, _)) => self.post(now, letter, None),
            Some((EventFault::Reorder, _)) => due = after(now, LONGEST_BEHIND),
            Some((EventFault::Delay, by)) => due = after(now, by),
            Some((EventFault::Drop, _)) => fate = Fate::Dropped,
            Some((EventFault::Forge, _)) | None => {}
        }
        let is_forged = matches!(fault, Some((EventFault::Forge, _)));
        let (url, signed) = match (&letter.to, &self.webhook) {
            (Some(url), _) => (url.clone(), Signed::Not),
            (None, Some(webhook)) if is_forged => (webhook.url.clone(), Signed::Forged),
            (None, Some(webhook)) => (webhook.url.clone(), Signed::Well),
            (None, None) => return,
        };
        if self.waiting.len() >= MOST_WAITING {
            fate = Fate::TurnedAway;
        }
        self.numbered += 1;
        let number = self.numbered;
        let delivery = Delivery {
            number,
            event: letter.event.clone(),
            about: letter.about.clone(),
            url,
            fate,
            attempts: Vec::new(),
            tries: if is_forged { 1 } else { WAITS_SECONDS.len() + 1 },
            signed,
            body: letter.body.clone(),
            due,
        };
        if fate == Fate::Waiting {
            self.waiting.insert((due, number));
            let is_behind = matches!(fault, Some((EventFault::Reorder, _)));
            self.behind.extend(is_behind.then_some(number));
        }
        self.deliveries.insert(number, delivery);
        self.forget();
    }

    /// Forgets the oldest that does not wait any more, when there are too many.
    fn forget(&mut self) {
        if self.deliveries.len() > MOST_REMEMBERED {
            let mut deliveries = self.deliveries.values();
            let oldest = deliveries.find(|delivery| delivery.fate != Fate::Waiting);
            let number = oldest.map(|delivery| delivery.number);
            number.and_then(|number| self.deliveries.remove(&number));
        }
    }

    /// Whether a letter that was never sent is due, or one is on its way.
    pub(crate) fn is_telling(&self, now: Timestamp) -> bool {
        self.deliveries.values().any(|delivery| {
            delivery.fate == Fate::Waiting && delivery.attempts.is_empty() && delivery.due <= now
        })
    }

    /// How many deliveries there have been in all.
    pub(crate) const fn numbered(&self) -> u64 {
        self.numbered
    }

    /// When the next attempt is due.
    pub(crate) fn next_due(&self) -> Option<Timestamp> {
        self.waiting.first().map(|(due, _)| *due)
    }

    /// The next attempt that is due, signed now.
    pub(crate) fn take(&mut self, now: Timestamp) -> Option<Parcel> {
        let (due, number) = *self.waiting.first()?;
        if due > now {
            return None;
        }
        self.waiting.remove(&(due, number));
        let delivery = self.deliveries.get_mut(&number).expect("what waits is remembered");
        let webhook = self.webhook.as_ref().filter(|_| delivery.signed != Signed::Not);
        if let Some(webhook) = webhook {
            delivery.url.clone_from(&webhook.url);
        }
        let secret = webhook.map(|webhook| match delivery.signed {
            Signed::Forged => FORGED,
            Signed::Not | Signed::Well => &webhook.secret,
        });
        Some(Parcel {
            number,
            url: delivery.url.clone(),
            signature: secret.map(|key| signature::header(key, now.as_second(), &delivery.body)),
            body: delivery.body.clone(),
        })
    }

    /// Writes down what came of an attempt, and plans the next where there is one.
    pub(crate) fn settle(&mut self, now: Timestamp, number: u64, outcome: Result<u16, String>) {
        self.let_behind_go(now, number);
        let delivery = self.deliveries.get_mut(&number).expect("what waits is remembered");
        let wait = WAITS_SECONDS.get(delivery.attempts.len());
        let wait = wait.filter(|_| delivery.attempts.len() + 1 < delivery.tries);
        let (status, error) = (outcome.as_ref().ok().copied(), outcome.err());
        delivery.attempts.push(Attempt { at: now, status, error });
        if status.is_some_and(|status| (200..300).contains(&status)) {
            delivery.fate = Fate::Delivered;
        } else if let Some(seconds) = wait {
            delivery.due = after(now, Duration::from_secs(*seconds));
            self.waiting.insert((delivery.due, number));
        } else {
            delivery.fate = Fate::GivenUp;
        }
    }

    /// Those that waited for this one, or for an earlier one, may go.
    fn let_behind_go(&mut self, now: Timestamp, number: u64) {
        let (freed, behind) = self.behind.iter().partition(|held| **held < number);
        self.behind = behind;
        let freed: Vec<u64> = freed;
        for held in freed {
            let Some(delivery) = self.deliveries.get_mut(&held) else { continue };
            if self.waiting.remove(&(delivery.due, held)) {
                delivery.due = now;
                self.waiting.insert((now, held));
            }
        }
    }
}
