//! The providers, and the books that they keep of what they really took and gave back.
//!
//! A card's money is authorized and then captured, its orders can be canceled while the provider is
//! not at them, and whoever asks again under the same key hears what was said the first time. A
//! phone is pushed and pays at once: there is nothing to authorize or cancel, no key, and only all
//! of the money goes back.

use crate::coverage::Reached;
use crate::plan::{DAY, HOUR, MINUTE, Weather};
use crate::random::Random;
use domain::payment::{PaymentStatus, RefundState};
use domain::settlement::{Fact, Record, Standing};
use domain::{BookingId, Currency, Instant, PaymentId, RefundId};
use std::collections::BTreeSet;

/// The kind of a provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Card,
    Phone,
}

/// An order as its provider has it.
#[derive(Clone, Debug)]
pub(crate) struct Order {
    pub(crate) payment: PaymentId,
    pub(crate) kind: Kind,
    booking: BookingId,
    key: u128,
    pub(crate) amount: i64,
    currency: Currency,
    pub(crate) standing: Standing,
    /// When it moves on by itself.
    until: Instant,
    /// What was answered when it was made.
    first: Standing,
    /// Whether the money was ever promised or taken, and whether it was ever declined.
    pub(crate) was_promised: bool,
    pub(crate) was_declined: bool,
    pub(crate) captured: i64,
    pub(crate) refunds: Vec<Given>,
}

/// Money that goes back, as the provider has it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Given {
    refund: RefundId,
    key: u128,
    pub(crate) amount: i64,
    pub(crate) state: RefundState,
    until: Instant,
    first: RefundState,
}

/// An event: something happened to this payment, and this is what the event claims.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Said {
    pub(crate) payment: PaymentId,
    pub(crate) standing: Standing,
}

/// It will not, however often it is asked, and nothing has happened.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Refused;

/// What a guest does about an order.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Visit {
    Pays,
    /// The card's issuer asks something back first.
    PaysSlowly,
    Fails,
}

/// A request that arrives when nobody waits for its answer any more.
type Late = Box<dyn FnOnce(&mut Provider)>;

pub(crate) struct Provider {
    pub(crate) orders: Vec<Order>,
    /// What it has to say, in the order in which it happened.
    pub(crate) said: Vec<Said>,
    /// What was refused, and is refused again under the same key.
    refused: BTreeSet<u128>,
    /// How often somebody wanted more back than there was.
    pub(crate) asked_above: u32,
    /// Requests on their way, and what it is worth to say of them.
    pub(crate) late: Vec<(Instant, Option<Reached>, Late)>,
    pub(crate) weather: Weather,
    random: Random,
}

impl Order {
    /// What was taken and has not gone back, in minor units.
    pub(crate) fn balance(&self) -> i64 {
        let open = self.refunds.iter().filter(|given| given.state != RefundState::Failed);
        self.captured - open.map(|given| given.amount).sum::<i64>()
    }

    fn fact(&self, standing: Standing) -> Fact {
        let booking = (self.kind == Kind::Card).then_some(self.booking);
        Fact { booking, amount: self.amount, currency: self.currency, standing }
    }

    fn promise(&mut self, until: Instant) {
        (self.standing, self.until, self.was_promised) = (Standing::Authorized, until, true);
    }

    fn take(&mut self) {
        (self.standing, self.was_promised) = (Standing::Captured, true);
        self.captured += self.amount;
    }

    /// Whether the guest may still do something about it.
    pub(crate) const fn is_open(&self) -> bool {
        matches!(self.standing, Standing::Waiting | Standing::Declined | Standing::Processing)
    }

    /// Whether it moves on by itself.
    const fn is_moving(&self) -> bool {
        matches!(
            self.standing,
            Standing::Waiting | Standing::Declined | Standing::Processing | Standing::Authorized
        )
    }
}

impl Provider {
    pub(crate) fn new(random: Random, weather: Weather) -> Self {
        let (orders, said, late) = (Vec::new(), Vec::new(), Vec::new());
        Self { orders, said, refused: BTreeSet::new(), asked_above: 0, late, weather, random }
    }

