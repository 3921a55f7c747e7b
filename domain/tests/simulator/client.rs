//! What people and payment providers want: a stream of commands that meet on the same few nights.

use crate::plan::{self, Plan};
use crate::random::Random;
use crate::store::Store;
use domain::block::{Block, Reason};
use domain::booking::Step;
use domain::command::{Command, Intent, Key};
use domain::edit::CalendarEdit;
use domain::event::{By, EventHash};
use domain::property::{Edit, Page};
use domain::{BlockId, Booking, BookingId, Instant, PaymentId, Stay, UserId};
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// A command on its way to a property.
#[derive(Clone, Debug)]
pub(crate) struct Wish {
    pub(crate) property: usize,
    pub(crate) command: Command,
}

/// A booking that somebody asked for, whatever became of it.
#[derive(Clone, Copy, Debug)]
struct Known {
    property: usize,
    booking: BookingId,
    guest: UserId,
    payment: PaymentId,
    total: i64,
}

/// Everybody who wants something, and what they remember.
#[derive(Debug)]
pub(crate) struct Clients {
    count: usize,
    properties: usize,
    window: i32,
    made: u128,
    known: Vec<Known>,
    /// What was asked under a key, to be asked again.
    keyed: Vec<Wish>,
}

#[derive(Clone, Copy)]
enum Act {
    Book,
    Start,
    Pay,
    PayLate,
    End,
    Cancel,
    Change,
    Answer,
    Edit,
    Block,
    Repeat,
}

/// How many of the newest bookings people still care for.
const RECENT: usize = 12;

impl Clients {
    pub(crate) fn new(plan: &Plan) -> Self {
        Self {
            count: plan.clients,
            properties: plan.properties,
            window: plan.window,
            made: 0,
            known: Vec::new(),
            keyed: Vec::new(),
        }
    }

    /// What somebody wants next.
    pub(crate) fn act(&mut self, store: &Store, now: Instant, random: &mut Random) -> Wish {
        let act = random.weighted(&[
            (44, Act::Book),
            (14, Act::Start),
            (13, Act::Pay),
            (4, Act::PayLate),
            (3, Act::End),
            (11, Act::Cancel),
            (6, Act::Change),
            (3, Act::Answer),
            (3, Act::Edit),
            (4, Act::Block),
            (8, Act::Repeat),
        ]);
        if let Act::Repeat = act
            && !self.keyed.is_empty()
        {
            return self.repeat(random);
        }
        if let Act::Edit = act {
            return self.edit(store, random);
        }
        if let Act::Block = act {
            return self.block(store, random);
        }
        if let Act::PayLate = act
            && let Some(wish) = self.pay_late(store, random)
        {
            return wish;
        }
        let from = self.known.len().saturating_sub(RECENT);
        let newest = self.known.len() - from;
        if newest == 0 || matches!(act, Act::Book | Act::Repeat | Act::PayLate) {
            return self.book(random);
        }
        let known = self.known[from + random.below(newest)];
        if let Act::Change = act {
            return self.change(known, store, random);
        }
        self.about(known, act, (store, now), random)
    }

    /// A stay in the window, booked by anybody, at times under a key.
    fn book(&mut self, random: &mut Random) -> Wish {
        let (stay, guests) = self.stay(random);
        let property = random.below(self.properties);
        // At times a host writes down what was agreed on elsewhere.
        let offline = random.chance(60);
        let guest = if offline { plan::host() } else { user(random.below(self.count)) };
        let mut wish = self.book_stay(property, guest, stay, guests);
        if let Intent::Book { offline: is_offline, .. } = &mut wish.command.intent {
            *is_offline = offline;
        }
        self.under_key(wish, guest, 350, random)
    }

    /// Some nights in the window, at times too many guests.
    fn stay(&self, random: &mut Random) -> (Stay, u16) {
        let nights = if random.chance(60) { random.between(5, 9) } else { random.between(1, 4) };
        let nights = i32::try_from(nights).expect("small");
        let from = i32::try_from(random.between(0, i64::from(self.window) - 1)).expect("small");
        let check_in = plan::first_night().plus(from);
        let stay = Stay::new(check_in, check_in.plus(nights)).expect("a stay");
        (stay, if random.chance(15) { 9 } else { 2 })
    }

