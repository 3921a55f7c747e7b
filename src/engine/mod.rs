//! What the product can do, as functions: each checks the caller's rights, asks actors and store,
//! and answers in domain values. It knows no HTTP, no WebSocket and no wire format; surfaces hold
//! no rules.

mod accounts;
mod bookings;
mod calendars;
mod departures;
mod error;
mod failpoint;
mod following;
mod goes;
mod hoarding;
mod mails;
mod pasts;
mod payments;
mod properties;
mod provider_events;
mod quotes;
mod reconciliation;
mod reviews;
mod rules;
mod search;
mod sessions;
mod settling;

pub use accounts::{Profile, Registration};
pub use bookings::{BookingRequest, Made, Word};
pub use calendars::{CalendarView, EditedCalendar};
pub use departures::Export;
pub use error::{Error, FieldError};
pub use failpoint::Failpoint;
pub use following::{Followed, Missed};
pub use goes::Goes;
pub use hoarding::Hoarding;
pub use pasts::{Moment, PastView, Pasts};
pub use payments::{PaymentRequest, PaymentView, Settlements};
pub use properties::{AMENITIES, PropertyInput, time_of_day};
pub use provider_events::StripeHook;
pub use quotes::AnonymousQuotes;
pub use reviews::{NewReview, ReviewChange, Subject};
pub use search::{Found, MAX_CANDIDATES, MAX_RADIUS, Near, Search, Sort, Wish};
pub use sessions::{Session, Throttles};

use crate::actors::Registry;
use crate::auth::ended::EndedSessions;
use crate::auth::passwords::Passwords;
use crate::auth::tokens::Tokens;
use crate::clock::Clock;
use crate::feed::Feed;
use crate::ids::Ids;
use crate::payments::Providers;
use crate::store::Store;
use secrecy::SecretString;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use tokio::sync::{Mutex, Notify, watch};

/// Everything that the product's functions need; made once in `app.rs`.
pub struct Engine {
    pub store: Store,
    pub registry: Registry,
    pub feed: Feed,
    pub clock: Clock,
    pub ids: Ids,
    pub tokens: Tokens,
    /// The sessions whose access tokens are refused although they have not expired.
    pub ended: EndedSessions,
    pub passwords: Passwords,
    pub throttles: Throttles,
    pub anonymous_quotes: AnonymousQuotes,
    pub hoarding: Hoarding,
    pub pasts: Pasts,
    pub providers: Providers,
    pub stripe_hooks: Vec<StripeHook>,
    /// What the addresses of callbacks are proved with, where some provider calls back.
    pub callback_secret: Option<SecretString>,
    pub settlements: Settlements,
    pub goes: Goes,
    /// When unfinished payments were looked at last, in microseconds; 0 if never.
    pub reconciled_at: AtomicI64,
    /// Where this process dies, in tests.
    pub failpoint: Failpoint,
    /// Wakes the job workers of this node.
    pub jobs: Arc<Notify>,
    /// Held while this node works off the jobs that it claimed.
    pub working: Mutex<()>,
    /// Becomes true when the server stops.
    pub stopping: watch::Receiver<bool>,
    /// Names this database's history: a seq means something only beside it.
    pub epoch: String,
}

/// A number of rows as the store counts them.
fn rows(limit: usize) -> u32 {
    u32::try_from(limit).unwrap_or(u32::MAX)
}