    /// Makes an order, or says again what was said when it was made under this key.
    pub(crate) fn order(
        &mut self,
        record: &Record,
        kind: Kind,
        key: u128,
        now: Instant,
    ) -> Result<Fact, Refused> {
        let same = |order: &&Order| order.kind == Kind::Card && order.key == key;
        if let Some(order) = self.orders.iter().find(same) {
            return Ok(order.fact(order.first));
        }
        if self.refuses(kind, key) {
            return Err(Refused);
        }
        let mut order = Order {
            payment: record.payment,
            kind,
            booking: record.booking,
            key,
            amount: record.amount + i64::from(self.random.chance(self.weather.mixed_up)),
            currency: record.currency,
            standing: Standing::Waiting,
            until: now.plus(DAY),
            first: Standing::Waiting,
            was_promised: false,
            was_declined: false,
            captured: 0,
            refunds: Vec::new(),
        };
        if kind == Kind::Phone {
            let prompt = self.random.weighted(&[(4, MINUTE), (1, MINUTE * 20), (1, HOUR * 3)]);
            (order.standing, order.until) = (Standing::Processing, now.plus(prompt));
        } else if self.random.chance(100) {
            order.promise(self.authorization_end(now));
        } else if self.random.chance(50) {
            (order.standing, order.was_declined) = (Standing::Declined, true);
        }
        order.first = order.standing;
        let fact = order.fact(order.standing);
        self.say(record.payment, order.standing);
        self.orders.push(order);
        Ok(fact)
    }

    /// Where the newest order of a payment stands.
    pub(crate) fn fetch(&self, payment: PaymentId) -> Option<Fact> {
        let order = self.newest(payment)?;
        Some(order.fact(order.standing))
    }

    pub(crate) fn newest(&self, payment: PaymentId) -> Option<&Order> {
        self.orders.iter().rev().find(|order| order.payment == payment)
    }

    /// Collects what is authorized; where the order stands afterwards.
    pub(crate) fn capture(&mut self, payment: PaymentId) -> Result<Fact, Refused> {
        let (refused, revoked) = (self.weather.refused, self.weather.revoked);
        let fate = (self.random.chance(refused), self.random.chance(revoked));
        let order = self.newest_mut(payment).ok_or(Refused)?;
        match (order.standing, fate) {
            (Standing::Authorized, (true, _)) => return Err(Refused),
            (Standing::Authorized, (_, true)) => {
                order.standing = Standing::Ended(PaymentStatus::Failed);
            }
            (Standing::Authorized, _) => order.take(),
            _ => {}
        }
        let (standing, fact) = (order.standing, order.fact(order.standing));
        self.say(payment, standing);
        Ok(fact)
    }

    /// Gives an order up, if it still can be; where it stands afterwards.
    pub(crate) fn cancel(&mut self, payment: PaymentId) -> Result<Fact, Refused> {
        let order = self.newest_mut(payment).ok_or(Refused)?;
        let can =
            matches!(order.standing, Standing::Waiting | Standing::Declined | Standing::Authorized);
        if can && order.kind == Kind::Card {
            order.standing = Standing::Ended(PaymentStatus::Voided);
        }
        let (standing, fact) = (order.standing, order.fact(order.standing));
        if can {
            self.say(payment, standing);
        }
        Ok(fact)
    }

    /// Gives money back, a card's once for each key.
    pub(crate) fn refund(
        &mut self,
        payment: PaymentId,
        (refund, key): (RefundId, u128),
        amount: i64,
        now: Instant,
    ) -> Result<RefundState, Refused> {
        let kind = self.newest(payment).ok_or(Refused)?.kind;
        let refused = self.refuses(kind, key);
        let is_pending = self.random.chance(500);
        let wait = self.random.weighted(&[(2, MINUTE), (1, DAY)]);
        let order = self.newest_mut(payment).ok_or(Refused)?;
        if order.kind == Kind::Card
            && let Some(given) = order.refunds.iter().find(|given| given.key == key)
        {
            return Ok(given.first);
        }
        let is_part = order.kind == Kind::Phone && amount != order.captured;
        if amount > order.balance() {
            self.asked_above += 1;
            return Err(Refused);
        }
        if refused || is_part {
            return Err(Refused);
        }
        let is_pending = is_pending || order.kind == Kind::Phone;
        let state = if is_pending { RefundState::Submitted } else { RefundState::Succeeded };
        let until = now.plus(wait);
        order.refunds.push(Given { refund, key, amount, state, until, first: state });
        Ok(state)
    }

