//! The one that carries deliveries out.

use super::Parcel;
use crate::world::World;
use actix_web::web::Data;
use reqwest::Client;
use reqwest::redirect::Policy;
use std::time::Duration;

/// How long a receiver may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Delivers what is due, for ever.
pub(crate) async fn run(world: Data<World>) {
    let client = Client::builder().timeout(PATIENCE).redirect(Policy::none()).no_proxy().build();
    let client = client.expect("a client without TLS needs nothing");
    loop {
        let (parcel, wait) = {
            let mut state = world.lock();
            let now = state.clock.now();
            let parcel = state.outbox.take(now);
            let wait = state.next_due().map(|due| now.duration_until(due));
            (parcel, wait)
        };
        if let Some(parcel) = parcel {
            let outcome = send(&client, &parcel).await;
            let mut state = world.lock();
            let now = state.clock.now();
            state.outbox.settle(now, parcel.number, outcome);
            continue;
        }
        let changed = world.changed.notified();
        match wait.and_then(|wait| Duration::try_from(wait).ok()) {
            Some(wait) => drop(tokio::time::timeout(wait, changed).await),
            None => changed.await,
        }
    }
}

async fn send(client: &Client, parcel: &Parcel) -> Result<u16, String> {
    let mut request = client.post(&parcel.url).header("Content-Type", "application/json");
    if let Some(signature) = &parcel.signature {
        request = request.header("Stripe-Signature", signature);
    }
    let response = request.body(parcel.body.clone()).send().await;
    response.map(|response| response.status().as_u16()).map_err(|error| error.to_string())
}
