//! The edge: everything a request brings is read here once, into values that need no second look.
//!
//! Each extractor names one noun: [`Body`], [`Signed`] and [`MaybeSigned`], [`IdempotencyKey`],
//! [`ClientAddress`], the ids in paths, [`Params`] with [`Page`] and [`Dates`]. What cannot be read
//! is answered with a problem that names the field, and nothing behind this edge has run. Bounds: a
//! body has at most 64 KiB and ten seconds to arrive, a key 255 characters, a page 100 rows.

mod address;
mod body;
mod caller;
mod key;
mod params;
mod path;
mod wording;

pub use address::ClientAddress;
pub(super) use body::read as read_body;
pub use body::{Body, MAX_BODY_BYTES, parse};
pub(super) use caller::caller;
pub use caller::{MaybeSigned, Signed, Verify};
pub use key::IdempotencyKey;
pub use params::{Dates, Page, Params};
pub use path::{
    BlockPath, BookingPath, PaymentPath, PropertyPath, QuotePath, ReviewPath, UserPath,
};
pub(super) use wording::pointer_to;
