//! Access tokens: a new one ends the last.

use super::call::{Answer, Call};
use super::refusal::Refusal;
use crate::clock::after;
use crate::world::State;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::time::Duration;

const LIFE: Duration = Duration::from_secs(3_599);

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Token {
    text: String,
    until: Timestamp,
}

pub(super) fn generate(state: &mut State, call: &Call) -> Answer {
    let merchant = &state.merchant;
    let wanted = format!("{}:{}", merchant.consumer_key, merchant.consumer_secret);
    if call.authorization != format!("Basic {}", BASE64_STANDARD.encode(wanted)) {
        return Err(Refusal::authentication());
    }
    let mut pairs = form_urlencoded::parse(call.query.as_bytes());
    if !pairs.any(|(name, value)| name == "grant_type" && value == "client_credentials") {
        return Err(Refusal::grant());
    }
    let text = state.ids.capitals(28);
    let until = after(state.clock.now(), LIFE);
    state.daraja.token = Some(Token { text: text.clone(), until });
    // The real one writes the seconds as a text, too.
    Ok(json!({ "access_token": text, "expires_in": LIFE.as_secs().to_string() }))
}

/// Whether a request bears the newest token, and that is still good.
pub(super) fn check(state: &State, call: &Call) -> Result<(), Refusal> {
    let now = state.clock.now();
    let token = state.daraja.token.as_ref().filter(|token| now < token.until);
    let is_good = token.is_some_and(|token| call.authorization == format!("Bearer {}", token.text));
    if is_good { Ok(()) } else { Err(Refusal::token()) }
}
