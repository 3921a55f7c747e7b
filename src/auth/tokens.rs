//! Access tokens: what a caller carries from request to request, for ten minutes.
//!
//! A token is a JWT (RFC 7519) in the profile of RFC 9068: header `typ` is `at+jwt`, the one
//! algorithm is HS256, and `iss`, `aud`, `exp`, `iat`, `sub`, `sid` and `role` must all be there.
//! The header is compared byte for byte with the one that [`Tokens::issue`] writes and never
//! parsed, so no token can choose its algorithm. The time is an argument and no leeway is given:
//! the house has one clock. Verifying is on the road of every request: it takes about a
//! microsecond and no more memory than the check of the signature needs.

use crate::auth::policy::Caller;
use crate::store::accounts::Role;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::{Instant, UserId};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, crypto};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use uuid::Uuid;

/// How long a token is good for.
pub const LIFETIME: Duration = Duration::from_secs(10 * 60);

/// The shortest key that signs tokens, in bytes (RFC 7518, section 3.2).
pub const MIN_SECRET_BYTES: usize = 32;

/// `{"typ":"at+jwt","alg":"HS256"}` in base64url, with the dot that ends it.
const HEADER: &str = "eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJIUzI1NiJ9.";
const ISSUER: &str = "vacancy";
const AUDIENCE: &str = "vacancy-api";
/// More than the claims of an honest token ever take, in bytes.
const MAX_CLAIMS_BYTES: usize = 384;
/// An HS256 signature in base64url, in characters.
const SIGNATURE_CHARS: usize = 43;
const MICROS_A_SECOND: i64 = 1_000_000;

/// What a valid token says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claims {
    pub user: UserId,
    pub role: Role,
    pub session: Uuid,
    pub issued_at: Instant,
    pub expires_at: Instant,
}

impl Claims {
    /// The caller whose token it is.
    pub const fn caller(&self) -> Caller {
        Caller { id: self.user, role: self.role, session: self.session }
    }
}

/// Why a token is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Not ours, changed on its way, or not a token at all.
    #[error("the access token is not valid")]
    Invalid,
    /// It was good until its ten minutes were over.
    #[error("the access token has expired")]
    Expired,
    /// Its session was ended: signed out, or by a reset password.
    #[error("the session of the access token has ended")]
    Ended,
}

/// The claims as they are written. Dates are whole seconds since 1970 (RFC 7519, section 2).
#[derive(Serialize, Deserialize)]
struct Wire<'a> {
    iss: &'a str,
    aud: &'a str,
    exp: i64,
    iat: i64,
    sub: Uuid,
    sid: Uuid,
    role: &'a str,
}

/// Issues and verifies access tokens under one secret.
pub struct Tokens {
    signing: EncodingKey,
    verifying: DecodingKey,
}

impl Tokens {
    /// The secret has been judged by [`secret_problem`] before.
    pub fn new(secret: &SecretString) -> Self {
        let bytes = secret.expose_secret().as_bytes();
        Self {
            signing: EncodingKey::from_secret(bytes),
            verifying: DecodingKey::from_secret(bytes),
        }
    }

    /// A token for ten minutes from now, counted from the whole second.
    pub fn issue(&self, user: UserId, role: Role, session: Uuid, now: Instant) -> String {
        let iat = now.as_micros().div_euclid(MICROS_A_SECOND);
        let exp = iat + i64::try_from(LIFETIME.as_secs()).unwrap_or(0);
        let wire = Wire {
            iss: ISSUER,
            aud: AUDIENCE,
            exp,
            iat,
            sub: user.0,
            sid: session,
            role: role.name(),
        };
        self.sealed(&serde_json::to_vec(&wire).unwrap_or_default())
    }

    /// The refresh token that follows this one, the same whenever it is asked for, so that it need
    /// not be kept for a retry; nobody without the secret can tell it. What is signed is no head of
    /// a token, which has no colon. Nothing where the library refuses.
    pub fn successor(&self, refresh_token: &str) -> Option<SecretString> {
        let message = format!("refresh:{refresh_token}");
        let signature = crypto::sign(message.as_bytes(), &self.signing, Algorithm::HS256);
        signature.ok().map(SecretString::from)
    }

