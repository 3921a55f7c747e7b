//! Events in bytes: what is written is read, and nothing else is.

use crate::given;
use domain::block::{Block, Reason};
use domain::booking::{self, Attempt, Cause, Request, Taking};
use domain::calendar::{Change, Digest};
use domain::codec::{self, CodecError, decode, encode};
use domain::edit::{Edited, Offer};
use domain::event::{By, Event, EventHash, Fact};
use domain::policy::Policy;
use domain::price::{Basis, Kind, Line};
use domain::property::{Listing, MAX_GUESTS, MAX_PRICE};
use domain::rules::{Fees, Notice, Rates, Rules, Season, Tax, TaxRate, Terms, Toll};
use domain::zone::Zone;
use domain::{Awaiting, BlockId, Booking, BookingId, Currency, Instant, Month, Night, NightState};
use domain::{PaymentId, Price, Property, PropertyId, QuoteId, Status, Stay, UserId};
use jiff::civil::Time;
use proptest::prelude::*;
use std::sync::Arc;
use uuid::Uuid;

fn id() -> impl Strategy<Value = Uuid> {
    (1..=u128::MAX).prop_map(Uuid::from_u128)
}

fn instant() -> impl Strategy<Value = Instant> {
    any::<i64>().prop_map(Instant::from_micros)
}

fn night() -> impl Strategy<Value = Night> {
    (Night::MIN.days()..=Night::MAX.days()).prop_filter_map("a night", Night::from_days)
}

fn stay() -> impl Strategy<Value = Stay> {
    (Night::MIN.days()..=Night::MAX.days() - 730, 1..=730).prop_filter_map("a stay", |(from, n)| {
        let check_in = Night::from_days(from)?;
        Stay::new(check_in, check_in.plus(n)).ok()
    })
}

fn currency() -> impl Strategy<Value = Currency> {
    prop_oneof![Just("USD"), Just("KES"), Just("JPY"), Just("BHD")]
        .prop_map(|code| code.parse().expect("a currency"))
}

fn status() -> impl Strategy<Value = Status> {
    let awaiting =
        prop_oneof![Just(Awaiting::Payment), Just(Awaiting::Host), Just(Awaiting::Release)];
    prop_oneof![
        (awaiting, instant())
            .prop_map(|(awaiting, expires_at)| Status::Pending { awaiting, expires_at }),
        Just(Status::Confirmed),
        Just(Status::Completed),
        Just(Status::Canceled),
        Just(Status::Declined),
        Just(Status::Expired),
        night().prop_map(|free_from| Status::NoShow { free_from }),
    ]
}

fn request() -> impl Strategy<Value = Request> {
    let price = prop::collection::vec(line(), 0..4).prop_map(Price::of);
    let wish = (stay(), any::<u16>(), price, instant(), instant());
    (wish, instant(), any::<bool>()).prop_map(|(wish, expires_at, releasing)| {
        let (stay, guests, price, check_in_at, check_out_at) = wish;
        let change = booking::Change { stay, guests, price, hours: (check_in_at, check_out_at) };
        Request { change, expires_at, releasing }
    })
}

fn booking() -> impl Strategy<Value = Booking> {
    let attempt =
        (id(), any::<bool>()).prop_map(|(id, live)| Attempt { payment: PaymentId(id), live });
    let who = (id(), id(), stay(), any::<u16>(), status(), any::<bool>());
    let money = (any::<i64>(), currency(), any::<i64>(), any::<i64>());
    let taking =
        (id(), any::<i64>()).prop_map(|(id, held)| Taking { payment: PaymentId(id), held });
    let links = (
        prop::option::of(id().prop_map(QuoteId)),
        prop::option::of(attempt),
        prop::collection::vec(taking, 0..3),
        prop::option::of(request()),
    );
    let times = (any::<u32>(), instant(), instant(), instant(), prop::option::of(instant()));
    let price = prop::collection::vec(line(), 0..4).prop_map(Price::of);
    (who, money, links, times, price).prop_map(|(who, money, links, times, price)| Booking {
        id: BookingId(who.0),
        guest: UserId(who.1),
        stay: who.2,
        guests: who.3,
        status: who.4,
        price,
        total: money.0,
        currency: money.1,
        quote: links.0,
        attempt: links.1,
        takings: links.2,
        offline: who.5,
        paid: money.2,
        refunded: money.3,
        policy: Policy::Flexible,
        request: links.3.map(Box::new),
        version: times.0,
        created_at: times.1,
        check_in_at: times.2,
        check_out_at: times.3,
        confirmed_at: times.4,
    })
}

