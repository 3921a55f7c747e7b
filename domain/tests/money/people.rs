//! Guests and hosts: what they do about bookings, and what guests do at a provider's page.

use crate::coverage::Reached;
use crate::oracle::Checked;
use crate::plan::{MINUTE, host};
use crate::provider::Visit;
use crate::world::{Told, World};
use domain::booking::Step;
use domain::command::Intent;
use domain::event::By;
use domain::{Awaiting, Booking, BookingId, PaymentId, Status, Stay, UserId};
use std::sync::Arc;
use uuid::Uuid;

/// What somebody does about a booking.
#[derive(Clone, Copy, Debug)]
enum Deed {
    Pay,
    Cancel,
    HostCancels,
    Accept,
    Decline,
    /// The host accepts in the same moment in which the guest cancels.
    Both,
    Change,
    Refund,
    NoShow,
}

const WHILE_PAYMENT: [(usize, Deed); 4] =
    [(60, Deed::Pay), (8, Deed::Cancel), (4, Deed::HostCancels), (8, Deed::Change)];
const WHILE_HOST: [(usize, Deed); 7] = [
    (50, Deed::Pay),
    (14, Deed::Accept),
    (7, Deed::Decline),
    (6, Deed::Cancel),
    (2, Deed::HostCancels),
    (7, Deed::Both),
    (6, Deed::Change),
];
const WHILE_CONFIRMED: [(usize, Deed); 6] = [
    (12, Deed::Cancel),
    (4, Deed::HostCancels),
    (30, Deed::Change),
    (30, Deed::Pay),
    (8, Deed::Refund),
    (10, Deed::NoShow),
];
const AFTERWARDS: [(usize, Deed); 3] = [(2, Deed::Refund), (1, Deed::Pay), (1, Deed::Cancel)];

impl World {
    /// Somebody books, or does something about a booking.
    pub(crate) fn act_as_person(&mut self) -> Checked {
        let bookings: Vec<Booking> = self.store.bookings.values().cloned().collect();
        let live = bookings.iter().filter(|booking| booking.status.is_live()).count();
        if live == 0 || self.random.chance(200) {
            return self.book();
        }
        // What is over concerns people less than what is not.
        let is_over = self.random.chance(80);
        let of_interest: Vec<&Booking> =
            bookings.iter().filter(|booking| booking.status.is_live() != is_over).collect();
        let Some(booking) = of_interest.get(self.random.below(of_interest.len())) else {
            return Ok(());
        };
        // Most guests want what they asked for, and try again when a payment came to nothing.
        let may_pay = booking.paid == 0 && !booking.has_live_attempt();
        let tries = may_pay && self.random.chance(500);
        let deed = match booking.status {
            Status::Pending { .. } if tries => Deed::Pay,
            Status::Pending { awaiting: Awaiting::Host, .. } => self.random.weighted(&WHILE_HOST),
            Status::Pending { .. } => self.random.weighted(&WHILE_PAYMENT),
            Status::Confirmed => self.random.weighted(&WHILE_CONFIRMED),
            _ => self.random.weighted(&AFTERWARDS),
        };
        self.note(|_| format!("{deed:?} of {} ({:?})", booking.id, booking.status));
        self.do_deed(deed, booking)
    }

    fn book(&mut self) -> Checked {
        let number = self.random.below(self.plan.guests);
        let guest = UserId(Uuid::from_u128(0x9000 + u128::try_from(number).expect("small")));
        let booking = BookingId(self.id());
        let (stay, guests) = self.wish();
        self.note(|_| format!("{guest:?} wants {stay} as {booking}"));
        let intent = Intent::Book {
            booking,
            guest,
            stay,
            guests,
            quote: None,
            no_room: None,
            offline: false,
        };
        self.decide(By::User(guest), intent).map(|_| ())
    }

