//! What a seed's run is made of: the property, how much happens, and how bad the weather is.

use crate::random::Random;
use domain::policy::Policy;
use domain::property::{CHECK_IN_FROM, CHECK_OUT_BY, Listing};
use domain::rules::{Fees, Rates, Rules, Toll};
use domain::zone::Zone;
use domain::{Currency, Instant, Night, Property, PropertyId, UserId};
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// 2026-12-01, the day on which every run begins, in days since 1970-01-01.
const FIRST_DAY: i32 = 20_788;
const MICROS_A_DAY: i64 = 24 * 60 * 60 * 1_000_000;

pub(crate) const MINUTE: Duration = Duration::from_secs(60);
pub(crate) const HOUR: Duration = Duration::from_secs(60 * 60);
pub(crate) const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// How often things go wrong, in a thousand chances each.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Weather {
    /// A request to a provider is lost before it arrives, and its answer after it took effect.
    pub(crate) request_lost: usize,
    pub(crate) answer_lost: usize,
    /// A request arrives when whoever sent it has given it up.
    pub(crate) late: usize,
    /// The provider has no time to listen.
    pub(crate) busy: usize,
    /// The provider refuses what it might as well do.
    pub(crate) refused: usize,
    /// The provider mixes up what an order is for.
    pub(crate) mixed_up: usize,
    /// What was authorized is not to be had any more.
    pub(crate) revoked: usize,
    /// The process dies: between two steps, and instead of a commit.
    pub(crate) crash: usize,
    pub(crate) commit_lost: usize,
    /// What becomes of an event.
    pub(crate) dropped: usize,
    pub(crate) doubled: usize,
    pub(crate) delayed: usize,
}

/// The size and the weather of one run.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) property: Property,
    /// The first of the nights that everybody wants, and how many they are.
    pub(crate) first_night: Night,
    pub(crate) window: i32,
    pub(crate) guests: usize,
    pub(crate) steps: usize,
    pub(crate) weather: Weather,
}

impl Plan {
    /// The plan of a seed.
    pub(crate) fn draw(random: &mut Random) -> Self {
        let calm = random.chance(150);
        let mut rate = |most: i64| {
            let drawn = usize::try_from(random.between(0, most)).expect("not negative");
            if calm { 0 } else { drawn }
        };
        let weather = Weather {
            request_lost: rate(80),
            answer_lost: rate(120),
            late: rate(200),
            busy: rate(80),
            mixed_up: rate(20),
            refused: rate(100),
            revoked: rate(200),
            crash: rate(60),
            commit_lost: rate(60),
            dropped: rate(700),
            doubled: rate(200),
            delayed: rate(400),
        };
        let lead = random.weighted(&[(3, 1), (3, 3), (2, 8), (2, 20)]);
        let first = Night::from_days(FIRST_DAY + lead).expect("a night that can be named");
        Self {
            property: property(random),
            first_night: first,
            window: i32::try_from(random.between(3, 7)).expect("small"),
            guests: 2 + random.below(3),
            steps: 300 + random.below(900),
            weather,
        }
    }
}

/// When every run begins: noon of its first day.
pub(crate) fn start() -> Instant {
    Instant::from_micros(i64::from(FIRST_DAY) * MICROS_A_DAY + MICROS_A_DAY / 2)
}

/// The host of the property.
pub(crate) fn host() -> UserId {
    UserId(Uuid::from_u128(0xb057))
}

/// A property that is often odd to the cent, so that halves have something to round.
fn property(random: &mut Random) -> Property {
    let policies = [
        (3, Policy::Flexible),
        (4, Policy::Moderate),
        (3, Policy::Strict),
        (1, Policy::NonRefundable),
    ];
    let price_per_night = random.weighted(&[(1, 0), (9, 3_333), (9, 10_001), (6, 20_000)]);
    let cleaning = random.weighted(&[(3, 0), (1, 1_999)]);
    let service_bp = random.weighted(&[(3, 0), (1, 750)]);
    let rates = Rates {
        extra_guests: Some(Toll { included: 2, per_night: 505 }),
        fees: Fees { cleaning, service_bp },
        ..Rates::default()
    };
    let currency = random.weighted(&[(3, "USD"), (2, "KES"), (1, "JPY")]);
    Property {
        id: PropertyId(Uuid::from_u128(0xca1e)),
        host: host(),
        listing: Listing::Listed,
        zone: Zone::named("UTC").expect("a zone"),
        price_per_night,
        currency: currency.parse::<Currency>().expect("a currency"),
        max_guests: 4,
        instant_book: random.chance(500),
        check_in_from: CHECK_IN_FROM,
        check_out_by: CHECK_OUT_BY,
        policy: random.weighted(&policies),
        rules: Arc::new(Rules { rates, ..Rules::default() }),
    }
}