fn time() -> impl Strategy<Value = Time> {
    (0..24_i8, 0..60_i8).prop_map(|(hour, minute)| Time::constant(hour, minute, 0, 0))
}

fn terms() -> impl Strategy<Value = Terms> {
    use prop::option::of;
    let flags = (of(any::<bool>()), of(any::<bool>()));
    (of(any::<i64>()), of(any::<u16>()), of(any::<u16>()), flags).prop_map(
        |(price, min_nights, max_nights, (closed_to_arrival, closed_to_departure))| Terms {
            price,
            min_nights,
            max_nights,
            closed_to_arrival,
            closed_to_departure,
        },
    )
}

fn rates() -> impl Strategy<Value = Rates> {
    let rate = prop_oneof![
        any::<u32>().prop_map(|basis_points| TaxRate::Share { basis_points }),
        any::<i64>().prop_map(|amount| TaxRate::PerGuestNight { amount }),
    ];
    let tax = ("[a-zé]{0,5}", rate, any::<bool>()).prop_map(|(name, rate, included)| Tax {
        name: name.into(),
        rate,
        included,
    });
    let toll = (any::<u16>(), any::<i64>());
    let toll = toll.prop_map(|(included, per_night)| Toll { included, per_night });
    let taxes = prop::collection::vec(tax, 0..3);
    (prop::option::of(toll), any::<[u32; 3]>(), any::<i64>(), taxes).prop_map(
        |(extra_guests, [weekly, monthly, service_bp], cleaning, taxes)| Rates {
            extra_guests,
            weekly_discount_bp: weekly,
            monthly_discount_bp: monthly,
            fees: Fees { cleaning, service_bp },
            taxes,
        },
    )
}

fn rules() -> impl Strategy<Value = Rules> {
    let season = ("[a-zé]{0,5}", night(), night(), terms());
    let season = season.prop_map(|(name, from, to, terms)| Season { name, from, to, terms });
    let seasons = prop::collection::vec(season, 0..3);
    let weekdays = prop::collection::vec(terms(), 7);
    let notice = (any::<u16>(), prop::option::of(time()));
    let notice = notice.prop_map(|(days, cut_off)| Notice { days, cut_off });
    let rest = (notice, prop::option::of(any::<u16>()), any::<u16>(), rates());
    (terms(), weekdays, seasons, rest).prop_map(|(default, weekdays, seasons, rest)| Rules {
        default,
        weekdays: weekdays.try_into().expect("seven"),
        seasons,
        notice: rest.0,
        window_days: rest.1,
        preparation_nights: rest.2,
        rates: rest.3,
    })
}

fn line() -> impl Strategy<Value = Line> {
    let kind = prop_oneof![
        night().prop_map(|from| Kind::Nights { from }),
        Just(Kind::ExtraGuests),
        Just(Kind::WeeklyDiscount),
        Just(Kind::MonthlyDiscount),
        Just(Kind::CleaningFee),
        Just(Kind::ServiceFee),
        ("[a-zé]{0,5}", any::<bool>())
            .prop_map(|(name, included)| Kind::Tax { name: name.into(), included }),
    ];
    let basis = prop_oneof![
        (any::<u32>(), any::<i64>()).prop_map(|(quantity, unit)| Basis::Each { quantity, unit }),
        (any::<u32>(), any::<i64>())
            .prop_map(|(basis_points, of)| Basis::Share { basis_points, of }),
    ];
    (kind, basis).prop_map(|(kind, basis)| Line { kind, basis })
}

