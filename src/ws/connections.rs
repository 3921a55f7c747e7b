//! All live connections of this node: how many an address may have, and the watchdog.
//!
//! The watchdog judges from outside, each once a second, because an actor whose client does not read
//! is never polled. A client that has said nothing for 12 to 20 seconds is pinged, and once more five
//! seconds later; within 30 the connection is closed. Where not even that can be sent the peer takes
//! no bytes, and the kernel ends the connection (`TCP_USER_TIMEOUT`, set on the listener).

use super::slot::{Closing, Slot};
use crate::engine::Engine;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The most live connections from one address.
pub const MAX_PER_ADDRESS: usize = 1_000;

const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Not all are looked at at the same time: a thousand pings at once would hold up whatever else is to
/// be told.
const PARTS: usize = 20;
/// Between the first and the second of these: clients that came together are not pinged together.
const PING_AFTER: [Duration; 2] = [Duration::from_secs(12), Duration::from_secs(20)];
const PING_AGAIN_AFTER: Duration = Duration::from_secs(5);
/// The next look is at most a second later, and closing takes a moment: nobody is borne for more
/// than 30.
const CLOSE_AFTER: Duration = Duration::from_secs(27);

/// The live connections of this node.
#[derive(Default)]
pub struct Connections {
    /// By number: neighbours are in different parts.
    open: [Mutex<HashMap<u64, Arc<Slot>>>; PARTS],
    addresses: Mutex<HashMap<IpAddr, usize>>,
    numbers: AtomicU64,
}

/// An address has all the live connections that it may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooMany;

/// One connection's place among those of its address, until it is dropped.
pub struct Place {
    connections: Arc<Connections>,
    address: Option<IpAddr>,
}

impl Connections {
    /// A place for one more connection from an address; nobody counts where there is none.
    pub fn admit(self: &Arc<Self>, address: Option<IpAddr>) -> Result<Place, TooMany> {
        if let Some(address) = address {
            let mut addresses = locked(&self.addresses);
            let count = addresses.entry(address).or_default();
            if *count >= MAX_PER_ADDRESS {
                return Err(TooMany);
            }
            *count += 1;
        }
        Ok(Place { connections: Arc::clone(self), address })
    }

    /// A number for a connection.
    pub(super) fn number(&self) -> u64 {
        self.numbers.fetch_add(1, Ordering::Relaxed)
    }

    pub(super) fn enter(&self, slot: &Arc<Slot>) {
        locked(self.part(slot.number)).insert(slot.number, Arc::clone(slot));
    }

    pub(super) fn leave(&self, slot: &Slot) {
        locked(self.part(slot.number)).remove(&slot.number);
    }

    /// The part in which this number is.
    fn part(&self, number: u64) -> &Mutex<HashMap<u64, Arc<Slot>>> {
        &self.open[number as usize % PARTS]
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Some(address) = self.address else { return };
        let mut addresses = locked(&self.connections.addresses);
        if let Some(count) = addresses.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                addresses.remove(&address);
            }
        }
    }
}

/// Watches all connections until the server stops, and then sends them away.
pub async fn watch(connections: Arc<Connections>, engine: Arc<Engine>) {
    let mut stopping = engine.stopping.clone();
    let mut looks = tokio::time::interval(LOOK_EVERY / PARTS as u32);
    for part in connections.open.iter().cycle() {
        tokio::select! {
            _ = looks.tick() => locked(part).values().for_each(|slot| look(slot, &engine)),
            _ = stopping.wait_for(|stop| *stop) => break,
        }
    }
    for part in &connections.open {
        for slot in locked(part).values() {
            slot.put(|waiting| waiting.close = Some(Closing::Stopping));
        }
    }
}

fn look(slot: &Slot, engine: &Engine) {
    let over = slot.signed().is_some_and(|claims| {
        engine.clock.now() >= claims.expires_at || engine.ended.contains(claims.session)
    });
    if over {
        slot.sign(None);
        slot.put(|waiting| waiting.ended = true);
    }
    let silence = slot.silence();
    if silence >= CLOSE_AFTER {
        slot.put(|waiting| waiting.close = Some(Closing::Silent));
        return;
    }
    let [soonest, latest] = PING_AFTER;
    let first = slot.spread(soonest, latest);
    let due = [first, first + PING_AGAIN_AFTER].iter().filter(|after| silence >= **after).count();
    if slot.owes_ping(due) {
        slot.put(|waiting| waiting.ping = true);
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_so_many_places_and_gets_them_back() {
        let connections = Arc::new(Connections::default());
        let address = Some(IpAddr::from([192, 0, 2, 1]));
        let mut places: Vec<Place> = (0..MAX_PER_ADDRESS)
            .map(|_| connections.admit(address).unwrap_or_else(|_| panic!("a place")))
            .collect();
        assert!(connections.admit(address).is_err());
        assert!(connections.admit(Some(IpAddr::from([192, 0, 2, 2]))).is_ok());
        assert!(connections.admit(None).is_ok(), "nobody counts without an address");
        places.pop();
        assert!(connections.admit(address).is_ok());
        places.clear();
        assert!(locked(&connections.addresses).is_empty());
    }
}
