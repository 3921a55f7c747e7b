//! Everything a scenario needs before its first booking, made over the public surface alone: a
//! host, properties, signed-in guests; and, when it is over, the reading of the guests' lists.

use std::sync::Arc;
use std::time::Duration;

use crate::account::{Account, RunId};
use crate::call::Call;
use crate::client::Client;
use crate::clock::Clock;
use crate::crew::share;
use crate::documents::Created;
use crate::failure::Failure;
use crate::guest::{Guest, Property};
use crate::history::{Answer, Attempt, List};
use crate::target::Target;

/// Requests of the preparation under way at a time: hashing passwords keeps a server busy, and more
/// would only wait in its queue.
const HANDS: usize = 8;
/// The largest party that the recorded demand has is 55.
const MAX_GUESTS: u16 = 60;

/// The servers and the clock of one run.
pub(crate) struct Stage {
    pub(crate) clock: Clock,
    pub(crate) run: RunId,
    targets: Vec<Arc<Target>>,
    patience: Duration,
}

impl Stage {
    /// Clients are dealt to the targets in turn, of which there has to be at least one.
    pub(crate) fn new(targets: &[Target], patience: Duration) -> Result<Arc<Self>, Failure> {
        if targets.is_empty() {
            return Err(Failure::Options("there is no address to send anything to".to_owned()));
        }
        let targets = targets.iter().cloned().map(Arc::new).collect();
        Ok(Arc::new(Self { clock: Clock::start(), run: RunId::new(), targets, patience }))
    }

    pub(crate) fn addresses(&self) -> Vec<String> {
        self.targets.iter().map(|target| target.address().to_owned()).collect()
    }

    /// Which target a client talks to.
    pub(crate) fn target_of(&self, client: u32) -> usize {
        client as usize % self.targets.len()
    }

    fn client(&self, number: u32, account: Account) -> Client {
        let target = Arc::clone(&self.targets[self.target_of(number)]);
        Client::new(self.clock, target, account, self.patience)
    }

    /// Somebody without an account.
    pub(crate) fn visitor(&self) -> Client {
        self.client(0, Account::host(self.run))
    }

    /// Registers guest `number` and signs in.
    pub(crate) async fn guest(&self, number: u32) -> Result<Guest, Failure> {
        let mut client = self.client(number, Account::guest(self.run, number));
        client.register().await?;
        client.reset_tally();
        Ok(Guest { number, client })
    }

    /// Registers `count` guests.
    pub(crate) async fn guests(self: &Arc<Self>, count: u32) -> Result<Vec<Guest>, Failure> {
        let stage = Arc::clone(self);
        let work = move |number| {
            let stage = Arc::clone(&stage);
            async move { stage.guest(number).await }
        };
        share((0..count).collect(), HANDS, work).await
    }

    /// Registers the host and signs in.
    pub(crate) async fn host(&self) -> Result<Client, Failure> {
        let mut host = self.visitor();
        host.register().await?;
        Ok(host)
    }

    /// Creates `count` properties of one new host, listed and open to instant booking.
    pub(crate) async fn properties(&self, count: u32) -> Result<Vec<Property>, Failure> {
        let host = self.host().await?;
        let hands = (HANDS as u32).min(count.max(1));
        let shares: Vec<(Client, Vec<u32>)> = (0..hands)
            .map(|hand| (host.twin(hand), (hand..count).step_by(hands as usize).collect()))
            .collect();
        let run = self.run;
        let work = move |(mut client, numbers): (Client, Vec<u32>)| async move {
            let mut made = Vec::with_capacity(numbers.len());
            for number in numbers {
                made.push(create_property(&mut client, run, number).await?);
            }
            Ok(made)
        };
        let mut properties = share(shares, HANDS, work).await?.concat();
        properties.sort_unstable_by_key(|property: &Property| property.number);
        Ok(properties)
    }
}

/// Creates one property.
pub(crate) async fn create_property(
    client: &mut Client,
    run: RunId,
    number: u32,
) -> Result<Property, Failure> {
    const STEP: &str = "POST /properties";
    let body = format!(
        r#"{{"title":"Load test {run}, house {number}","city":"Lisbon","country":"PT",
        "timezone":"UTC","price_per_night":12000,"currency":"EUR","max_guests":{MAX_GUESTS}}}"#
    );
    let call = client.keyed(Call::post(client.target().path("/properties"), body));
    client.expect(STEP, &call, &[201]).await?;
    let created: Created = serde_json::from_slice(client.body())
        .map_err(|source| Failure::Unreadable { step: STEP, source })?;
    let id = created.id;
    let bookings = client.target().path(&format!("/properties/{id}/bookings")).into();
    Ok(Property { number, id, bookings })
}

/// Reads the lists of guests after everything else has come to an end.
pub(crate) async fn read_lists(
    guests: Vec<Guest>,
    attempts: &[Attempt],
) -> Result<Vec<List>, Failure> {
    let last = guests.iter().map(|guest| guest.number as usize + 1).max().unwrap_or(0);
    let mut bound = vec![0; last];
    for attempt in attempts {
        if matches!(attempt.answer, Answer::Accepted(_) | Answer::Unknown(_)) {
            bound[attempt.client as usize] += 1;
        }
    }
    // One booking more than can be there is enough to see that one is there too many.
    let items = guests.into_iter().map(|guest| (bound[guest.number as usize], guest)).collect();
    let work = |(at_most, mut guest): (usize, Guest)| async move { guest.list(at_most).await };
    share(items, HANDS, work).await
}