    /// A booking of exactly this stay.
    pub(crate) fn book_stay(
        &mut self,
        property: usize,
        guest: UserId,
        stay: Stay,
        guests: u16,
    ) -> Wish {
        let booking = BookingId(self.id(property));
        let payment = PaymentId(self.id(property));
        let total = i64::from(stay.nights()) * 10_000;
        self.known.push(Known { property, booking, guest, payment, total });
        let intent = Intent::Book {
            booking,
            guest,
            stay,
            guests,
            quote: None,
            no_room: None,
            offline: false,
        };
        Wish { property, command: self.command(By::User(guest), intent) }
    }

    /// One of several hundred bookings of one night each, which do not meet.
    pub(crate) fn flood(&mut self, number: usize) -> Wish {
        let property = number % self.properties;
        let night = i32::try_from(self.window as usize + number / self.properties).expect("small");
        let check_in = plan::first_night().plus(night);
        let stay = Stay::new(check_in, check_in.plus(1)).expect("a stay");
        self.book_stay(property, user(number % self.count), stay, 1)
    }

    fn about(
        &mut self,
        known: Known,
        act: Act,
        (store, now): (&Store, Instant),
        random: &mut Random,
    ) -> Wish {
        let Known { property, booking, guest, payment, .. } = known;
        let stored = store.tables[property].bookings.get(&booking);
        let by_guest = !random.chance(250);
        let caller = if by_guest { guest } else { plan::host() };
        let step = match act {
            Act::Start => {
                // Most people pay under the id they had before; some begin anew.
                let is_taken = stored.is_some_and(|booking| !booking.takings.is_empty());
                let payment = if is_taken || random.chance(300) {
                    PaymentId(self.id(property))
                } else {
                    payment
                };
                let (provider, method) = (Arc::from("sandbox"), Arc::from(""));
                let return_url = Arc::clone(&method);
                let intent =
                    Intent::StartAttempt { booking, payment, provider, method, return_url };
                return Wish { property, command: self.command(By::User(guest), intent) };
            }
            Act::Cancel => {
                let intent = if by_guest {
                    Intent::Step { booking, step: Step::Cancel { by_guest } }
                } else {
                    Intent::CancelAsHost { booking, reopen: random.chance(300) }
                };
                let wish = Wish { property, command: self.command(By::User(caller), intent) };
                return self.under_key(wish, caller, 300, random);
            }
            Act::Answer if random.chance(700) => {
                Step::Accept { pay_by: now.plus(Duration::from_secs(15 * 60)) }
            }
            Act::Answer => Step::Decline,
            Act::End => Step::EndAttempt { payment },
            _ => {
                // What a change costs more is paid by the attempt that is open for it.
                let asked = stored.filter(|stored| stored.request.is_some());
                if let Some(stored) = asked
                    && let Some(attempt) = stored.attempt
                {
                    let known = Known { payment: attempt.payment, ..known };
                    return self.pay(known, stored.due());
                }
                let wrong = i64::from(random.chance(80));
                return self.pay(known, known.total + wrong);
            }
        };
        let by = if let Act::Answer = act { By::User(plan::host()) } else { By::Provider };
        Wish { property, command: self.command(by, Intent::Step { booking, step }) }
    }

    /// Other nights for a booking as it is stored now.
    fn change(&mut self, known: Known, store: &Store, random: &mut Random) -> Wish {
        let Known { property, booking, guest, .. } = known;
        let seen = store.tables[property].bookings.get(&booking).map_or(1, |b| b.version);
        let (stay, guests) = self.stay(random);
        let intent = Intent::Change { booking, seen, stay, guests };
        let wish = Wish { property, command: self.command(By::User(guest), intent) };
        self.under_key(wish, guest, 300, random)
    }

    /// The host blocks some nights, at times around bookings, or takes a block away.
    fn block(&mut self, store: &Store, random: &mut Random) -> Wish {
        let property = random.below(self.properties);
        let known = &store.tables[property].blocks;
        let mut edit = CalendarEdit { around: random.chance(500), ..CalendarEdit::default() };
        match known.keys().nth(random.below(known.len() + 1)) {
            Some(id) => edit.unblock.push(*id),
            None => {
                let (nights, _) = self.stay(random);
                let id = BlockId(self.id(property));
                edit.blocks.push((Block { id, nights, reason: Reason::Owner }, None));
            }
        }
        let intent = Intent::EditCalendar(Arc::new(edit));
        Wish { property, command: self.command(By::User(plan::host()), intent) }
    }