    /// The token over these claims. The algorithm is fixed and every key fits it; if the library
    /// refused all the same, the empty signature would make a token that nobody accepts.
    fn sealed(&self, claims: &[u8]) -> String {
        let mut token = String::with_capacity(MAX_CLAIMS_BYTES);
        token.push_str(HEADER);
        URL_SAFE_NO_PAD.encode_string(claims, &mut token);
        let signature =
            crypto::sign(token.as_bytes(), &self.signing, Algorithm::HS256).unwrap_or_default();
        token.push('.');
        token.push_str(&signature);
        token
    }

    /// What the token says, if it is ours, whole, and `now` is before its end.
    pub fn verify(&self, token: &str, now: Instant) -> Result<Claims, TokenError> {
        let (message, signature) = token.rsplit_once('.').ok_or(TokenError::Invalid)?;
        let claims = message.strip_prefix(HEADER).ok_or(TokenError::Invalid)?;
        if signature.len() != SIGNATURE_CHARS {
            return Err(TokenError::Invalid);
        }
        let message = message.as_bytes();
        match crypto::verify(signature, message, &self.verifying, Algorithm::HS256) {
            Ok(true) => read(claims, now),
            Ok(false) | Err(_) => Err(TokenError::Invalid),
        }
    }
}

/// Reads claims whose signature has been checked.
fn read(encoded: &str, now: Instant) -> Result<Claims, TokenError> {
    let mut buffer = [0; MAX_CLAIMS_BYTES];
    let length =
        URL_SAFE_NO_PAD.decode_slice(encoded, &mut buffer).map_err(|_| TokenError::Invalid)?;
    let wire: Wire<'_> =
        serde_json::from_slice(&buffer[..length]).map_err(|_| TokenError::Invalid)?;
    if wire.iss != ISSUER || wire.aud != AUDIENCE {
        return Err(TokenError::Invalid);
    }
    let instant = |seconds: i64| Instant::from_micros(seconds.saturating_mul(MICROS_A_SECOND));
    let claims = Claims {
        user: UserId(wire.sub),
        role: wire.role.parse().map_err(|_| TokenError::Invalid)?,
        session: wire.sid,
        issued_at: instant(wire.iat),
        expires_at: instant(wire.exp),
    };
    if now < claims.expires_at { Ok(claims) } else { Err(TokenError::Expired) }
}

/// Words of sample values, in lower case without separators: a key that contains one was copied
/// from somewhere. A random key of this length contains one about once in ten million.
const SAMPLE_WORDS: &[&str] = &[
    "changeme",
    "changethis",
    "default",
    "example",
    "insecure",
    "password",
    "placeholder",
    "replaceme",
    "replacethis",
    "sample",
    "secret",
    "vacancy",
    "yourkey",
];
/// Fewer different characters than this are a pattern; a random key in hex has 14 or more.
const MIN_DIFFERENT_CHARS: usize = 8;

/// What is wrong with a `SECRET_KEY`, in words that follow its name; `None` if nothing is.
pub fn secret_problem(secret: &str) -> Option<&'static str> {
    let secret = secret.trim();
    if secret.is_empty() {
        return Some("is empty: set it to at least 32 random characters");
    }
    let plain: String = secret
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|letter| letter.to_ascii_lowercase())
        .collect();
    if SAMPLE_WORDS.iter().any(|word| plain.contains(word)) {
        return Some("is a sample value: set it to at least 32 random characters");
    }
    if secret.len() < MIN_SECRET_BYTES {
        return Some("is shorter than 32 bytes");
    }
    if has_pattern(secret) {
        return Some("is a pattern, not a random value: set it to at least 32 random characters");
    }
    None
}