    /// Some of the nights that everybody wants.
    fn wish(&mut self) -> (Stay, u16) {
        // When those are over, people want what comes next.
        let first = self.plan.first_night.max(self.plan.property.today(self.now));
        let window = i64::from(self.plan.window);
        let from = self.random.between(0, window - 1);
        let nights = self.random.between(1, (window - from).min(3));
        let small = |days: i64| i32::try_from(days).expect("a few days");
        let check_in = first.plus(small(from));
        let stay = Stay::new(check_in, check_in.plus(small(nights))).expect("a night at least");
        (stay, self.random.weighted(&[(3, 2), (1, 3)]))
    }

    fn do_deed(&mut self, deed: Deed, of: &Booking) -> Checked {
        let booking = of.id;
        let (by_guest, by_host) = (By::User(of.guest), By::User(host()));
        let step = |step| Intent::Step { booking, step };
        let pay_by = self.now.plus(MINUTE * 15);
        let (by, intent) = match deed {
            Deed::Pay => return self.start_to_pay(of),
            Deed::Cancel => (by_guest, step(Step::Cancel { by_guest: true })),
            Deed::HostCancels => {
                let reopen = self.random.chance(700);
                (by_host, Intent::CancelAsHost { booking, reopen })
            }
            Deed::Accept => (by_host, step(Step::Accept { pay_by })),
            Deed::Decline => (by_host, step(Step::Decline)),
            Deed::Change => {
                let (stay, guests) = self.wish();
                (by_guest, Intent::Change { booking, seen: of.version, stay, guests })
            }
            Deed::NoShow => {
                let waive = self.random.chance(500);
                let today = self.plan.property.today(self.now);
                (by_host, step(Step::NoShow { today, waive }))
            }
            Deed::Refund => {
                let Some(taking) = of.takings.get(self.random.below(of.takings.len())) else {
                    return Ok(());
                };
                // Now and then all of it, or more than there is.
                let amount = self.random.weighted(&[
                    (5, taking.held / 3),
                    (1, taking.held),
                    (1, taking.held + 1),
                ]);
                (by_host, step(Step::Refund { payment: taking.payment, amount }))
            }
            Deed::Both => {
                let mut both = [
                    (by_host, step(Step::Accept { pay_by })),
                    (by_guest, step(Step::Cancel { by_guest: true })),
                ];
                if self.random.chance(500) {
                    both.reverse();
                }
                if of.retained() > 0 {
                    self.reach(Reached::AcceptMeetsCancel);
                }
                for (by, intent) in both {
                    self.decide(by, intent)?;
                }
                return Ok(());
            }
        };
        self.decide(by, intent).map(|_| ())
    }

    /// A guest begins to pay, or finds the attempt that is open.
    fn start_to_pay(&mut self, of: &Booking) -> Checked {
        let payment = PaymentId(self.id());
        let provider = self.random.weighted(&[(3, "card"), (2, "phone")]);
        let intent = Intent::StartAttempt {
            booking: of.id,
            payment,
            provider: Arc::from(provider),
            method: Arc::from(""),
            return_url: Arc::from(""),
        };
        let told = self.decide(By::User(of.guest), intent)?;
        if let Told::Done = told {
            self.note(|_| format!("  pays by {provider} with {payment}"));
        }
        Ok(())
    }

    /// A guest is at a provider's page, or has the phone in hand, whatever became of the booking.
    pub(crate) fn visit(&mut self) {
        let orders = self.provider.orders.iter();
        let open: Vec<usize> =
            (0..).zip(orders).filter(|(_, order)| order.is_open()).map(|(at, _)| at).collect();
        let Some(&at) = open.get(self.random.below(open.len())) else { return };
        let visit =
            self.random.weighted(&[(6, Visit::Pays), (2, Visit::PaysSlowly), (2, Visit::Fails)]);
        self.provider.visit(at, visit, self.now);
        self.note(|world| {
            let order = world.provider.orders.get(at);
            let told = order.map(|order| (order.payment, order.kind, order.standing));
            format!("{visit:?}: {told:?}")
        });
    }
}
