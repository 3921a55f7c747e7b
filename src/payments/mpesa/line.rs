//! The line to Daraja: one request, one answer, each in bounds of time and length.
//!
//! What never left this machine is [`ProviderError::Busy`], and what may have been heard is
//! [`ProviderError::Unclear`]; nothing is sent twice and no redirect is followed, because a push
//! that is sent again asks the guest again.

use super::ProviderError;
use super::call::Call;
use super::word::{Word, plain};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hyper::body::{Body, Incoming};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use hyper::{Method, Request};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::Value;
use std::pin::Pin;
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

/// The line. Every exchange has a connection of its own: one that was kept may be closed by the
/// other side in the moment that a push is written to it, and nobody could say whether it arrived.
#[derive(Debug)]
pub(super) struct Line {
    client: Client<HttpsConnector<HttpConnector>, String>,
    /// Where Daraja is, without a slash at the end.
    base: String,
    pub(super) exchange_within: Duration,
}

impl Line {
    /// A line to this address. TLS is by the provider that the whole product uses, named here so
    /// that it does not depend on what the process has installed, and with the built-in roots.
    ///
    /// # Errors
    /// When there can be no TLS with them.
    pub(super) fn new(base: String) -> Result<Self, String> {
        let mut http = HttpConnector::new();
        http.enforce_http(false);
        http.set_nodelay(true);
        http.set_connect_timeout(Some(CONNECT_WITHIN));
        let connector = HttpsConnectorBuilder::new()
            .with_provider_and_webpki_roots(rustls::crypto::aws_lc_rs::default_provider())
            .map_err(|error| error.to_string())?
            .https_or_http()
            .enable_http1()
            .wrap_connector(http);
        let mut builder = Client::builder(TokioExecutor::new());
        let client = builder.pool_max_idle_per_host(0).build(connector);
        Ok(Self { client, base, exchange_within: EXCHANGE_WITHIN })
    }

    /// Asks for a new token, which ends the last one.
    pub(super) async fn token(
        &self,
        key: &SecretString,
        secret: &SecretString,
        call: &Call,
    ) -> Result<Reply, ProviderError> {
        let pair = format!("{}:{}", key.expose_secret(), secret.expose_secret());
        let bears = format!("Basic {}", BASE64_STANDARD.encode(pair));
        let path = "/oauth/v1/generate?grant_type=client_credentials";
        self.exchange(self.request(Method::GET, path, &bears, String::new())?, call).await
    }

    /// Sends a request that bears this token.
    pub(super) async fn post(
        &self,
        path: &str,
        body: &Value,
        token: &SecretString,
        call: &Call,
    ) -> Result<Reply, ProviderError> {
        let bears = format!("Bearer {}", token.expose_secret());
        let request = self.request(Method::POST, path, &bears, body.to_string())?;
        self.exchange(request, call).await
    }

    fn request(
        &self,
        method: Method,
        path: &str,
        bears: &str,
        body: String,
    ) -> Result<Request<String>, ProviderError> {
        let unfit = || ProviderError::Busy("the request cannot be written".to_owned());
        let mut bears = HeaderValue::from_str(bears).map_err(|_| unfit())?;
        bears.set_sensitive(true);
        Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base))
            .header(AUTHORIZATION, bears)
            .header(CONTENT_TYPE, "application/json")
            .body(body)
            .map_err(|_| unfit())
    }

    async fn exchange(
        &self,
        request: Request<String>,
        call: &Call,
    ) -> Result<Reply, ProviderError> {
        let left = call.left(self.exchange_within);
        if left.is_zero() {
            return Err(ProviderError::Busy("there was no time left to ask".to_owned()));
        }
        let late = |_| ProviderError::Unclear("no answer came in time".to_owned());
        let (status, body) =
            tokio::time::timeout(left, self.ask(request)).await.map_err(late)??;
        let reply = Reply { status, answer: serde_json::from_slice(&body).unwrap_or_default() };
        let is_busy = reply.error_code().is_some_and(|code| BUSY_CODES.contains(&code));
        if status == 429 || is_busy {
            return Err(ProviderError::Busy(reply.words()));
        }
        Ok(reply)
    }

    /// One exchange, in whatever time it takes: the status and the body of the answer.
    async fn ask(&self, request: Request<String>) -> Result<(u16, Vec<u8>), ProviderError> {
        let response = self.client.request(request).await.map_err(|error| {
            if error.is_connect() {
                ProviderError::Busy("there is no connection".to_owned())
            } else {
                broken()
            }
        })?;
        let status = response.status().as_u16();
        Ok((status, whole(response.into_body()).await?))
    }
}

fn broken() -> ProviderError {
    ProviderError::Unclear("the answer broke off".to_owned())
}

/// All of an answer's body, in its bounds.
async fn whole(mut body: Incoming) -> Result<Vec<u8>, ProviderError> {
    let mut bytes = Vec::new();
    loop {
        let frame = std::future::poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await;
        let Some(frame) = frame else { return Ok(bytes) };
        // What is no data is a trailer, and nobody asks for those.
        let Ok(data) = frame.map_err(|_| broken())?.into_data() else { continue };
        if bytes.len() + data.len() > LARGEST_ANSWER {
            return Err(ProviderError::Unclear("the answer is too long".to_owned()));
        }
        bytes.extend_from_slice(&data);
    }
}
