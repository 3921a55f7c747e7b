//! The access token that all nodes share, on both databases.

use super::{Ground, NOW, on_both};
use domain::Instant;
use secrecy::{ExposeSecret, SecretString};
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);
const NAME: &str = "mpesa";

on_both!(
    a_token_is_kept_until_there_is_a_newer_one,
    one_node_at_a_time_fetches_a_token,
    a_claim_is_for_the_token_that_was_seen,
    of_many_that_claim_at_once_one_wins,
);

/// The token of this provider and when it ends.
async fn stored(ground: &Ground, provider: &'static str) -> Option<(String, Instant)> {
    let stored = ground.store.provider_token(provider).await.expect("an answer");
    stored.map(|stored| (stored.token.expose_secret().to_owned(), stored.expires_at))
}

async fn keep(ground: &Ground, token: &str, expires_at: Instant) {
    let token = token.to_owned().into();
    ground.store.set_provider_token(NAME, token, expires_at).await.expect("it is kept");
}

/// Whether the fetching of a token after this one could be claimed at that time, for a minute.
async fn claim(ground: &Ground, seen: Option<&str>, now: Instant) -> bool {
    let seen: Option<SecretString> = seen.map(|seen| seen.to_owned().into());
    let claim = ground.store.begin_token_refresh(NAME, seen.as_ref(), now, now.plus(MINUTE));
    claim.await.expect("an answer")
}

async fn a_token_is_kept_until_there_is_a_newer_one(ground: Ground) {
    assert_eq!(stored(&ground, NAME).await, None);
    for (token, expires_at) in [("first", NOW), ("se'cond", NOW.plus(MINUTE)), ("", NOW)] {
        keep(&ground, token, expires_at).await;
        assert_eq!(stored(&ground, NAME).await, Some((token.to_owned(), expires_at)));
    }
    assert_eq!(stored(&ground, "another").await, None);
    keep(&ground, "secret", NOW).await;
    let shown = format!("{:?}", ground.store.provider_token(NAME).await);
    assert!(!shown.contains("\"secret\""), "{shown}");
}

async fn one_node_at_a_time_fetches_a_token(ground: Ground) {
    assert!(claim(&ground, None, NOW).await);
    assert_eq!(stored(&ground, NAME).await, None, "a claim is no token");
    assert!(!claim(&ground, None, NOW).await);
    let almost = NOW.plus(MINUTE - Duration::from_micros(1));
    assert!(!claim(&ground, None, almost).await);
    // The first node died: its claim ends by itself.
    assert!(claim(&ground, None, NOW.plus(MINUTE)).await);
    keep(&ground, "token", NOW.plus(60 * MINUTE)).await;
    // A token ends the claim, whoever's it was.
    assert!(claim(&ground, Some("token"), NOW.plus(MINUTE)).await);
}

async fn a_claim_is_for_the_token_that_was_seen(ground: Ground) {
    keep(&ground, "second", NOW).await;
    for seen in [None, Some("first"), Some(""), Some("SECOND"), Some("second ")] {
        assert!(!claim(&ground, seen, NOW).await, "{seen:?}");
    }
    assert_eq!(stored(&ground, NAME).await, Some(("second".to_owned(), NOW)));
    assert!(claim(&ground, Some("second"), NOW).await);
    let other = ground.store.begin_token_refresh("another", None, NOW, NOW.plus(MINUTE));
    assert!(other.await.expect("an answer"), "each provider has its own");
}

async fn of_many_that_claim_at_once_one_wins(ground: Ground) {
    for seen in [None, Some("token")] {
        let claims = (0..10).map(|_| claim(&ground, seen, NOW));
        let won = futures_util::future::join_all(claims).await;
        assert_eq!(won.iter().filter(|won| **won).count(), 1, "{seen:?}");
        keep(&ground, "token", NOW).await;
    }
}
