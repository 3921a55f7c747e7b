//! The hosted page `/pay/{intent}`: what a customer sees at the provider, and where a customer
//! comes back to. No script, and nothing from anywhere else.

use crate::ending::Ending;
use crate::stripe::checkout::{self, Checkout, Choice};
use crate::stripe::currency;
use crate::world::World;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, LOCATION, X_CONTENT_TYPE_OPTIONS,
};
use actix_web::web::{self, Data, Form, Path, Query, ServiceConfig};
use serde::Deserialize;

const PAGE: &str = include_str!("page.html");
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; \
                      frame-ancestors 'none'";

pub(crate) fn routes(config: &mut ServiceConfig) {
    config.route("/pay/{id}", web::get().to(show)).route("/pay/{id}", web::post().to(choose));
}

#[derive(Deserialize)]
struct Visit {
    return_url: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Decision {
    Accept,
    Refuse,
}

#[derive(Deserialize)]
struct Chosen {
    decision: Decision,
    return_url: Option<String>,
}

async fn show(world: Data<World>, id: Path<String>, visit: Query<Visit>) -> HttpResponse {
    let Some(checkout) = checkout::look(&world.lock(), &id) else { return unknown() };
    let back = way_back(visit.into_inner().return_url, &checkout);
    page(StatusCode::OK, &render(&id, &checkout, back.as_deref()))
}

/// Does what was chosen and leads back, or shows how it ended where there is no way back. A second
/// choice changes nothing.
async fn choose(world: Data<World>, id: Path<String>, chosen: Form<Chosen>) -> HttpResponse {
    let chosen = chosen.into_inner();
    let ending = match chosen.decision {
        Decision::Accept => Ending::Paid,
        Decision::Refuse => Ending::Failed,
    };
    let checkout = {
        let mut state = world.lock();
        let _ = checkout::choose(&mut state, &id, ending);
        checkout::look(&state, &id)
    };
    world.changed.notify_one();
    let Some(checkout) = checkout else { return unknown() };
    let to = match way_back(chosen.return_url, &checkout) {
        Some(back) => returning(&back, &id, &checkout),
        // Seen from this page, so that it is right below any path of a public address.
        None => id.into_inner(),
    };
    HttpResponse::SeeOther().insert_header((LOCATION, to)).finish()
}

/// The address to come back to: the one in the request, or the intent's own.
fn way_back(asked: Option<String>, checkout: &Checkout) -> Option<String> {
    let back = asked.filter(|url| !url.is_empty()).or(checkout.return_url.clone())?;
    let is_web = ["http://", "https://"].iter().any(|scheme| back.starts_with(scheme));
    (is_web && !back.contains(char::is_control)).then_some(back)
}

/// The way back with what Stripe adds to it.
fn returning(back: &str, id: &str, checkout: &Checkout) -> String {
    let (address, fragment) = match back.split_once('#') {
        Some((address, fragment)) => (address, format!("#{fragment}")),
        None => (back, String::new()),
    };
    let is_paid = checkout.choice == Choice::Nothing { is_paid: true };
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("payment_intent", id)
        .append_pair("payment_intent_client_secret", &checkout.secret)
        .append_pair("redirect_status", if is_paid { "succeeded" } else { "failed" })
        .finish();
    let joint = if address.contains('?') { '&' } else { '?' };
    format!("{address}{joint}{query}{fragment}")
}

fn unknown() -> HttpResponse {
    let shown = Shown {
        mark: "unknown",
        title: "There is no such payment",
        lead: "The address may be incomplete. Go back to where you came from, and pay from there.",
        ..Shown::default()
    };
    page(StatusCode::NOT_FOUND, &shown.fill())
}

fn page(status: StatusCode, text: &str) -> HttpResponse {
    HttpResponse::build(status)
        .content_type("text/html; charset=utf-8")
        .insert_header((CONTENT_SECURITY_POLICY, POLICY))
        .insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((CACHE_CONTROL, "no-store"))
        .body(text.to_owned())
}

/// What stands in the places of the page.
#[derive(Default)]
struct Shown {
    /// A symbol of the page, or nothing.
    mark: &'static str,
    title: &'static str,
    lead: &'static str,
    sum: String,
    choice: String,
}

impl Shown {
    fn fill(&self) -> String {
        let kind = if self.mark == "good" { "mark good" } else { "mark" };
        let mark = match self.mark {
            "" => String::new(),
            mark => {
                format!("<svg class=\"{kind}\" aria-hidden=\"true\"><use href=\"#{mark}\"/></svg>")
            }
        };
        let lead = match self.lead {
            "" => String::new(),
            lead => format!("<p class=\"lead\">{lead}</p>"),
        };
        PAGE.replace("{mark}", &mark)
            .replace("{title}", self.title)
            .replace("{lead}", &lead)
            .replace("{sum}", &self.sum)
            .replace("{choice}", &self.choice)
    }
}

fn render(id: &str, checkout: &Checkout, back: Option<&str>) -> String {
    let (mark, title, lead) = match checkout.choice {
        Choice::PayOrDecline => ("", "Pay for your stay", ""),
        Choice::AuthenticateOrFail => (
            "bank",
            "Your bank asks: is this you?",
            "Authenticate, and the payment goes on. If you did not ask for it, let it fail.",
        ),
        Choice::Nothing { is_paid: true } => {
            ("good", "This is paid", "There is nothing left to do here.")
        }
        Choice::Nothing { is_paid: false } => {
            ("ended", "This was canceled", "Nothing was charged, and nothing can be paid here.")
        }
    };
    let choice = match checkout.choice {
        Choice::PayOrDecline => buttons("Pay", "Decline", back),
        Choice::AuthenticateOrFail => buttons("Authenticate", "Fail", back),
        Choice::Nothing { .. } => link(id, checkout, back),
    };
    let described = checkout.description.as_deref().map(escape);
    let described = described.map(|text| format!("<p class=\"for\">{text}</p>"));
    let sum = format!(
        "<div class=\"sum\"><p class=\"amount\">{}</p>{}</div>",
        money(checkout.amount, &checkout.currency),
        described.unwrap_or_default()
    );
    Shown { mark, title, lead, sum, choice }.fill()
}

/// The form is sent to the page that it is on, wherever that is.
fn buttons(yes: &str, no: &str, back: Option<&str>) -> String {
    let back = back.map(|url| {
        format!("<input type=\"hidden\" name=\"return_url\" value=\"{}\">", escape(url))
    });
    format!(
        "<form method=\"post\">{}\
         <button class=\"strong\" name=\"decision\" value=\"accept\">{yes}</button>\
         <button name=\"decision\" value=\"refuse\">{no}</button></form>",
        back.unwrap_or_default(),
    )
}

fn link(id: &str, checkout: &Checkout, back: Option<&str>) -> String {
    let to = back.map(|back| escape(&returning(back, id, checkout)));
    to.map(|to| format!("<a class=\"back strong\" href=\"{to}\">Go back</a>")).unwrap_or_default()
}

/// Text of others, in which nothing is taken for markup or for a place of the page.
fn escape(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    text.replace('"', "&quot;").replace('\'', "&#39;").replace('{', "&#123;")
}

/// Such as `USD 1,234.50`, of minor units.
fn money(amount: i64, currency: &str) -> String {
    let decimals = currency::decimals(currency);
    let digits = format!("{amount:0>width$}", width = decimals + 1);
    let (whole, minor) = digits.split_at(digits.len() - decimals);
    let thousands: Vec<_> =
        whole.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    let point = if decimals == 0 { "" } else { "." };
    format!("{} {}{point}{minor}", currency.to_uppercase(), thousands.join(","))
}

#[cfg(test)]
mod tests {
    use super::money;

    #[test]
    fn money_is_written_with_the_decimals_of_its_currency() {
        let written = [(5, "usd"), (1_234_550, "usd"), (500, "jpy"), (5_120, "kwd")];
        let written = written.map(|(amount, currency)| money(amount, currency));
        assert_eq!(written, ["USD 0.05", "USD 12,345.50", "JPY 500", "KWD 5.120"]);
    }
}
