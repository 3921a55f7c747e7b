//! Leaving, and taking one's data along.

use super::PaymentView;
use super::{Engine, Error};
use crate::auth::Caller;
use crate::auth::policy::{Action, Ownership, allow};
use crate::store::accounts::Account;
use crate::store::audit::Deed;
use crate::store::bookings::BookingFilter;
use crate::store::departures::Departure;
use crate::store::properties::{Filters, PropertyRow};
use crate::store::reviews::{Review, ReviewsOf};
use domain::{Booking, PropertyId, UserId};
use std::net::IpAddr;

/// Everything that the house knows of somebody.
#[derive(Debug)]
pub struct Export {
    pub account: Account,
    /// Those that they let.
    pub properties: Vec<PropertyRow>,
    /// Those that they made as a guest.
    pub bookings: Vec<(PropertyId, Booking)>,
    /// Those for these bookings.
    pub payments: Vec<PaymentView>,
    /// Those that they wrote.
    pub reviews: Vec<Review>,
}

/// Rows that an export reads at a time.
const PAGE: u32 = 500;

/// Reads a list to its end, page by page.
macro_rules! all {
    ($after:ident => $page:expr, $place:expr) => {{
        let mut rows = Vec::new();
        let mut $after = None;
        loop {
            let page = $page;
            let is_last = page.len() < PAGE as usize;
            rows.extend(page);
            if is_last {
                break rows;
            }
            $after = rows.last().map($place);
        }
    }};
}

impl Engine {
    /// Ends an account: personal data goes, its sessions end, and bookings, payments and the record
    /// stay. Refused with the list of obligations while there are live bookings (as guest or as
    /// host), unsettled money, or properties that are not archived; who archives a property decides
    /// about its bookings there, so nothing of that is done here. `accepts` sees the account, and
    /// may refuse; it is asked again when somebody's change came between.
    pub async fn delete_user<E: From<Error>>(
        &self,
        caller: &Caller,
        id: UserId,
        accepts: impl Fn(&Account) -> Result<(), E>,
        address: Option<IpAddr>,
    ) -> Result<(), E> {
        let ownership = Ownership::of_account(Some(caller), id);
        allow(Action::DeleteAccount, Some(caller), ownership).map_err(Error::from)?;
        loop {
            let account = self.store.account(id).await.map_err(Error::from)?;
            let account = account.ok_or(Error::NotFound)?;
            accepts(&account)?;
            let audit = self.audit(Deed::AccountDeleted, Some(caller.id), Some(id), address);
            let departing = self.store.depart(account, self.clock.now(), audit);
            match departing.await.map_err(Error::from)? {
                Departure::Left(ended) => {
                    self.end_now(&ended);
                    return Ok(());
                }
                Departure::Obliged(obligations) => return Err(Error::Obliged(obligations).into()),
                Departure::Changed => {}
            }
        }
    }

    /// Everything that is known of the caller.
    pub async fn export(&self, caller: &Caller) -> Result<Export, Error> {
        allow(Action::ExportAccount, Some(caller), Ownership::Own)?;
        let (store, id) = (&self.store, caller.id);
        let account = store.account(id).await?.ok_or(Error::NotFound)?;
        let homes = Filters { host: Some(id), ..Filters::default() };
        let properties = all!(
            after => store.properties(homes.clone(), after, PAGE).await?,
            |row: &PropertyRow| (row.created_at.as_micros(), row.property.id)
        );
        let bookings = all!(
            after => store.bookings_of_guest(id, BookingFilter::default(), after, PAGE).await?,
            |(_, booking): &(PropertyId, Booking)| (booking.created_at, booking.id)
        );
        let payments = all!(
            after => self.payments(caller, after, PAGE as usize).await?,
            |view: &PaymentView| (view.payment.created_at, view.payment.id.0)
        );
        let reviews = all!(
            after => store.reviews(ReviewsOf::Author(id), after, PAGE).await?,
            |review: &Review| (review.created_at, review.id)
        );
        Ok(Export { account, properties, bookings, payments, reviews })
    }
}
