//! What a seed's run is made of: how many of everything, and how bad the weather is.

use crate::random::Random;
use domain::money::Currency;
use domain::policy::Policy;
use domain::property::{CHECK_IN_FROM, CHECK_OUT_BY, Listing};
use domain::state::Settings;
use domain::switches::Switches;
use domain::zone::Zone;
use domain::{Instant, Night, Property, PropertyId, UserId};
use std::sync::Arc;
use uuid::Uuid;

/// 2026-12-01, the day on which every run begins, in days since 1970-01-01.
const FIRST_DAY: i32 = 20_788;
/// How many days after the first day the nights begin that everybody wants.
const LEAD_DAYS: i32 = 2;
pub(crate) const MICROS_A_DAY: i64 = 24 * 60 * 60 * 1_000_000;

/// How often things go wrong, in a thousand chances each.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Weather {
    /// The connection is lost in a transaction: before it took effect, and after.
    pub(crate) lost_before: usize,
    pub(crate) lost_after: usize,
    /// A whole batch fails for a reason of its own, like a deadlock.
    pub(crate) batch_fails: usize,
    /// The database refuses this one command.
    pub(crate) poison: usize,
    /// Something takes long: a transaction, a load, a message.
    pub(crate) slow: usize,
}

/// The size and the weather of one run.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) settings: Settings,
    pub(crate) properties: usize,
    pub(crate) nodes: usize,
    pub(crate) acts: usize,
    pub(crate) clients: usize,
    /// The number of nights that everybody wants.
    pub(crate) window: i32,
    pub(crate) weather: Weather,
    /// The longest pause between two faults, in microseconds.
    pub(crate) fault_pause: i64,
    /// Several hundred clients come at once and want different nights.
    pub(crate) flood: bool,
    /// The successor of an actor that died begins only when the lane is done with the groups that
    /// it left. It must, where no look at the head comes before a refusal, or where requests that
    /// the dead one had not answered are sent again; here this is one switch for both.
    pub(crate) heirs_wait: bool,
    /// Somebody wrote into the table of occupied nights by hand.
    pub(crate) tampered: bool,
}

impl Plan {
    /// The plan of a seed, with these bugs planted.
    pub(crate) fn draw(random: &mut Random, switches: Switches) -> Self {
        let nodes = if random.chance(700) { 2 } else { 1 };
        let flood = random.chance(12);
        let calm = random.chance(150);
        let rate = |most: i64, random: &mut Random| {
            let drawn = usize::try_from(random.between(0, most)).expect("not negative");
            if calm { 0 } else { drawn }
        };
        Self {
            properties: 1 + random.below(3),
            nodes,
            acts: if flood { 20 } else { 40 + random.below(80) },
            clients: 2 + random.below(6),
            window: i32::try_from(random.between(5, 14)).expect("small"),
            weather: Weather {
                lost_before: rate(40, random),
                lost_after: rate(40, random),
                batch_fails: rate(60, random),
                poison: rate(40, random),
                slow: rate(60, random),
            },
            fault_pause: if calm { 2_000_000 } else { random.between(50_000, 400_000) },
            flood,
            heirs_wait: nodes == 1 || random.chance(500),
            tampered: random.chance(60),
            settings: Settings {
                shared: nodes > 1,
                // Where it holds, few meet on the same nights: most runs go without.
                one_pending_each: !flood && random.chance(150),
                switches,
                ..Settings::default()
            },
        }
    }
}

/// When every run begins: noon of its first day.
pub(crate) fn start() -> Instant {
    Instant::from_micros(i64::from(FIRST_DAY) * MICROS_A_DAY + MICROS_A_DAY / 2)
}

/// The first night that anybody wants.
pub(crate) fn first_night() -> Night {
    Night::from_days(FIRST_DAY + LEAD_DAYS).expect("a night that can be named")
}

/// The host of every property.
pub(crate) fn host() -> UserId {
    UserId(Uuid::from_u128(0xb057))
}

/// The property of this number; one of its kind is free of charge, one asks its host first.
pub(crate) fn property(index: usize, random: &mut Random) -> Property {
    Property {
        id: property_id(index),
        host: host(),
        listing: Listing::Listed,
        zone: Zone::named("UTC").expect("a zone"),
        price_per_night: if random.chance(100) { 0 } else { 10_000 },
        currency: "USD".parse::<Currency>().expect("a currency"),
        max_guests: 4,
        instant_book: !random.chance(150),
        check_in_from: CHECK_IN_FROM,
        check_out_by: CHECK_OUT_BY,
        policy: Policy::Flexible,
        rules: Arc::default(),
    }
}

/// The id of the property of this number.
pub(crate) fn property_id(index: usize) -> PropertyId {
    PropertyId(Uuid::from_u128(0xca1e_0000 + u128::try_from(index).expect("small")))
}

/// The number of the property with this id.
pub(crate) fn index_of(property: PropertyId) -> usize {
    usize::from(property.shard())
}