fn property() -> impl Strategy<Value = Property> {
    let zone = prop_oneof![
        Just("UTC"),
        Just("Africa/Nairobi"),
        Just("America/Argentina/Buenos_Aires"),
        Just("Pacific/Apia"),
    ];
    let zone = zone.prop_map(|name| Zone::named(name).expect("a zone"));
    let listing = prop::sample::select(vec![
        Listing::Draft,
        Listing::Listed,
        Listing::Unlisted,
        Listing::Archived,
    ]);
    let money = (0..=MAX_PRICE, currency());
    let hours = (1..=MAX_GUESTS, any::<bool>(), time(), time(), rules());
    (id(), id(), listing, zone, money, hours).prop_map(|(id, host, listing, zone, money, hours)| {
        Property {
            id: PropertyId(id),
            host: UserId(host),
            listing,
            zone,
            price_per_night: money.0,
            currency: money.1,
            max_guests: hours.0,
            instant_book: hours.1,
            check_in_from: hours.2,
            check_out_by: hours.3,
            policy: Policy::Flexible,
            rules: Arc::new(hours.4),
        }
    })
}

fn edited() -> impl Strategy<Value = Edited> {
    let block = (id(), stay(), prop::sample::select(Reason::ALL.to_vec()));
    let block = block.prop_map(|(id, nights, reason)| Block { id: BlockId(id), nights, reason });
    let terms = prop::collection::vec((night(), terms()), 0..3);
    let unblocked = prop::collection::vec(id().prop_map(BlockId), 0..3);
    (terms, prop::collection::vec(block, 0..3), unblocked)
        .prop_map(|(terms, blocked, unblocked)| Edited { terms, blocked, unblocked })
}

fn event() -> impl Strategy<Value = Event> {
    let by =
        prop_oneof![id().prop_map(|id| By::User(UserId(id))), Just(By::Clock), Just(By::Provider)];
    let fact = prop_oneof![
        property().prop_map(Fact::PropertyCreated),
        property().prop_map(Fact::PropertyChanged),
        (prop::sample::select(Cause::ALL.to_vec()), booking())
            .prop_map(|(cause, booking)| Fact::Booking(cause, booking)),
        edited().prop_map(Fact::CalendarEdited),
    ];
    let state = prop_oneof![
        Just(NightState::Available),
        instant().prop_map(|until| NightState::Held { until }),
        Just(NightState::Booked),
        Just(NightState::Blocked),
    ];
    let offer = (night(), night(), terms());
    let offer = offer.prop_map(|(from, to, terms)| Offer { from, to, terms });
    let change = (night(), night(), state);
    let change = change.prop_map(|(from, to, state)| Change { from, to, state });
    let month = (1970 * 12..2200 * 12).prop_filter_map("a month", Month::from_index);
    let digest = (month, any::<u32>().prop_map(Digest));
    let (changes, digests) =
        (prop::collection::vec(change, 0..4), prop::collection::vec(digest, 0..4));
    let offers = prop::collection::vec(offer, 0..3);
    (any::<i64>(), instant(), by, any::<u128>(), fact, changes, offers, digests).prop_map(
        |(seq, at, by, command, fact, changes, offers, digests)| {
            let command = Uuid::from_u128(command);
            Event { seq, at, by, command, fact, changes, offers, digests }
        },
    )
}

