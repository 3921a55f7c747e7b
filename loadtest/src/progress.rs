//! How far a run is, for whoever watches the terminal.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A progress bar, or nothing. Copies move the same bar.
#[derive(Debug, Clone)]
pub struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// Draws a bar on standard error, if that is a terminal.
    pub fn shown() -> Self {
        Self { bar: ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr()) }
    }

    /// Draws nothing: for tests and for programs that print their own.
    pub fn hidden() -> Self {
        Self { bar: ProgressBar::hidden() }
    }

    /// Names a step whose length is not known.
    pub(crate) fn step(&self, name: &'static str) {
        let style = ProgressStyle::with_template("{spinner} {msg}");
        self.bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
        self.bar.set_message(name);
        self.bar.enable_steady_tick(Duration::from_millis(200));
    }

    /// Begins a step of `length` pieces.
    pub(crate) fn begin(&self, length: u64) {
        let style = ProgressStyle::with_template("{bar:40} {pos}/{len} {eta} {msg}");
        self.bar.disable_steady_tick();
        self.bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        self.bar.set_message("");
        self.bar.set_length(length);
        self.bar.set_position(0);
    }

    /// One piece is done.
    pub(crate) fn advance(&self) {
        self.bar.inc(1);
    }

    /// `position` pieces are done; `words` say more.
    pub(crate) fn set(&self, position: u64, words: String) {
        self.bar.set_position(position);
        self.bar.set_message(words);
    }

    /// Takes the bar away.
    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
