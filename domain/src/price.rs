//! What a stay costs: lines that can be recomputed from what they show, and that add up.
//!
//! Order: the nights (runs of equal price), extra guests; minus one length-of-stay discount, the
//! largest that applies; the cleaning fee; the service fee; taxes. Each line is rounded half up by
//! itself, then lines are summed, so that the total is the sum of what is shown.

use crate::money;
use crate::rules::{Fees, Rates, Tax, TaxRate, Toll};
use crate::{Night, Stay};
use std::sync::Arc;

/// What a line is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Nights from this one on, as many as the line counts, all at one price.
    Nights {
        from: Night,
    },
    /// Guests above those that the price of a night includes, counted once for each night.
    ExtraGuests,
    WeeklyDiscount,
    MonthlyDiscount,
    CleaningFee,
    ServiceFee,
    Tax {
        name: Arc<str>,
        /// Whether the other lines contain it already: then it is shown and not added.
        included: bool,
    },
    /// Up to the next whole unit, where a means of payment knows no smaller ones.
    Rounding,
    /// What the host gave back although the policy did not ask for it.
    Goodwill,
}

impl Kind {
    /// The name in answers and rows.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Nights { .. } => "nights",
            Self::ExtraGuests => "extra_guests",
            Self::WeeklyDiscount => "weekly_discount",
            Self::MonthlyDiscount => "monthly_discount",
            Self::CleaningFee => "cleaning_fee",
            Self::ServiceFee => "service_fee",
            Self::Tax { .. } => "tax",
            Self::Rounding => "rounding",
            Self::Goodwill => "goodwill",
        }
    }

    const fn is_taken_off(&self) -> bool {
        matches!(self, Self::WeeklyDiscount | Self::MonthlyDiscount | Self::Goodwill)
    }

    const fn is_included(&self) -> bool {
        matches!(self, Self::Tax { included: true, .. })
    }
}

/// How a line's amount comes about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// So many times so much, in minor units.
    Each { quantity: u32, unit: i64 },
    /// So many basis points of so much.
    Share { basis_points: u32, of: i64 },
}

/// One line of a price.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub kind: Kind,
    pub basis: Basis,
}

impl Line {
    /// The line's amount in minor units: below zero for a discount.
    pub fn amount(&self) -> i64 {
        let amount = match self.basis {
            Basis::Each { quantity, unit } => unit.saturating_mul(i64::from(quantity)),
            Basis::Share { basis_points, of } if self.kind.is_included() => {
                money::part_within(of, basis_points)
            }
            Basis::Share { basis_points, of } => money::share(of, basis_points),
        };
        if self.kind.is_taken_off() { -amount } else { amount }
    }

    /// What the line adds to the total.
    fn added(&self) -> i64 {
        if self.kind.is_included() { 0 } else { self.amount() }
    }
}

/// The price of a stay, line by line. A copy shares the lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Price {
    lines: Arc<[Line]>,
}

impl Price {
    /// A price of these lines, in the order in which they are shown.
    pub fn of(lines: Vec<Line>) -> Self {
        Self { lines: lines.into() }
    }

    /// A price of nights that all cost the same; what does not divide is the first night's.
    pub fn even(stay: Stay, total: i64) -> Self {
        let each = total / i64::from(stay.nights());
        let rest = total % i64::from(stay.nights());
        let first = stay.check_in();
        Self::of(nights(stay, |night| if night == first { each + rest } else { each }))
    }

    /// The lines in the order in which they are shown.
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// The sum in minor units, never below 0.
    pub fn total(&self) -> i64 {
        self.lines.iter().fold(0_i64, |sum, line| sum.saturating_add(line.added())).max(0)
    }

    /// The same with another amount of this kind at its end, in minor units.
    #[must_use]
    pub fn with(&self, kind: Kind, amount: i64) -> Self {
        let line = Line { kind, basis: Basis::Each { quantity: 1, unit: amount } };
        Self { lines: self.lines.iter().cloned().chain([line]).collect() }
    }