    /// The host edits a property as it is stored now. What matters here is that the edit takes a
    /// number among the bookings' and counts only on what its host saw: its facts stay.
    fn edit(&mut self, store: &Store, random: &mut Random) -> Wish {
        let property = random.below(self.properties);
        let table = &store.tables[property];
        let page = Page {
            title: String::new(),
            description: String::new(),
            address: String::new(),
            city: String::new(),
            country: String::new(),
            latitude: None,
            longitude: None,
            amenities: Vec::new(),
            blind_reviews: false,
        };
        let edit = Edit {
            facts: table.property.clone(),
            page,
            amenities_added: Vec::new(),
            amenities_removed: Vec::new(),
            seen: table.property_seq,
        };
        let intent = Intent::Edit(Arc::new(edit));
        Wish { property, command: self.command(By::User(plan::host()), intent) }
    }

    fn pay(&mut self, known: Known, amount: i64) -> Wish {
        let Known { property, booking, payment, .. } = known;
        let currency = "USD".parse().expect("a currency");
        let step = Step::Pay { payment, amount, currency };
        Wish { property, command: self.command(By::Provider, Intent::Step { booking, step }) }
    }

    /// The provider's word on an attempt at this booking, as it stands in the store.
    pub(crate) fn pay_booking(&mut self, property: usize, booking: &Booking) -> Wish {
        let payment = booking.attempt.map(|attempt| attempt.payment);
        let payment = payment.unwrap_or_else(|| PaymentId(self.id(property)));
        let (guest, total) = (booking.guest, booking.total);
        self.pay(Known { property, booking: booking.id, guest, payment, total }, total)
    }

    fn pay_late(&mut self, store: &Store, random: &mut Random) -> Option<Wish> {
        let property = random.below(self.properties);
        let expired: Vec<&Booking> = store.tables[property].expired().collect();
        let booking = (*expired.get(random.below(expired.len()))?).clone();
        Some(self.pay_booking(property, &booking))
    }

    /// Something that was asked under a key before, as it was or changed.
    fn repeat(&mut self, random: &mut Random) -> Wish {
        let old = self.keyed[random.below(self.keyed.len())].clone();
        let mut wish = self.again(&old);
        let caller = wish.command.key.as_ref().map_or(user(0), |key| key.caller);
        if let Intent::Book { booking, stay, .. } = &mut wish.command.intent {
            if random.chance(250) {
                *stay = Stay::new(stay.check_in(), stay.check_out().plus(1)).unwrap_or(*stay);
            } else if self.properties > 1 && random.chance(400) {
                wish.property = (wish.property + 1) % self.properties;
                *booking = BookingId(self.id(wish.property));
            }
        }
        let text = wish.command.key.as_ref().map_or_else(|| Arc::from(""), |k| Arc::clone(&k.text));
        wish.command.key = Some(key(caller, text, &wish));
        wish
    }

    /// The same request once more, as a client sends it who got no answer.
    pub(crate) fn again(&mut self, wish: &Wish) -> Wish {
        let mut wish = wish.clone();
        wish.command.id = self.id(wish.property);
        if let Intent::Book { booking, .. } = &mut wish.command.intent {
            *booking = BookingId(plan::property_id(wish.property).bind(self.id(wish.property)));
        }
        wish
    }

    fn under_key(&mut self, wish: Wish, caller: UserId, often: usize, random: &mut Random) -> Wish {
        if !random.chance(often) {
            return wish;
        }
        self.made += 1;
        let text = Arc::from(format!("key-{}", self.made));
        let mut wish = wish;
        wish.command.key = Some(key(caller, text, &wish));
        self.keyed.push(wish.clone());
        wish
    }

    fn command(&mut self, by: By, intent: Intent) -> Command {
        Command { id: self.id(0), by, key: None, intent }
    }

    fn id(&mut self, property: usize) -> Uuid {
        self.made += 1;
        plan::property_id(property).bind(Uuid::from_u128(self.made << 16))
    }
}

/// A guest by number.
pub(crate) fn user(number: usize) -> UserId {
    UserId(Uuid::from_u128(0x6e57_0000 + u128::try_from(number).expect("small")))
}

/// A key for exactly this request: the ids that the engine draws for it are no part of it.
fn key(caller: UserId, text: Arc<str>, wish: &Wish) -> Key {
    let body = match &wish.command.intent {
        Intent::Book { guest, stay, guests, offline, .. } => {
            format!("book {guest} {stay} {guests} {offline}")
        }
        other => format!("{other:?}"),
    };
    let body = format!("{} {body}", wish.property);
    Key { caller, text, request: EventHash::default().chain(body.as_bytes()).0 }
}