proptest! {
    #[test]
    fn what_is_written_is_read(event in event()) {
        prop_assert_eq!(decode(&encode(&event)), Ok(event));
    }

    #[test]
    fn bytes_that_end_early_or_late_are_refused(event in event()) {
        let mut bytes = encode(&event);
        for end in 0..bytes.len() {
            prop_assert_eq!(decode(&bytes[..end]), Err(CodecError::Short));
        }
        bytes.push(0);
        prop_assert_eq!(decode(&bytes), Err(CodecError::Long));
    }

    #[test]
    fn what_columns_keep_in_bytes_is_read(booking in booking(), rules in rules()) {
        prop_assert_eq!(codec::price(&codec::price_bytes(&booking.price)), Ok(booking.price.clone()));
        prop_assert_eq!(codec::rules(&codec::rules_bytes(&rules)), Ok(rules));
        // What was paid and what went back are amounts whose difference is one.
        let (paid, refunded) = (booking.paid / 2, booking.refunded / 2);
        let booking = Booking { paid, refunded, ..booking };
        let mut read = Booking { request: None, takings: Vec::new(), ..booking.clone() };
        let amendment = codec::amendment_bytes(&booking);
        prop_assert_eq!(codec::amend(&mut read, amendment.as_deref()), Ok(()));
        prop_assert_eq!(&read, &booking);
        if let Some(mut bytes) = amendment {
            bytes.push(0);
            prop_assert_eq!(codec::amend(&mut read, Some(&bytes)), Err(CodecError::Long));
            bytes[0] = 9;
            prop_assert_eq!(codec::amend(&mut read, Some(&bytes)), Err(CodecError::Version(9)));
        }
    }

    #[test]
    fn a_length_that_lies_is_refused(event in event(), by in prop_oneof![-9..0_i64, 1..9_i64]) {
        let mut bytes = encode(&event);
        let length = i64::try_from(bytes.len() - 5).expect("short");
        let lie = u32::try_from(length + by).expect("not negative").to_be_bytes();
        bytes[1..5].copy_from_slice(&lie);
        // With the outer length repaired, an inner one is what does not fit.
        prop_assert!(decode(&bytes).is_err());
        let at = usize::try_from(length + by).expect("not negative") + 5;
        bytes.resize(at, 0);
        prop_assert!(decode(&bytes).is_err());
    }

    #[test]
    fn forged_bytes_are_refused_or_say_something_else(
        event in event(), at in any::<prop::sample::Index>(), with in 1..=u8::MAX,
    ) {
        let mut bytes = encode(&event);
        let at = at.index(bytes.len());
        bytes[at] ^= with;
        if let Ok(read) = decode(&bytes) {
            prop_assert_eq!(encode(&read), bytes, "each event has one form");
            prop_assert_ne!(read, event);
        }
    }

    #[test]
    fn any_bytes_at_all_are_read_without_harm(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let mut framed = vec![2];
        framed.extend(u32::try_from(bytes.len()).expect("short").to_be_bytes());
        framed.extend(&bytes);
        for bytes in [bytes, framed] {
            let read = decode(&bytes);
            if let Ok(event) = read
                && bytes[0] == 2
            {
                prop_assert_eq!(encode(&event), bytes);
            }
        }
    }

    #[test]
    fn the_chain_depends_on_every_byte_before(
        event in event(), at in any::<prop::sample::Index>(),
    ) {
        let (before, bytes) = (EventHash([7; 32]), encode(&event));
        let mut forged = bytes.clone();
        forged[at.index(bytes.len())] ^= 1;
        prop_assert_ne!(before.chain(&bytes), before.chain(&forged));
        prop_assert_ne!(before.chain(&bytes), EventHash::default().chain(&bytes));
    }
}

#[test]
fn a_booking_whose_columns_say_everything_has_no_bytes_besides() {
    assert_eq!(codec::amendment_bytes(&given::booking(Status::Confirmed, None)), None);
    assert_eq!(codec::amendment_bytes(&given::paid(Status::Confirmed)), None);
    let other = vec![Taking { payment: given::payment(2), held: given::TOTAL }];
    let elsewhere = Booking { takings: other, ..given::paid(Status::Confirmed) };
    assert!(codec::amendment_bytes(&elsewhere).is_some());
}

#[test]
fn a_version_that_nobody_knows_is_refused() {
    let mut bytes = encode(&simple());
    for version in [0, 4, u8::MAX] {
        bytes[0] = version;
        assert_eq!(decode(&bytes), Err(CodecError::Version(version)));
    }
}