    /// How a refund stands, if the provider has it.
    pub(crate) fn refund_state(&self, refund: RefundId) -> Option<RefundState> {
        let mut given = self.orders.iter().flat_map(|order| &order.refunds);
        given.find(|given| given.refund == refund).map(|given| given.state)
    }

    /// Something happens to an order: the guest is there.
    pub(crate) fn visit(&mut self, at: usize, visit: Visit, now: Instant) {
        let end = self.authorization_end(now);
        let Some(order) = self.orders.get_mut(at) else { return };
        match (order.kind, order.standing, visit) {
            (Kind::Card, Standing::Waiting | Standing::Declined, Visit::Pays) => order.promise(end),
            (Kind::Card, Standing::Waiting | Standing::Declined, Visit::PaysSlowly) => {
                (order.standing, order.until) = (Standing::Processing, now.plus(MINUTE * 25));
            }
            (Kind::Card, Standing::Waiting | Standing::Declined, Visit::Fails) => {
                (order.standing, order.was_declined) = (Standing::Declined, true);
            }
            (Kind::Phone, Standing::Processing, Visit::Pays) => order.take(),
            (Kind::Phone, Standing::Processing, Visit::Fails) => {
                order.standing = Standing::Ended(PaymentStatus::Failed);
                order.was_declined = true;
            }
            _ => return,
        }
        let (payment, standing) = (order.payment, order.standing);
        self.say(payment, standing);
    }

    /// When something happens by itself next.
    pub(crate) fn next_at(&self) -> Option<Instant> {
        let orders = self.orders.iter().filter(|order| order.is_moving()).map(|order| order.until);
        let refunds = self.orders.iter().flat_map(|order| &order.refunds);
        let refunds = refunds.filter(|given| given.state.is_open()).map(|given| given.until);
        let late = self.late.iter().map(|(at, ..)| *at);
        orders.chain(refunds).chain(late).min()
    }

    /// The requests that arrive until now, late: what they were.
    pub(crate) fn receive(&mut self, now: Instant) -> Vec<Reached> {
        let (due, rest): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.late).into_iter().partition(|(at, ..)| *at <= now);
        self.late = rest;
        let mut received = Vec::new();
        for (_, what, request) in due {
            request(self);
            received.extend(what);
        }
        received
    }

    /// What happens by itself until now.
    pub(crate) fn pass(&mut self, now: Instant) {
        for at in 0..self.orders.len() {
            let end = self.authorization_end(now);
            let works = self.random.chance(700);
            let order = &mut self.orders[at];
            let mut is_new = false;
            for given in order.refunds.iter_mut().filter(|given| given.until <= now) {
                if given.state.is_open() {
                    let fails = self.random.chance(150);
                    given.state = if fails { RefundState::Failed } else { RefundState::Succeeded };
                    is_new = true;
                }
            }
            if order.until <= now && order.is_moving() {
                is_new = true;
                match (order.standing, order.kind) {
                    (Standing::Processing, Kind::Card) if works => order.promise(end),
                    (Standing::Processing, Kind::Card) => {
                        (order.standing, order.was_declined) = (Standing::Declined, true);
                        order.until = now.plus(DAY);
                    }
                    _ => order.standing = Standing::Ended(PaymentStatus::Expired),
                }
            }
            if is_new {
                let (payment, standing) = (order.payment, order.standing);
                self.say(payment, standing);
            }
        }
    }

    /// Whether a request is refused. A card's refusal stands under its key, as every answer does.
    fn refuses(&mut self, kind: Kind, key: u128) -> bool {
        let knows_keys = kind == Kind::Card;
        if knows_keys && self.refused.contains(&key) {
            return true;
        }
        let refused = self.random.chance(self.weather.refused);
        if refused && knows_keys {
            self.refused.insert(key);
        }
        refused
    }

    fn newest_mut(&mut self, payment: PaymentId) -> Option<&mut Order> {
        self.orders.iter_mut().rev().find(|order| order.payment == payment)
    }

    /// How long an authorization holds: a week, unless the card's issuer is in a hurry.
    fn authorization_end(&mut self, now: Instant) -> Instant {
        now.plus(self.random.weighted(&[(6, DAY * 7), (2, HOUR), (2, HOUR * 12)]))
    }

    fn say(&mut self, payment: PaymentId, standing: Standing) {
        self.said.push(Said { payment, standing });
    }
}
