//! Who is asking, and what they may do.
//!
//! [`passwords`] keeps and checks what people know, [`tokens`] what they carry from request to
//! request, [`opaque`] what they show once; [`ended`] knows the sessions that are over,
//! [`throttle`] slows down who guesses, and [`policy`] is the one table that says who may do what
//! to whose things. Nothing here knows HTTP, reads a clock or touches the database: the time is an
//! argument, and accounts are looked up by the callers.

pub mod ended;
pub mod opaque;
pub mod passwords;
pub mod policy;
pub mod standing_back;
pub mod throttle;
pub mod tokens;

pub use passwords::{NewPassword, PasswordProblem, Passwords, Unhashed};
pub use policy::{Action, Caller, Denied, Ownership, allow};
pub use tokens::{Claims, TokenError, Tokens, secret_problem};
