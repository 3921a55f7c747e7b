//! Stripe's own library takes the stand-in for Stripe.

use crate::helpers::Shop;
use std::process::{Command, Stdio};

#[tokio::test]
async fn the_official_library_creates_captures_cancels_refunds_and_believes_the_webhooks() {
    let python = std::env::var("STRIPE_PYTHON").expect(
        "STRIPE_PYTHON: a Python that can import stripe, as cargo xtask test makes one in \
         target/python",
    );
    let shop = Shop::open().await;
    let mut command = Command::new(python);
    command
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/official/stripe_client.py"))
        .arg(shop.url())
        .stdin(Stdio::null());
    let output = tokio::task::spawn_blocking(move || command.output());
    let output = output.await.expect("it runs").expect("Python starts");
    let said = String::from_utf8_lossy(&output.stdout);
    let wrong = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{wrong}");
    assert!(said.ends_with("all as it is at Stripe\n"), "{said}");
}
