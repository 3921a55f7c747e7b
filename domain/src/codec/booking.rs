//! A booking in bytes: its status, its money and the lines of its price.

use super::{CodecError, FIRST_VERSION, OFFLINE_VERSION, Read, Reader, Writer};
use crate::booking::{Attempt, Booking};
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
        self.night(booking.stay.check_in());
        self.night(booking.stay.check_out());
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
            stay: {
                let (check_in, check_out) = (self.night()?, self.night()?);
                Stay::new(check_in, check_out).map_err(|_| CodecError::Value("stay"))?
            },
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
            offline: false,
            paid: self.i64()?,
            refunded: self.i64()?,
            policy: self.parsed("policy")?,
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
        if self.version >= OFFLINE_VERSION {
            booking.offline = self.flag()?;
        }
        Ok(booking)
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
