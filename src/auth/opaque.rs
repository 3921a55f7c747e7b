//! Opaque tokens: random texts that mean nothing by themselves. The holder has the text, the
//! database its hash, so that who reads the database can use none of them.

use argon2::password_hash::phc::Salt;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::SecretString;
use sha2::{Digest, Sha256};

/// The length of a token: 32 bytes in base64url.
const CHARS: usize = 43;

/// A new token: 256 bits from the operating system.
pub fn fresh() -> SecretString {
    // The random source that is in the house already gives 16 bytes at a time.
    let bytes = [Salt::generate(), Salt::generate()].map(|salt| salt.to_vec()).concat();
    SecretString::from(URL_SAFE_NO_PAD.encode(bytes))
}

/// Whether a text has the form of a token.
pub fn is_token(text: &str) -> bool {
    text.len() == CHARS && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

/// What the database keeps of a token. A fast hash will do: there is nothing to guess.
pub fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;
    use std::collections::HashSet;

    #[test]
    fn tokens_have_one_form_and_never_repeat() {
        let tokens: Vec<SecretString> = (0..100).map(|_| fresh()).collect();
        assert!(tokens.iter().all(|token| is_token(token.expose_secret())));
        let hashes: HashSet<_> = tokens.iter().map(|token| hash(token.expose_secret())).collect();
        assert_eq!(hashes.len(), tokens.len());
        assert!(!format!("{:?}", tokens[0]).contains(tokens[0].expose_secret()));
    }

    #[test]
    fn other_texts_are_no_tokens() {
        for text in
            ["", "short", &"a".repeat(42), &"a".repeat(44), &"ä".repeat(43), &" ".repeat(43)]
        {
            assert!(!is_token(text), "{text}");
        }
    }
}
