//! A booking in bytes: its status, its money and the lines of its price.

use super::{CodecError, FIRST_VERSION, ONE_PAYMENT, Read, Reader, Writer};
use crate::booking::{Attempt, Booking, Change, Request, Taking};
use crate::price::{Basis, Kind, Line, Price};
use crate::{Awaiting, BookingId, PaymentId, QuoteId, Status, Stay, UserId};
use uuid::Uuid;

impl Writer {
    fn status(&mut self, status: Status) {
        match status {
            Status::Pending { awaiting, expires_at } => {
                self.u8(0);
                self.u8(awaiting as u8);
                self.instant(expires_at);
            }
            Status::Confirmed => self.u8(1),
            Status::Completed => self.u8(2),
            Status::Canceled => self.u8(3),
            Status::Declined => self.u8(4),
            Status::Expired => self.u8(5),
            Status::NoShow { free_from } => {
                self.u8(6);
                self.night(free_from);
            }
        }
    }

    pub(super) fn booking(&mut self, booking: &Booking) {
        self.uuid(booking.id.0);
        self.uuid(booking.guest.0);
        self.stay(booking.stay);
        self.u16(booking.guests);
        self.status(booking.status);
        self.i64(booking.total);
        self.text(booking.currency.code());
        self.uuid(booking.quote.map_or(Uuid::nil(), |quote| quote.0));
        self.uuid(booking.attempt.map_or(Uuid::nil(), |attempt| attempt.payment.0));
        self.flag(booking.has_live_attempt());
        self.i64(booking.paid);
        self.i64(booking.refunded);
        self.text(booking.policy.name());
        self.u32(booking.version);
        self.instant(booking.created_at);
        self.instant(booking.check_in_at);
        self.instant(booking.check_out_at);
        self.optional(booking.confirmed_at, Self::instant);
        self.price(&booking.price);
        self.flag(booking.offline);
        self.amendment(booking);
    }

    /// The change that waits for its payment, and the payments that were taken.
    pub(super) fn amendment(&mut self, booking: &Booking) {
        self.optional(booking.request.as_deref(), |w, request| {
            let Request { change, expires_at, releasing } = request;
            w.stay(change.stay);
            w.u16(change.guests);
            w.price(&change.price);
            w.instant(change.hours.0);
            w.instant(change.hours.1);
            w.instant(*expires_at);
            w.flag(*releasing);
        });
        self.length(booking.takings.len());
        for Taking { payment, held } in &booking.takings {
            self.uuid(payment.0);
            self.i64(*held);
        }
    }

    fn stay(&mut self, stay: Stay) {
        self.night(stay.check_in());
        self.night(stay.check_out());
    }

    pub(super) fn price(&mut self, price: &Price) {
        self.length(price.lines().len());
        for line in price.lines() {
            self.line(line);
        }
    }

    fn line(&mut self, line: &Line) {
        match &line.kind {
            Kind::Nights { from } => {
                self.u8(0);
                self.night(*from);
            }
            Kind::ExtraGuests => self.u8(1),
            Kind::WeeklyDiscount => self.u8(2),
            Kind::MonthlyDiscount => self.u8(3),
            Kind::CleaningFee => self.u8(4),
            Kind::ServiceFee => self.u8(5),
            Kind::Tax { name, included } => {
                self.u8(6);
                self.text(name);
                self.flag(*included);
            }
            Kind::Rounding => self.u8(7),
            Kind::Goodwill => self.u8(8),
        }
        match line.basis {
            Basis::Each { quantity, unit } => {
                self.u8(0);
                self.u32(quantity);
                self.i64(unit);
            }
            Basis::Share { basis_points, of } => {
                self.u8(1);
                self.u32(basis_points);
                self.i64(of);
            }
        }
    }
}

