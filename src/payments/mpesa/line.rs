//! The line to Daraja: one request, one answer, each in bounds of time and length.
//!
//! What never left this machine is [`ProviderError::Busy`], and what may have been heard is
//! [`ProviderError::Unclear`]; nothing is sent twice and no redirect is followed, because a push
//! that is sent again asks the guest again.

use super::ProviderError;
use super::call::Call;
use super::word::{Word, plain};
use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, RequestBuilder, Response};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;

const CONNECT_WITHIN: Duration = Duration::from_secs(3);
/// The longest that one exchange takes, from its connection to the last byte of its answer.
const EXCHANGE_WITHIN: Duration = Duration::from_secs(10);
const LARGEST_ANSWER: usize = 64 * 1024;
/// The codes that say that a token is not good (any more). What bore it was not looked at.
const TOKEN_CODES: [&str; 3] = ["404.001.03", "400.003.01", "401.002.01"];
/// The codes of too many requests, in a short and in a long while.
const BUSY_CODES: [&str; 2] = ["500.003.02", "500.003.03"];

/// The fields of all answers that are looked at; each answer has some of them. It cannot be shown,
/// because a token may be in it.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Answer {
    #[serde(rename = "errorCode")]
    pub(super) error_code: Option<Word>,
    #[serde(rename = "errorMessage")]
    pub(super) error_message: Option<String>,
    #[serde(rename = "ResponseCode")]
    pub(super) response_code: Option<Word>,
    #[serde(rename = "ResponseDescription")]
    pub(super) response_description: Option<String>,
    #[serde(rename = "CheckoutRequestID")]
    pub(super) checkout_request_id: Option<String>,
    #[serde(rename = "ConversationID")]
    pub(super) conversation_id: Option<String>,
    #[serde(rename = "ResultCode")]
    pub(super) result_code: Option<Word>,
    pub(super) access_token: Option<String>,
    pub(super) expires_in: Option<Word>,
}

/// What came back.
pub(super) struct Reply {
    pub(super) status: u16,
    /// Empty where the body is none that Daraja sends.
    pub(super) answer: Answer,
}

impl Reply {
    /// The code of an error, if it is one.
    pub(super) fn error_code(&self) -> Option<&str> {
        self.answer.error_code.as_ref().map(|code| code.0.as_str())
    }

    /// Whether it says so of the token that the request bore.
    pub(super) fn refuses_token(&self) -> bool {
        self.error_code().is_some_and(|code| TOKEN_CODES.contains(&code))
    }

    /// Whether the request was taken.
    pub(super) fn is_taken(&self) -> bool {
        let code = self.answer.response_code.as_ref();
        self.status == 200 && code.is_some_and(|code| code.0 == "0")
    }

    /// Why a request that asks for money to be moved was not taken: a refusal that says what is
    /// wrong is definite, and anything else leaves open what happened.
    pub(super) fn refusal(&self) -> ProviderError {
        let is_refused = match self.status {
            200 => self.answer.response_code.as_ref().is_some_and(|code| code.0 != "0"),
            400..500 => self.error_code().is_some(),
            _ => false,
        };
        if is_refused { ProviderError::Refused(self.words()) } else { self.unclear() }
    }

    pub(super) fn unclear(&self) -> ProviderError {
        ProviderError::Unclear(self.words())
    }

    /// What was said, in Daraja's words.
    pub(super) fn words(&self) -> String {
        let answer = &self.answer;
        let words = answer.error_message.as_ref().or(answer.response_description.as_ref());
        let code = answer.error_code.as_ref().or(answer.response_code.as_ref());
        let words = plain(words.map_or("nothing that can be read", String::as_str));
        let code = code.map_or_else(|| format!("HTTP {}", self.status), |code| plain(&code.0));
        format!("{words} ({code})")
    }
}

/// The line; clones of the client inside share its connections.
#[derive(Debug)]
pub(super) struct Line {
    client: Client,
    /// Where Daraja is, without a slash at the end.
    base: String,
    pub(super) exchange_within: Duration,
}

impl Line {
    /// A line to this address.
    ///
    /// # Errors
    /// When no client can be made, which says so at the start of the process.
    pub(super) fn new(base: String) -> Result<Self, String> {
        let client = Client::builder()
            .tls_backend_preconfigured(tls()?)
            .connect_timeout(CONNECT_WITHIN)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            // Secrets go to the address that is set, and nowhere else.
            .no_proxy()
            .build()
            .map_err(|error| error.to_string())?;
        Ok(Self { client, base, exchange_within: EXCHANGE_WITHIN })
    }

    /// Asks for a new token, which ends the last one.
    pub(super) async fn token(
        &self,
        key: &str,
        secret: &SecretString,
        call: &Call,
    ) -> Result<Reply, ProviderError> {
        let url = format!("{}/oauth/v1/generate?grant_type=client_credentials", self.base);
        let request = self.client.get(url).basic_auth(key, Some(secret.expose_secret()));
        self.exchange(request, call).await
    }

    /// Sends a request that bears this token.
    pub(super) async fn post(
        &self,
        path: &str,
        body: &Value,
        token: &SecretString,
        call: &Call,
    ) -> Result<Reply, ProviderError> {
        let request = self.client.post(format!("{}{path}", self.base));
        let request = request.bearer_auth(token.expose_secret());
        let request = request.header(CONTENT_TYPE, "application/json").body(body.to_string());
        self.exchange(request, call).await
    }

    async fn exchange(&self, request: RequestBuilder, call: &Call) -> Result<Reply, ProviderError> {
        let left = call.left(self.exchange_within);
        if left.is_zero() {
            return Err(ProviderError::Busy("there was no time left to ask".to_owned()));
        }
        let response = request.timeout(left).send().await.map_err(failure)?;
        let status = response.status().as_u16();
        let body = body(response).await?;
        let reply = Reply { status, answer: serde_json::from_slice(&body).unwrap_or_default() };
        let is_busy = reply.error_code().is_some_and(|code| BUSY_CODES.contains(&code));
        if status == 429 || is_busy {
            return Err(ProviderError::Busy(reply.words()));
        }
        Ok(reply)
    }
}

/// The body of an answer, in its bounds.
async fn body(mut response: Response) -> Result<Vec<u8>, ProviderError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(failure)? {
        if body.len() + chunk.len() > LARGEST_ANSWER {
            return Err(ProviderError::Unclear("the answer is too long".to_owned()));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// What an exchange that failed means. The library's own words are left out, because they may name
/// what was sent.
fn failure(error: reqwest::Error) -> ProviderError {
    if error.is_connect() {
        return ProviderError::Busy("there is no connection".to_owned());
    }
    if error.is_builder() {
        return ProviderError::Busy("the request cannot be written".to_owned());
    }
    let why = if error.is_timeout() { "no answer came in time" } else { "the answer broke off" };
    ProviderError::Unclear(why.to_owned())
}

/// TLS with the provider that the whole product uses, named here because a library must not depend
/// on what the process has installed, and with the roots that are built in.
fn tls() -> Result<rustls::ClientConfig, String> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}
