//! Something that is to happen at Stripe once, whatever becomes of the answers.

use super::call::{Call, Trouble};
use std::future::Future;

/// What is to happen once. It can be asked for under a key, and it can be seen whether it happened.
pub(super) trait Wish: Sync {
    /// What comes of it.
    type Made: Send;

    /// The key of the first time; up to 250 characters, and never that of another wish.
    fn key(&self) -> String;

    /// Asks for it.
    fn ask(
        &self,
        call: &Call<'_>,
        key: &str,
    ) -> impl Future<Output = Result<Self::Made, Trouble>> + Send;

    /// What came of it, if anything did.
    fn look(
        &self,
        call: &Call<'_>,
    ) -> impl Future<Output = Result<Option<Self::Made>, Trouble>> + Send;
}

/// Asks for it until its outcome is known, within the call's time. Where Stripe failed it keeps the
/// failure under the key, so if nothing came of it, it is asked for once more under another key;
/// that is safe because a request that Stripe itself answered is over.
pub(super) async fn fulfil<W: Wish>(wish: &W, call: &Call<'_>) -> Result<W::Made, Trouble> {
    let key = wish.key();
    let trouble = match wish.ask(call, &key).await {
        Err(trouble @ (Trouble::Lost(_) | Trouble::Spent(_))) => trouble,
        known => return known,
    };
    if let Some(made) = look(wish, call).await? {
        return Ok(made);
    }
    if !matches!(trouble, Trouble::Spent(_)) {
        return Err(trouble);
    }
    match wish.ask(call, &format!("{key}:2")).await {
        Err(trouble @ (Trouble::Lost(_) | Trouble::Spent(_))) => {
            look(wish, call).await?.ok_or(trouble)
        }
        known => known,
    }
}

/// Looks after it; where that fails, nothing is known, whatever the reason.
async fn look<W: Wish>(wish: &W, call: &Call<'_>) -> Result<Option<W::Made>, Trouble> {
    wish.look(call).await.map_err(|trouble| Trouble::Lost(trouble.why()))
}
