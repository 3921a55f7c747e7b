//! What goes wrong on request: for requests to a route, or for deliveries of an event.

use crate::clock::after;
use crate::world::World;
use actix_web::{HttpRequest, HttpResponse};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Faults that may wait for their occasion.
const MOST: usize = 1_000;
/// The longest that an answer is held back or a delivery comes late.
const LONGEST_SECONDS: u64 = 86_400;
const USUAL_SECONDS: u64 = 60;
/// The name of every route, and of every event.
const ANY: &str = "*";

/// What can go wrong with a request. Whiles are on the stand-in's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RouteFault {
    /// 429, and nothing happens.
    TooManyRequests,
    /// The request is lost before anything happens; nothing is answered for a while, then 504.
    TimeoutBeforeCommit,
    /// What is asked for happens; nothing is answered for a while, then 504. The same idempotency
    /// key gets the true answer.
    TimeoutAfterCommit,
    /// What is asked for happens after a while, in which the idempotency key is in flight.
    Slow,
    /// What is asked for happens, and the answer is 500. As at Stripe, the same idempotency key
    /// gets the same 500.
    ErrorAfterCommit,
}

/// What can go wrong with a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum EventFault {
    /// It comes twice.
    Duplicate,
    /// It comes after the next one, or after a minute.
    Reorder,
    /// It comes late, on the stand-in's clock.
    Delay,
    /// It does not come.
    Drop,
    /// Its signature is made with another secret; it comes once. What bears no signature cannot
    /// be forged in this way, and comes as it is.
    Forge,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum Fault {
    Route(RouteFault),
    Event(EventFault),
}

/// A fault as it is asked for, and as it is listed with the times that are left.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wish {
    /// `POST /v1/payment_intents/{id}/capture`, or `*`.
    #[serde(skip_serializing_if = "Option::is_none")]
    route: Option<String>,
    /// `payment_intent.succeeded`, or `*`.
    #[serde(skip_serializing_if = "Option::is_none")]
    event: Option<String>,
    fault: Fault,
    #[serde(default = "once")]
    times: u32,
    #[serde(default = "a_minute")]
    seconds: u64,
}

fn once() -> u32 {
    1
}

fn a_minute() -> u64 {
    USUAL_SECONDS
}

/// What goes wrong with this request, and for how long.
pub(crate) fn of(world: &World, request: &HttpRequest) -> (Option<RouteFault>, Duration) {
    let path = request.match_pattern().unwrap_or_default();
    let route = format!("{} {path}", request.method());
    match world.lock().faults.take_route(&route) {
        Some((fault, by)) => (Some(fault), by),
        None => (None, Duration::ZERO),
    }
}

/// Waits for a while on the stand-in's clock.
pub(crate) async fn wait(world: &World, by: Duration) {
    let until = after(world.lock().clock.now(), by);
    loop {
        // Taken before the clock is looked at, so that no move of it is missed.
        let moved = world.clock_moved.notified();
        let left = world.lock().clock.now().duration_until(until);
        match Duration::try_from(left) {
            Ok(left) if !left.is_zero() => drop(tokio::time::timeout(left, moved).await),
            _ => return,
        }
    }
}

/// Answers 504, after a while.
pub(crate) async fn hold(world: &World, by: Duration) -> HttpResponse {
    wait(world, by).await;
    HttpResponse::GatewayTimeout().finish()
}

/// Faults in the order in which they were asked for; the first that fits is used up.
#[derive(Debug, Default)]
pub(crate) struct Faults(Vec<Wish>);

impl Faults {
    /// Takes a wish, or says what is wrong with it.
    pub(crate) fn add(&mut self, wish: Wish, routes: &[String]) -> Result<(), &'static str> {
        match (&wish.route, &wish.event, wish.fault) {
            (Some(route), None, Fault::Route(_)) if route == ANY || routes.contains(route) => {}
            (Some(_), None, Fault::Route(_)) => return Err("there is no such route"),
            (None, Some(_), Fault::Event(_)) => {}
            _ => return Err("name a route with a fault of routes, or an event with one of events"),
        }
        if wish.times == 0 || wish.seconds > LONGEST_SECONDS {
            return Err("times is at least 1, and seconds at most 86400");
        }
        if self.0.len() >= MOST {
            return Err("there are a thousand faults already");
        }
        self.0.push(wish);
        Ok(())
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// What is left.
    pub(crate) fn list(&self) -> &[Wish] {
        &self.0
    }

    /// What goes wrong with a request to this route, such as `GET /v1/events`.
    pub(crate) fn take_route(&mut self, route: &str) -> Option<(RouteFault, Duration)> {
        let (fault, seconds) = self.take(|wish| wish.route.as_deref(), route)?;
        match fault {
            Fault::Route(fault) => Some((fault, seconds)),
            Fault::Event(_) => None,
        }
    }

    /// What goes wrong with a delivery of this event.
    pub(crate) fn take_event(&mut self, event: &str) -> Option<(EventFault, Duration)> {
        let (fault, seconds) = self.take(|wish| wish.event.as_deref(), event)?;
        match fault {
            Fault::Event(fault) => Some((fault, seconds)),
            Fault::Route(_) => None,
        }
    }

    fn take(&mut self, of: fn(&Wish) -> Option<&str>, name: &str) -> Option<(Fault, Duration)> {
        let fits = |wish: &Wish| of(wish).is_some_and(|on| on == ANY || on == name);
        let at = self.0.iter().position(fits)?;
        let wish = &mut self.0[at];
        wish.times -= 1;
        let taken = (wish.fault, Duration::from_secs(wish.seconds));
        if wish.times == 0 {
            self.0.remove(at);
        }
        Some(taken)
    }
}
