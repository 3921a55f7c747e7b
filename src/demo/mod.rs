//! The demo: hosts, listings and bookings that a first evening needs, made through the engine like
//! anybody's. Positions, kinds and prices of the listings are real (see `listings.csv`).

use crate::auth::Caller;
use crate::engine::{
    BookingRequest, Engine, Error, PaymentRequest, PropertyInput, Registration, Search,
};
use crate::store::accounts::Role;
use domain::{PropertyId, Stay};
use std::net::SocketAddr;
use std::sync::Arc;
use uuid::Uuid;

/// Somebody whose password everybody may know.
#[derive(Clone, Copy, Debug)]
pub struct DemoAccount {
    pub email: &'static str,
    pub password: &'static str,
    first_name: &'static str,
    role: Role,
}

/// The guest, the host and the admin of the demo.
pub const GUEST: DemoAccount = account("guest@demo.example", "Guest", Role::Guest);
pub const HOST: DemoAccount = account("host@demo.example", "Host", Role::Host);
pub const ADMIN: DemoAccount = account("admin@demo.example", "Admin", Role::Admin);
/// Somebody else, so that not every booking is the guest's own.
const NEIGHBOUR: DemoAccount = account("neighbour@demo.example", "Neighbour", Role::Guest);

const fn account(email: &'static str, first_name: &'static str, role: Role) -> DemoAccount {
    DemoAccount { email, password: "a-quiet-night-in", first_name, role }
}

const LISTINGS: &str = include_str!("listings.csv");
const WORDS: [&str; 8] =
    ["Sunlit", "Quiet", "Garden", "Mountain-view", "Brick", "Cedar", "Corner", "Old-street"];
/// Days from today on which the neighbour arrives, and how long they stay.
const STAYS: [(i32, i32); 4] = [(3, 2), (9, 3), (17, 4), (30, 7)];
/// Days from today and nights of the guest's own trip.
const TRIP: (i32, i32) = (45, 3);
/// One home in so many has a host who answers, and a request that waits for the answer.
const ASKED: usize = 8;
/// The card that the demo's guests pay with.
const CARD: &str = "pm_card_visa";
/// The home whose last stay is held and not paid.
const HELD: usize = 21;
const AMENITIES: [&[&str]; 4] = [
    &["wifi", "kitchen", "fireplace", "parking"],
    &["wifi", "garden", "washer", "bed_linen", "coffee_maker"],
    &["wifi", "kitchen", "balcony", "desk", "heating"],
    &["wifi", "hot_tub", "barbecue", "parking", "pets_allowed"],
];
const POLICIES: [&str; 3] = ["flexible", "moderate", "strict"];

/// Fills an empty database; one that has the demo's accounts keeps its data. Answers with a
/// property to try things on.
pub async fn fill(engine: &Engine) -> Result<PropertyId, Error> {
    if engine.store.account_by_email(GUEST.email).await?.is_some() {
        let newest = engine.search(None, Search::default(), None, 1).await?;
        return newest.first().map(|found| found.row.property.id).ok_or(Error::NotFound);
    }
    let host = join(engine, HOST).await?;
    let neighbour = join(engine, NEIGHBOUR).await?;
    join(engine, ADMIN).await?;
    let mut last = Err(Error::NotFound);
    for (number, line) in LISTINGS.lines().filter(|line| !line.starts_with('#')).skip(1).enumerate()
    {
        let Some(new) = listing(number, line) else { continue };
        let (row, _) = engine.create_property(&host, new, None).await?;
        take_some_nights(engine, &neighbour, row.property.id, number).await?;
        last = Ok(row.property.id);
    }
    // The guest comes last: their account says that the demo is complete.
    let guest = join(engine, GUEST).await?;
    if let Ok(property) = last {
        stay(engine, &guest, property, TRIP, true).await?;
    }
    last
}

async fn join(engine: &Engine, account: DemoAccount) -> Result<Caller, Error> {
    let registration = Registration {
        email: account.email.to_owned(),
        password: account.password.to_owned(),
        first_name: account.first_name.to_owned(),
        last_name: "Demo".to_owned(),
        role: account.role,
    };
    let known = match engine.create_account(registration).await {
        Ok(account) => account,
        // An earlier start was broken off half-way: go on from there.
        Err(Error::EmailTaken) => {
            engine.store.account_by_email(account.email).await?.ok_or(Error::NotFound)?
        }
        Err(error) => return Err(error),
    };
    Ok(Caller { id: known.id, role: known.role, session: Uuid::nil() })
}

