//! A property's facts in bytes, with the rules that its host lays down.

use super::{CodecError, FIRST_VERSION, Read, Reader, Writer};
use crate::property::{Listing, Property};
use crate::rules::{Fees, Notice, Rates, Rules, Season, Tax, TaxRate, Terms, Toll};
use crate::zone::Zone;
use crate::{PropertyId, UserId};
use jiff::civil::Time;
use std::sync::Arc;

impl Writer {
    pub(super) fn property(&mut self, property: &Property) {
        self.uuid(property.id.0);
        self.uuid(property.host.0);
        self.text(property.listing.name());
        self.text(property.zone.name());
        self.i64(property.price_per_night);
        self.text(property.currency.code());
        self.u16(property.max_guests);
        self.flag(property.instant_book);
        self.time(property.check_in_from);
        self.time(property.check_out_by);
        self.text(property.policy.name());
        self.rules(&property.rules);
    }

    pub(super) fn rules(&mut self, rules: &Rules) {
        self.terms(&rules.default);
        for terms in &rules.weekdays {
            self.terms(terms);
        }
        self.length(rules.seasons.len());
        for season in &rules.seasons {
            self.text(&season.name);
            self.night(season.from);
            self.night(season.to);
            self.terms(&season.terms);
        }
        self.u16(rules.notice.days);
        self.optional(rules.notice.cut_off, Self::time);
        self.optional(rules.window_days, Self::u16);
        self.u16(rules.preparation_nights);
        self.rates(&rules.rates);
    }

    pub(super) fn terms(&mut self, terms: &Terms) {
        self.optional(terms.price, Self::i64);
        self.optional(terms.min_nights, Self::u16);
        self.optional(terms.max_nights, Self::u16);
        self.optional(terms.closed_to_arrival, Self::flag);
        self.optional(terms.closed_to_departure, Self::flag);
    }

    fn rates(&mut self, rates: &Rates) {
        self.optional(rates.extra_guests, |w, toll| {
            w.u16(toll.included);
            w.i64(toll.per_night);
        });
        self.u32(rates.weekly_discount_bp);
        self.u32(rates.monthly_discount_bp);
        self.i64(rates.fees.cleaning);
        self.u32(rates.fees.service_bp);
        self.length(rates.taxes.len());
        for tax in &rates.taxes {
            self.text(&tax.name);
            match tax.rate {
                TaxRate::Share { basis_points } => {
                    self.u8(0);
                    self.u32(basis_points);
                }
                TaxRate::PerGuestNight { amount } => {
                    self.u8(1);
                    self.i64(amount);
                }
            }
            self.flag(tax.included);
        }
    }

    fn time(&mut self, time: Time) {
        self.u8(time.hour().unsigned_abs());
        self.u8(time.minute().unsigned_abs());
    }
}

impl Reader<'_> {
    /// A zone in the database's own spelling: each value has one form.
    fn zone(&mut self) -> Read<Zone> {
        let name = self.text()?;
        let zone = Zone::named(name).map_err(|_| CodecError::Value("zone"))?;
        if zone.name() == name { Ok(zone) } else { Err(CodecError::Value("zone")) }
    }

    pub(super) fn property(&mut self) -> Read<Property> {
        Ok(Property {
            id: PropertyId(self.uuid()?),
            host: UserId(self.uuid()?),
            listing: self.parsed::<Listing>("listing")?,
            zone: self.zone()?,
            price_per_night: self.i64()?,
            currency: self.parsed("currency")?,
            max_guests: self.u16()?,
            instant_book: self.flag()?,
            check_in_from: self.time()?,
            check_out_by: self.time()?,
            policy: self.parsed("policy")?,
            rules: Arc::new(match self.version {
                FIRST_VERSION => Rules::default(),
                _ => self.rules()?,
            }),
        })
    }

    pub(super) fn rules(&mut self) -> Read<Rules> {
        Ok(Rules {
            default: self.terms()?,
            weekdays: {
                let mut weekdays = [Terms::default(); 7];
                for terms in &mut weekdays {
                    *terms = self.terms()?;
                }
                weekdays
            },
            seasons: self.list(|r| {
                Ok(Season {
                    name: r.text()?.to_owned(),
                    from: r.night()?,
                    to: r.night()?,
                    terms: r.terms()?,
                })
            })?,
            notice: Notice { days: self.u16()?, cut_off: self.optional(Self::time)? },
            window_days: self.optional(Self::u16)?,
            preparation_nights: self.u16()?,
            rates: self.rates()?,
        })
    }

    pub(super) fn terms(&mut self) -> Read<Terms> {
        Ok(Terms {
            price: self.optional(Self::i64)?,
            min_nights: self.optional(Self::u16)?,
            max_nights: self.optional(Self::u16)?,
            closed_to_arrival: self.optional(Self::flag)?,
            closed_to_departure: self.optional(Self::flag)?,
        })
    }

    fn rates(&mut self) -> Read<Rates> {
        Ok(Rates {
            extra_guests: self
                .optional(|r| Ok(Toll { included: r.u16()?, per_night: r.i64()? }))?,
            weekly_discount_bp: self.u32()?,
            monthly_discount_bp: self.u32()?,
            fees: Fees { cleaning: self.i64()?, service_bp: self.u32()? },
            taxes: self.list(|r| {
                Ok(Tax {
                    name: r.text()?.into(),
                    rate: match r.u8()? {
                        0 => TaxRate::Share { basis_points: r.u32()? },
                        1 => TaxRate::PerGuestNight { amount: r.i64()? },
                        _ => return Err(CodecError::Value("tax")),
                    },
                    included: r.flag()?,
                })
            })?,
        })
    }

    fn time(&mut self) -> Read<Time> {
        let (hour, minute) = (self.u8()?, self.u8()?);
        let number = |n: u8| i8::try_from(n).map_err(|_| CodecError::Value("time"));
        Time::new(number(hour)?, number(minute)?, 0, 0).map_err(|_| CodecError::Value("time"))
    }
}
