//! The command line: a stand-in that runs until it is interrupted.

use clap::Parser;
use fakepay::{Fakepay, Merchant, Settings, Webhook};
use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// A stand-in for Stripe and M-Pesa that keeps its state in memory, or in a file.
#[derive(Parser)]
#[command(version)]
struct CommandLine {
    /// Where to listen; port 0 is any that is free.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:12111")]
    bind: SocketAddr,
    /// Where Stripe's events are sent.
    #[arg(long, value_name = "URL", requires = "webhook_secret")]
    webhook: Option<String>,
    /// What they are signed with: whsec_…
    #[arg(long, value_name = "SECRET", requires = "webhook")]
    webhook_secret: Option<String>,
    /// Keep the books in this file, and go on from what it says.
    #[arg(long, value_name = "FILE")]
    books: Option<PathBuf>,
    /// Where customers' browsers reach the hosted page, if not where it listens.
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    /// Seconds that customers take to answer a push to their phone.
    #[arg(long, value_name = "SECONDS", default_value_t = 2)]
    mpesa_callback_delay: u64,
    /// Give the same ids as an earlier run.
    #[arg(long)]
    seed: Option<u64>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let line = CommandLine::parse();
    let webhook = match (&line.webhook, &line.webhook_secret) {
        (Some(url), Some(secret)) => Some(Webhook::new(url, secret)?),
        _ => None,
    };
    let callback_delay = Duration::from_secs(line.mpesa_callback_delay);
    let merchant = Merchant { callback_delay, ..Merchant::default() };
    let CommandLine { seed, public_url, books, .. } = line;
    let settings = Settings { webhook, seed, merchant, public_url, books };
    let fakepay = Fakepay::start(line.bind, settings)?;
    println!("fakepay listens at {}", fakepay.url());
    told_to_stop().await?;
    Ok(())
}

/// Ends at Ctrl-C, and at SIGTERM where there is one: both leave time for the books.
async fn told_to_stop() -> io::Result<()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminated = signal(SignalKind::terminate())?;
        tokio::select! {
            _ = terminated.recv() => Ok(()),
            pressed = tokio::signal::ctrl_c() => pressed,
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await
}