/// Books stays relative to today, and pays for all but a few.
async fn take_some_nights(
    engine: &Engine,
    guest: &Caller,
    property: PropertyId,
    number: usize,
) -> Result<(), Error> {
    let shift = i32::try_from(number % 5).unwrap_or(0);
    // A guest may have one request of a home.
    let stays = if number.is_multiple_of(ASKED) { &STAYS[1..2] } else { &STAYS[..] };
    for (at, (arrival, nights)) in stays.iter().enumerate() {
        let pays = !number.is_multiple_of(ASKED) && (number, at + 1) != (HELD, STAYS.len());
        stay(engine, guest, property, (arrival + shift, *nights), pays).await?;
    }
    Ok(())
}

/// Books a stay that begins so many days from today and has so many nights, and may pay for it.
async fn stay(
    engine: &Engine,
    guest: &Caller,
    property: PropertyId,
    (arrival, nights): (i32, i32),
    pays: bool,
) -> Result<(), Error> {
    let Some(snapshot) = engine.registry.settled(property).await? else { return Ok(()) };
    let check_in = snapshot.property.today(engine.clock.now()).plus(arrival);
    let Ok(stay) = Stay::new(check_in, check_in.plus(nights)) else { return Ok(()) };
    let request = BookingRequest { property, stay, guests: 2, quote: None, offline: false };
    let made = engine.book(guest, request, None).await?;
    if pays {
        let payment = PaymentRequest {
            booking: made.booking.id,
            provider: None,
            method: Arc::from(CARD),
            return_url: Arc::from(""),
        };
        engine.pay(guest, payment, None).await?;
    }
    Ok(())
}

fn listing(number: usize, line: &str) -> Option<PropertyInput> {
    let mut fields = line.split(',');
    let place = fields.next()?;
    let latitude = fields.next()?.parse().ok()?;
    let longitude = fields.next()?.parse().ok()?;
    let kind = match fields.next()? {
        "private_room" => "room",
        "hotel_room" => "suite",
        _ => "home",
    };
    let price_per_night = fields.next()?.parse().ok()?;
    let word = WORDS[number % WORDS.len()];
    Some(PropertyInput {
        title: format!("{word} {kind} in {place}"),
        description: format!("A {kind} in {place}, with the mountains half an hour away."),
        address: String::new(),
        city: "Asheville".to_owned(),
        country: "US".to_owned(),
        latitude: Some(latitude),
        longitude: Some(longitude),
        timezone: "America/New_York".to_owned(),
        price_per_night,
        currency: "USD".to_owned(),
        max_guests: if kind == "home" { 6 } else { 2 },
        amenities: AMENITIES[number % AMENITIES.len()]
            .iter()
            .map(|&slug| slug.to_owned())
            .collect(),
        blind_reviews: false,
        check_in_from: None,
        check_out_by: None,
        status: None,
        instant_book: Some(!number.is_multiple_of(ASKED)),
        cancellation_policy: Some(POLICIES[number % POLICIES.len()].to_owned()),
    })
}

/// Prints where everything is, who may sign in, and three lines to try.
pub fn welcome(address: SocketAddr, property: PropertyId, engine: &Engine) {
    let base = format!("http://localhost:{}", address.port());
    let today = domain::zone::Zone::named("America/New_York")
        .map_or(domain::Night::MIN, |zone| zone.today(engine.clock.now()));
    let (check_in, check_out) = (today.plus(60), today.plus(63));
    println!(
        "
Vacancy is running, with live calendars at {base}/

  guest  {guest}
  host   {host}
  admin  {admin}
  (the password of each is {password})

Try it from another terminal:

  TOKEN=$(curl -s {base}/api/v1/auth/login -H 'Content-Type: application/json' \\
    -d '{{\"email\":\"{guest}\",\"password\":\"{password}\"}}' | sed 's/.*\"access_token\":\"\\([^\"]*\\)\".*/\\1/')

  BOOKING=$(curl -s {base}/api/v1/properties/{property}/bookings -H \"Authorization: Bearer $TOKEN\" \\
    -H 'Content-Type: application/json' -d '{{\"check_in\":\"{check_in}\",\"check_out\":\"{check_out}\",\"guests\":2}}' \\
    | tee /dev/stderr | sed 's/.*\"id\":\"\\([^\"]*\\)\".*/\\1/')

  curl -s -X DELETE {base}/api/v1/bookings/$BOOKING -H \"Authorization: Bearer $TOKEN\"
",
        guest = GUEST.email,
        host = HOST.email,
        admin = ADMIN.email,
        password = GUEST.password,
    );
}