/// Whether the text has few different characters, repeats a block, or counts up.
fn has_pattern(text: &str) -> bool {
    let bytes = text.as_bytes();
    let mut different = bytes.to_vec();
    different.sort_unstable();
    different.dedup();
    // A text has the period p if it equals itself moved by p.
    let repeats =
        (1..=bytes.len() / 2).any(|period| bytes[period..] == bytes[..bytes.len() - period]);
    let steps = bytes.windows(2).filter(|pair| pair[1] == pair[0].wrapping_add(1)).count();
    different.len() < MIN_DIFFERENT_CHARS || repeats || steps * 2 > bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "kR7vQ2mXw9ZpL4tYs8Nc1HbJd6FgTe3A";
    const NOW: Instant = Instant::from_micros(1_800_000_000_500_000);

    fn tokens() -> Tokens {
        Tokens::new(&SecretString::from(SECRET))
    }

    fn issued() -> String {
        let (user, session) = (UserId(Uuid::from_u128(7)), Uuid::from_u128(8));
        tokens().issue(user, Role::Host, session, NOW)
    }

    /// A token with these claims, signed with the right key.
    fn with_claims(claims: &str) -> String {
        tokens().sealed(claims.as_bytes())
    }

    #[test]
    fn a_token_says_who_was_given_it_and_until_when() {
        let claims = tokens().verify(&issued(), NOW).expect("an honest token");
        let caller = claims.caller();
        assert_eq!((caller.id.0, caller.session), (Uuid::from_u128(7), Uuid::from_u128(8)));
        assert_eq!(caller.role, Role::Host);
        assert_eq!(claims.issued_at, Instant::from_micros(1_800_000_000_000_000));
        assert_eq!(claims.expires_at.since(claims.issued_at), LIFETIME);
    }

    #[test]
    fn a_token_ends_at_the_microsecond() {
        let end = tokens().verify(&issued(), NOW).expect("an honest token").expires_at;
        let last = end.minus(Duration::from_micros(1));
        assert!(tokens().verify(&issued(), last).is_ok());
        assert_eq!(tokens().verify(&issued(), end), Err(TokenError::Expired));
    }

    #[test]
    fn the_library_reads_our_tokens_as_a_jwt_of_type_access_token() {
        let mut rules = jsonwebtoken::Validation::new(Algorithm::HS256);
        rules.validate_exp = false;
        rules.set_required_spec_claims(&["exp", "aud", "iss", "sub"]);
        rules.set_audience(&[AUDIENCE]);
        rules.set_issuer(&[ISSUER]);
        let key = DecodingKey::from_secret(SECRET.as_bytes());
        let read = jsonwebtoken::decode::<serde_json::Value>(issued(), &key, &rules)
            .expect("a valid token");
        assert_eq!(read.header.typ.as_deref(), Some("at+jwt"));
        assert_eq!(read.claims["role"], "host");
    }

    #[test]
    fn a_token_that_was_changed_anywhere_is_refused() {
        let token = issued();
        for index in 0..token.len() {
            let mut bytes = token.clone().into_bytes();
            bytes[index] = if bytes[index] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(bytes).expect("still ascii");
            assert_eq!(tokens().verify(&changed, NOW), Err(TokenError::Invalid), "{index}");
        }
        for text in ["", ".", "..", "a.b.c", HEADER, "\u{1f3e0}", &token[1..], &token[..80]] {
            assert_eq!(tokens().verify(text, NOW), Err(TokenError::Invalid), "{text}");
        }
    }

    #[test]
    fn another_algorithm_type_or_key_is_refused() {
        let claims: serde_json::Value = serde_json::json!({
            "iss": ISSUER, "aud": AUDIENCE, "exp": 1_900_000_000_i64, "iat": 0,
            "sub": Uuid::nil(), "sid": Uuid::nil(), "role": "admin",
        });
        let signed = |algorithm, typ: &str, secret: &str| {
            let mut header = jsonwebtoken::Header::new(algorithm);
            header.typ = Some(typ.to_owned());
            let key = EncodingKey::from_secret(secret.as_bytes());
            jsonwebtoken::encode(&header, &claims, &key).expect("a token")
        };
        assert!(tokens().verify(&signed(Algorithm::HS256, "at+jwt", SECRET), NOW).is_ok());
        for token in [
            signed(Algorithm::HS512, "at+jwt", SECRET),
            signed(Algorithm::HS256, "JWT", SECRET),
            signed(Algorithm::HS256, "at+jwt", "another key of the very same length"),
        ] {
            assert_eq!(tokens().verify(&token, NOW), Err(TokenError::Invalid), "{token}");
        }
        let (_, rest) =
            issued().split_once('.').map(|(a, b)| (a.len(), b.to_owned())).expect("dot");
        let none = URL_SAFE_NO_PAD.encode(r#"{"typ":"at+jwt","alg":"none"}"#);
        assert_eq!(tokens().verify(&format!("{none}.{rest}"), NOW), Err(TokenError::Invalid));
        let bare = rest.split_once('.').map(|(claims, _)| claims.to_owned()).expect("a dot");
        assert_eq!(tokens().verify(&format!("{none}.{bare}."), NOW), Err(TokenError::Invalid));
    }

    #[test]
    fn every_claim_is_required_and_checked() {
        let good = |claim: &str, value: &str| {
            let nil = format!("\"{}\"", Uuid::nil());
            let claims = [
                ("iss", "\"vacancy\""),
                ("aud", "\"vacancy-api\""),
                ("exp", "1900000000"),
                ("iat", "1"),
                ("sub", nil.as_str()),
                ("sid", nil.as_str()),
                ("role", "\"guest\""),
            ];
            let pairs = claims.iter().filter_map(|(name, usual)| match (*name == claim, value) {
                (true, "") => None,
                (true, value) => Some(format!("\"{name}\":{value}")),
                (false, _) => Some(format!("\"{name}\":{usual}")),
            });
            with_claims(&format!("{{{}}}", pairs.collect::<Vec<_>>().join(",")))
        };
        assert!(tokens().verify(&good("none", ""), NOW).is_ok());
        for (claim, value) in [
            ("iss", ""),
            ("iss", "\"somebody\""),
            ("aud", ""),
            ("aud", "\"refresh\""),
            ("exp", ""),
            ("exp", "\"1900000000\""),
            ("iat", ""),
            ("sub", ""),
            ("sub", "\"me\""),
            ("sid", ""),
            ("role", ""),
            ("role", "\"owner\""),
        ] {
            let verified = tokens().verify(&good(claim, value), NOW);
            assert_eq!(verified, Err(TokenError::Invalid), "{claim} {value}");
        }
        let never = good("exp", "-9223372036854775808");
        assert_eq!(tokens().verify(&never, NOW), Err(TokenError::Expired));
    }

    #[test]
    fn sample_short_and_patterned_secrets_are_named() {
        for secret in [SECRET, "b2f1c09d7e5a48836b1d0f927c4e65a8"] {
            assert_eq!(secret_problem(secret), None, "{secret}");
        }
        for (secret, part) in [
            ("", "empty"),
            ("   ", "empty"),
            ("changeme", "sample"),
            ("Change-Me-please-0123456789-abcdefg", "sample"),
            ("secret", "sample"),
            ("replace_this_with_a_long_random_value", "sample"),
            ("kR7vQ2mXw9ZpL4tYs8Nc1HbJd6FgTe3", "shorter"),
            ("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "pattern"),
            ("kR7vQ2mXkR7vQ2mXkR7vQ2mXkR7vQ2mX", "pattern"),
            ("0123456789abcdefghijklmnopqrstuvwxyz", "pattern"),
            ("abababababababababcdcdcdcdcdcdcdcd", "pattern"),
        ] {
            let problem = secret_problem(secret).unwrap_or("nothing");
            assert!(problem.contains(part), "{secret}: {problem}");
        }
    }
}
