//! What a guest does: book, pay, cancel, and list the own bookings. Each call returns what the
//! history records; a server that answers nonsense makes a record of that, never a panic.

use std::sync::Arc;
use std::time::Duration;

use jiff::civil::Date;
use uuid::Uuid;

use crate::call::Call;
use crate::client::{Client, Exchange};
use crate::clock::{Nanos, nanos};
use crate::documents::{Booking, Page, Payment, Problem};
use crate::failure::Failure;
use crate::history::{Accepted, Answer, Attempt, Deed, List, Listed, Outcome, Refusal};
use crate::stay::Stay;

/// How often a payment that is not settled yet is looked at.
const PAYMENT_POLL: Duration = Duration::from_millis(50);
/// Bookings on one page of a list.
const PAGE: usize = 100;

/// A property under load.
#[derive(Debug, Clone)]
pub(crate) struct Property {
    pub(crate) number: u32,
    pub(crate) id: Uuid,
    /// The path of its bookings.
    pub(crate) bookings: Arc<str>,
}

/// A guest on a connection.
pub(crate) struct Guest {
    pub(crate) number: u32,
    pub(crate) client: Client,
}

impl Guest {
    /// Tries to book `stay`. `intended` is when the request was due.
    pub(crate) async fn book(
        &mut self,
        property: &Property,
        stay: Stay,
        guests: u16,
        intended: Nanos,
    ) -> Attempt {
        let (check_in, check_out) = (stay.check_in(), stay.check_out());
        let body =
            format!(r#"{{"check_in":"{check_in}","check_out":"{check_out}","guests":{guests}}}"#);
        let call = self.client.keyed(Call::post(Arc::clone(&property.bookings), body));
        let exchange = self.client.send(&call).await;
        let answer = match exchange.status {
            Some(201) => accepted(self.client.body(), property, stay),
            Some(409) => Answer::Refused(refusal(self.client.body(), stay)),
            Some(status @ 400..=499) => Answer::Rejected(status),
            status => Answer::Unknown(status),
        };
        let Exchange { first_sent, last_sent, ended: answered, .. } = exchange;
        let (property, client) = (property.number, self.number);
        Attempt { property, client, stay, intended, first_sent, last_sent, answered, answer }
    }

    /// Cancels a booking.
    pub(crate) async fn cancel(&mut self, booking: Uuid) -> Deed {
        let path = self.client.target().item("/bookings", booking);
        let call = self.client.keyed(Call::delete(path));
        let Exchange { first_sent, ended, status, .. } = self.client.send(&call).await;
        let outcome = match status {
            Some(200) => Outcome::Done,
            Some(status @ 400..=499) => Outcome::Rejected(status),
            status => Outcome::Unknown(status),
        };
        Deed { first_sent, ended, outcome }
    }

    /// Pays for a booking and, where the provider is slow, waits until the money is there.
    pub(crate) async fn pay(&mut self, booking: Uuid) -> Deed {
        let path = self.client.target().path("/payments");
        let body = format!(r#"{{"booking_id":"{booking}","payment_method":"pm_card_visa"}}"#);
        let call = self.client.keyed(Call::post(path, body));
        let Exchange { first_sent, mut ended, status, .. } = self.client.send(&call).await;
        let give_up_at = ended.saturating_add(nanos(self.client.patience()));
        let mut outcome = self.payment_outcome(status);
        while let Err(payment) = outcome {
            if ended >= give_up_at {
                break;
            }
            tokio::time::sleep(PAYMENT_POLL).await;
            let poll = Call::get(self.client.target().item("/payments", payment));
            let look = self.client.send(&poll).await;
            ended = look.ended;
            outcome = self.payment_outcome(look.status);
        }
        Deed { first_sent, ended, outcome: outcome.unwrap_or(Outcome::Unknown(Some(202))) }
    }

    /// What the last answer says of a payment; its id while it is under way.
    fn payment_outcome(&self, status: Option<u16>) -> Result<Outcome, Uuid> {
        match status {
            Some(200..=202) => match serde_json::from_slice::<Payment>(self.client.body()) {
                Ok(payment) if payment.is_settled() => Ok(Outcome::Done),
                Ok(payment) => Err(payment.id),
                Err(_) => Ok(Outcome::Unknown(status)),
            },
            Some(status @ 400..=499) => Ok(Outcome::Rejected(status)),
            status => Ok(Outcome::Unknown(status)),
        }
    }

    /// Reads the list of the own bookings, page by page. `at_most` bounds what a server with a
    /// broken cursor can make of it.
    pub(crate) async fn list(&mut self, at_most: usize) -> Result<List, Failure> {
        let mut bookings = Vec::new();
        let mut cursor = String::new();
        while bookings.len() <= at_most {
            let path = format!("/bookings?limit={PAGE}{cursor}");
            let call = Call::get(self.client.target().path(&path));
            self.client.expect("GET /bookings", &call, &[200]).await?;
            let page: Page = serde_json::from_slice(self.client.body())
                .map_err(|source| Failure::Unreadable { step: "GET /bookings", source })?;
            bookings.extend(page.data.iter().map(listed));
            match page.next_cursor {
                Some(next) => cursor = format!("&cursor={}", in_query(&next)),
                None => break,
            }
        }
        let read_to = self.client.clock().now();
        Ok(List { client: self.number, read_to, bookings })
    }
}

/// Escapes what a query value cannot hold; cursors are opaque.
fn in_query(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes()
        .map(|byte| match byte {
            byte if plain(byte) => char::from(byte).to_string(),
            byte => format!("%{byte:02X}"),
        })
        .collect()
}

fn listed(booking: &Booking) -> Listed {
    Listed {
        id: booking.id,
        property: booking.property_id,
        check_in: booking.check_in,
        check_out: booking.check_out,
        status: (&*booking.status).into(),
    }
}

fn accepted(body: &[u8], property: &Property, stay: Stay) -> Answer {
    // A 201 that cannot be read says that something is booked, but not what.
    let Ok(booking) = serde_json::from_slice::<Booking>(body) else {
        return Answer::Unknown(Some(201));
    };
    let faithful = booking.property_id == property.id
        && booking.check_in == stay.check_in()
        && booking.check_out == stay.check_out();
    let hold = booking
        .expires_at
        .map(|end| Duration::try_from(end.duration_since(booking.created_at)))
        .map(|span| nanos(span.unwrap_or_default()));
    let id = booking.id;
    Answer::Accepted(Box::new(Accepted { id, faithful, hold, payment: None, cancel: None }))
}

fn refusal(body: &[u8], stay: Stay) -> Refusal {
    let Ok(problem) = serde_json::from_slice::<Problem>(body) else {
        return Refusal { foreign: Some("unreadable".into()), ..Refusal::default() };
    };
    let mut refusal = Refusal::default();
    for reason in &problem.reasons {
        match &*reason.code {
            "unavailable_booked" | "unavailable_held" => name(&mut refusal, &reason.nights, stay),
            other => refusal.foreign = Some(other.into()),
        }
    }
    if problem.reasons.is_empty() {
        refusal.foreign = Some((&*problem.code).into());
    }
    refusal
}

fn name(refusal: &mut Refusal, nights: &[Date], stay: Stay) {
    for &night in nights {
        match stay.position(night) {
            Some(position) => refusal.named.insert(position),
            None => refusal.stray = Some(night),
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::{in_query, refusal};
    use crate::stay::Stay;

    fn stay() -> Stay {
        Stay::new(date(2026, 12, 1), 3).expect("three nights")
    }

    #[test]
    fn a_refusal_keeps_the_named_nights_and_shows_the_strays() {
        let body = br#"{"type":"x","status":409,"code":"unavailable","reasons":[
            {"code":"unavailable_booked","nights":["2026-12-01"]},
            {"code":"unavailable_held","nights":["2026-12-03","2026-12-04"],
            "held_until":"2026-11-30T10:00:00Z"}],
            "alternatives":[{"check_in":"2026-12-05","check_out":"2026-12-08"}]}"#;
        let refusal = refusal(body, stay());
        let named: Vec<_> = refusal.named.of(stay()).collect();
        assert_eq!(named, [date(2026, 12, 1), date(2026, 12, 3)]);
        assert_eq!(refusal.stray, Some(date(2026, 12, 4)));
        assert_eq!(refusal.foreign, None);
    }

    #[test]
    fn a_refusal_for_another_reason_or_without_any_is_foreign() {
        for (body, code) in [
            (r#"{"code":"c","reasons":[{"code":"min_nights","nights":[]}]}"#, "min_nights"),
            (r#"{"code":"conflict"}"#, "conflict"),
            ("oops", "unreadable"),
        ] {
            let refusal = refusal(body.as_bytes(), stay());
            assert_eq!(refusal.foreign.as_deref(), Some(code));
            assert!(refusal.named.is_empty());
        }
    }

    #[test]
    fn a_cursor_is_escaped_for_the_query() {
        assert_eq!(in_query("aZ9-_.~"), "aZ9-_.~");
        assert_eq!(in_query("a+b/c="), "a%2Bb%2Fc%3D");
    }
}