    /// What all lines of a kind that is told by its name come to.
    pub fn of_kind(&self, kind: &Kind) -> i64 {
        self.lines.iter().filter(|line| line.kind == *kind).map(Line::amount).sum()
    }

    /// What this night costs by itself, where the price has it.
    pub fn of_night(&self, night: Night) -> Option<i64> {
        self.lines.iter().find_map(|line| match (&line.kind, line.basis) {
            (Kind::Nights { from }, Basis::Each { quantity, unit })
                if (0..i64::from(quantity)).contains(&i64::from(night.days() - from.days())) =>
            {
                Some(unit)
            }
            _ => None,
        })
    }
}

/// From how many nights on the two discounts apply.
const WEEK: i32 = 7;
const MONTH: i32 = 28;

/// The price of a stay with these rates, where `of_night` says what each night costs.
pub fn price(rates: &Rates, stay: Stay, guests: u16, of_night: impl Fn(Night) -> i64) -> Price {
    let mut lines = nights(stay, of_night);
    let count = u32::try_from(stay.nights()).unwrap_or_default();
    if let Some(Toll { included, per_night }) = rates.extra_guests
        && guests > included
    {
        let quantity = count * u32::from(guests - included);
        lines.push(Line {
            kind: Kind::ExtraGuests,
            basis: Basis::Each { quantity, unit: per_night },
        });
    }
    let share = |basis_points, lines: &[Line]| Basis::Share { basis_points, of: sum(lines) };
    let weekly =
        (stay.nights() >= WEEK).then_some((rates.weekly_discount_bp, Kind::WeeklyDiscount));
    let monthly =
        (stay.nights() >= MONTH).then_some((rates.monthly_discount_bp, Kind::MonthlyDiscount));
    // One discount: the largest that applies.
    if let Some((basis_points, kind)) = weekly.into_iter().chain(monthly).max_by_key(|(bp, _)| *bp)
        && basis_points > 0
    {
        lines.push(Line { kind, basis: share(basis_points, &lines) });
    }
    let Fees { cleaning, service_bp } = rates.fees;
    if cleaning > 0 {
        let basis = Basis::Each { quantity: 1, unit: cleaning };
        lines.push(Line { kind: Kind::CleaningFee, basis });
    }
    if service_bp > 0 {
        lines.push(Line { kind: Kind::ServiceFee, basis: share(service_bp, &lines) });
    }
    let untaxed = sum(&lines);
    lines.extend(rates.taxes.iter().map(|tax| tax_line(tax, untaxed, count * u32::from(guests))));
    Price::of(lines)
}

/// The nights in runs of equal price.
fn nights(stay: Stay, of_night: impl Fn(Night) -> i64) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::with_capacity(1);
    for night in stay.each_night() {
        let price = of_night(night);
        match lines.last_mut() {
            Some(Line { basis: Basis::Each { quantity, unit }, .. }) if *unit == price => {
                *quantity += 1;
            }
            _ => lines.push(Line {
                kind: Kind::Nights { from: night },
                basis: Basis::Each { quantity: 1, unit: price },
            }),
        }
    }
    lines
}

/// A tax on everything above it, or on each night of each guest. Taxes are not taxed.
fn tax_line(tax: &Tax, untaxed: i64, guest_nights: u32) -> Line {
    let basis = match tax.rate {
        TaxRate::Share { basis_points } => Basis::Share { basis_points, of: untaxed },
        TaxRate::PerGuestNight { amount } => Basis::Each { quantity: guest_nights, unit: amount },
    };
    Line { kind: Kind::Tax { name: Arc::clone(&tax.name), included: tax.included }, basis }
}

fn sum(lines: &[Line]) -> i64 {
    lines.iter().fold(0_i64, |sum, line| sum.saturating_add(line.added()))
}