#[test]
fn values_that_are_none_are_refused_by_name() {
    let bytes = encode(&simple());
    // Header 5, seq 8, at 8, by 1, command 16, then the fact, its cause and its booking.
    let (by, fact, cause) = (21, 38, 39);
    let check_in = cause + 1 + 16 + 16;
    let status = check_in + 4 + 4 + 2;
    for (at, value, what) in [
        (by, 9, "by"),
        (fact, 9, "fact"),
        (cause, 17, "cause"),
        (check_in, 0x7f, "night"),
        (check_in + 7, 0, "stay"),
        (status, 9, "status"),
        (status + 1, 3, "awaiting"),
    ] {
        let mut forged = bytes.clone();
        forged[at] = value;
        assert_eq!(decode(&forged), Err(CodecError::Value(what)));
    }
}

#[test]
fn the_bytes_of_an_event_never_change() {
    // The hash of a known event: a change of layout needs a new version beside the old.
    let hash = EventHash::default().chain(&encode(&simple()));
    let known = "c6d328521ed5de9c46d50e86322040fdbac6248b7451803426e7a7913ac59093";
    assert_eq!(hash.to_string(), known);
}

/// The bytes of an event without those that a later layout added before its lists, of which there
/// are as many, in the version before.
fn older(mut bytes: Vec<u8>, added: usize, lists: usize, version: u8) -> Vec<u8> {
    let end = bytes.len() - 4 * lists;
    bytes.drain(end - added..end);
    let rest = u32::try_from(bytes.len() - 5).expect("short");
    bytes[1..5].copy_from_slice(&rest.to_be_bytes());
    bytes[0] = version;
    bytes
}

#[test]
fn events_of_the_second_layout_are_still_read() {
    // The third says whether a booking is settled outside, and has the change that waits and the
    // payments.
    let fact = Fact::Booking(Cause::Confirmed, crate::given::paid(Status::Confirmed));
    let paid = Event { fact, ..simple() };
    let bytes = older(encode(&paid), 1 + 1 + 4 + 16 + 8, 3, 2);
    assert_eq!(decode(&bytes), Ok(paid), "the only payment");
    let bytes = older(encode(&simple()), 1 + 1 + 4, 3, 2);
    let known = "620f9c54920bf1057a7c51b8e31f4f87a6c895e66b3c9cc5be06fd5801c7972a";
    assert_eq!(EventHash::default().chain(&bytes).to_string(), known);
    assert_eq!(decode(&bytes), Ok(simple()));
}

#[test]
fn events_of_the_first_layout_are_still_read() {
    // The second has a list more, an instant of the confirmation, and one line of nights.
    let second = older(encode(&simple()), 1 + 1 + 4, 3, 2);
    let bytes = older(second[..second.len() - 4].to_vec(), 23, 2, 1);
    let known = "53029d05a6155cbaef04bf451ecba4ce76552d3fb0422c275919990d7d5cc576";
    assert_eq!(EventHash::default().chain(&bytes).to_string(), known);
    assert_eq!(decode(&bytes), Ok(simple()), "a price of equal nights");

    // A property had no rules.
    let made = Event { fact: Fact::PropertyCreated(given::property()), ..simple() };
    let rules = codec::rules_bytes(&Rules::default()).len() - 1;
    let second = older(encode(&made), 0, 3, 2);
    let bytes = older(second[..second.len() - 4].to_vec(), rules, 2, 1);
    assert_eq!(decode(&bytes), Ok(made));
}

fn simple() -> Event {
    let expires_at = crate::given::now().plus(crate::given::HOLD);
    let held = Status::Pending { awaiting: Awaiting::Payment, expires_at };
    Event {
        seq: 2,
        at: crate::given::now(),
        by: By::Clock,
        command: Uuid::nil(),
        fact: Fact::Booking(Cause::Held, crate::given::booking(held, Some((1, true)))),
        changes: Vec::new(),
        offers: Vec::new(),
        digests: Vec::new(),
    }
}