impl Reader<'_> {
    fn status(&mut self) -> Read<Status> {
        Ok(match self.u8()? {
            0 => {
                let awaiting = match self.u8()? {
                    0 => Awaiting::Payment,
                    1 => Awaiting::Host,
                    2 => Awaiting::Release,
                    _ => return Err(CodecError::Value("awaiting")),
                };
                Status::Pending { awaiting, expires_at: self.instant()? }
            }
            1 => Status::Confirmed,
            2 => Status::Completed,
            3 => Status::Canceled,
            4 => Status::Declined,
            5 => Status::Expired,
            6 => Status::NoShow { free_from: self.night()? },
            _ => return Err(CodecError::Value("status")),
        })
    }

    pub(super) fn booking(&mut self) -> Read<Booking> {
        let mut booking = Booking {
            id: BookingId(self.uuid()?),
            guest: UserId(self.uuid()?),
            stay: self.stay()?,
            guests: self.u16()?,
            status: self.status()?,
            total: self.i64()?,
            price: Price::of(Vec::new()),
            currency: self.parsed("currency")?,
            quote: self.optional_uuid()?.map(QuoteId),
            attempt: {
                match (self.optional_uuid()?, self.flag()?) {
                    (None, true) => return Err(CodecError::Value("attempt")),
                    (payment, live) => {
                        payment.map(|payment| Attempt { payment: PaymentId(payment), live })
                    }
                }
            },
            takings: Vec::new(),
            offline: false,
            paid: self.i64()?,
            refunded: self.i64()?,
            policy: self.parsed("policy")?,
            request: None,
            version: self.u32()?,
            created_at: self.instant()?,
            confirmed_at: None,
            check_in_at: self.instant()?,
            check_out_at: self.instant()?,
        };
        if self.version == FIRST_VERSION {
            booking.price = Price::even(booking.stay, booking.total);
        } else {
            booking.confirmed_at = self.optional(Self::instant)?;
            booking.price = self.price()?;
        }
        if self.version <= ONE_PAYMENT {
            booking.takings = booking.only_taking();
        } else {
            booking.offline = self.flag()?;
            self.amendment(&mut booking)?;
        }
        Ok(booking)
    }

    pub(super) fn amendment(&mut self, booking: &mut Booking) -> Read<()> {
        let request = self.optional(|r| {
            Ok(Request {
                change: Change {
                    stay: r.stay()?,
                    guests: r.u16()?,
                    price: r.price()?,
                    hours: (r.instant()?, r.instant()?),
                },
                expires_at: r.instant()?,
                releasing: r.flag()?,
            })
        })?;
        booking.request = request.map(Box::new);
        booking.takings =
            self.list(|r| Ok(Taking { payment: PaymentId(r.uuid()?), held: r.i64()? }))?;
        Ok(())
    }

    fn stay(&mut self) -> Read<Stay> {
        let (check_in, check_out) = (self.night()?, self.night()?);
        Stay::new(check_in, check_out).map_err(|_| CodecError::Value("stay"))
    }

    pub(super) fn price(&mut self) -> Read<Price> {
        self.list(Self::line).map(Price::of)
    }

    fn line(&mut self) -> Read<Line> {
        let kind = match self.u8()? {
            0 => Kind::Nights { from: self.night()? },
            1 => Kind::ExtraGuests,
            2 => Kind::WeeklyDiscount,
            3 => Kind::MonthlyDiscount,
            4 => Kind::CleaningFee,
            5 => Kind::ServiceFee,
            6 => Kind::Tax { name: self.text()?.into(), included: self.flag()? },
            7 => Kind::Rounding,
            8 => Kind::Goodwill,
            _ => return Err(CodecError::Value("line")),
        };
        let basis = match self.u8()? {
            0 => Basis::Each { quantity: self.u32()?, unit: self.i64()? },
            1 => Basis::Share { basis_points: self.u32()?, of: self.i64()? },
            _ => return Err(CodecError::Value("basis")),
        };
        Ok(Line { kind, basis })
    }
}
