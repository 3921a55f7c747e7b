//! What a moved test clock waits for.

use crate::engine::Engine;
use crate::http;
use crate::jobs::{self, sweep};
use fakepay::Fakepay;
use std::sync::Arc;
use std::time::Duration;

/// Handles everything that is due at this moment: what a moved test clock waits for.
pub(super) struct CatchUp {
    pub(super) engine: Arc<Engine>,
    pub(super) sandbox: Option<Arc<Fakepay>>,
}

impl http::CatchUp for CatchUp {
    fn run(&self, advanced: Duration) -> futures_util::future::BoxFuture<'_, ()> {
        Box::pin(async move {
            // What the sandbox signs now must not look old.
            if let Some(sandbox) = &self.sandbox {
                sandbox.advance(advanced);
            }
            // Each round may make new work; a chain of them is short.
            for _ in 0..MAX_ROUNDS {
                let swept = sweep::once(&self.engine).await.unwrap_or(0);
                let worked = jobs::work(&self.engine).await.unwrap_or(0);
                if swept + worked == 0 {
                    return;
                }
            }
        })
    }
}

const MAX_ROUNDS: usize = 1_000;
