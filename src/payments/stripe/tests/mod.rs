//! Stripe against a stand-in over HTTP.
