//! Leaving: what still ties somebody to the house, and the end of an account without ties.

use super::accounts::Account;
use super::audit::{NewAudit, insert_audit};
use super::mail_tokens::DROP_ALL;
use super::sessions::END_ALL;
use super::{Store, StoreError, write};
use domain::Instant;
use uuid::Uuid;

/// One thing that has to end before its account can.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Obligation {
    /// `booking_as_guest`, `booking_as_host`, `payment` or `property`.
    pub kind: String,
    pub id: Uuid,
}

/// What became of a wish to leave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Departure {
    /// The account is nobody's now; these sessions ended with it.
    Left(Vec<Uuid>),
    /// These stand in the way; nothing was changed.
    Obliged(Vec<Obligation>),
    /// The account is not in the version that was read, or gone; nothing was changed.
    Changed,
}

/// Nobody reads more of them at once.
const MAX_OBLIGATIONS: i64 = 100;

/// Money is unsettled while the provider's last word is to come, and while a job has to do with it:
/// a refund that was not sent yet, for one, also when nobody tries any more.
const OBLIGATIONS: &str = "\
    select 'booking_as_guest' as kind, booking_id as id from booking \
    where guest_id = $1 and status in ('PENDING', 'CONFIRMED') \
    union select 'booking_as_host', booking.booking_id from property \
    join booking using (property_id) \
    where property.host_id = $1 and booking.status in ('PENDING', 'CONFIRMED') \
    union select 'payment', payment.payment_id from booking \
    join payment using (property_id, booking_id) where booking.guest_id = $1 and ( \
        payment.status in ('created', 'requires_action', 'processing', 'authorized') \
        or exists (select 1 from refund where refund.payment_id = payment.payment_id \
            and refund.state in ('requested', 'submitted')) \
        or exists (select 1 from job where job.subject_id = payment.payment_id)) \
    union select 'payment', payment.payment_id from property \
    join payment using (property_id) where property.host_id = $1 and ( \
        payment.status in ('created', 'requires_action', 'processing', 'authorized') \
        or exists (select 1 from refund where refund.payment_id = payment.payment_id \
            and refund.state in ('requested', 'submitted')) \
        or exists (select 1 from job where job.subject_id = payment.payment_id)) \
    union select 'property', property_id from property \
    where host_id = $1 and listing <> 'archived' \
    order by 1, 2 limit $2";

/// What stands in place of the address is none, so nobody can register or sign in with it.
const ANONYMISE: &str = "update account set email = $3, password_hash = '', first_name = '', \
     last_name = '', verified_at = null, deleted_at = $4, version = version + 1 \
     where account_id = $1 and version = $2 and deleted_at is null";

/// The record of changed names stays, without the names.
const FORGET_PHONES: &str = "update payment set method = '' where method <> '' \
     and booking_id in (select booking_id from booking where guest_id = $1)";

/// What providers sent of their payments, with whatever stands in it.
const FORGET_WORDS: &str = "delete from inbox where payment_id in \
     (select payment.payment_id from payment join booking using (property_id, booking_id) \
     where booking.guest_id = $1)";

const FORGET_NAMES: &str = "update audit set before_json = null, after_json = null \
     where subject_id = $1 and kind = 'profile_changed'";

impl Store {
    /// Takes everything personal out of an account that was read in this version, and ends its
    /// sessions; refused while it has obligations. Bookings, payments and the record stay. A
    /// booking that is on its way at this very moment is not seen: it ends like any other whose
    /// guest does not pay.
    pub async fn depart(
        &self,
        account: Account,
        now: Instant,
        audit: NewAudit,
    ) -> Result<Departure, StoreError> {
        let store = self.clone();
        self.spawn(async move {
            let (id, at) = (account.id.0, now.as_micros());
            write!(store, |on| {
                let ties: Vec<(String, Uuid)> = sqlx::query_as(OBLIGATIONS)
                    .bind(id)
                    .bind(MAX_OBLIGATIONS)
                    .fetch_all(&mut *on)
                    .await?;
                if !ties.is_empty() {
                    let obligation = |(kind, id)| Obligation { kind, id };
                    return Ok(Departure::Obliged(ties.into_iter().map(obligation).collect()));
                }
                let left = sqlx::query(ANONYMISE)
                    .bind(id)
                    .bind(account.version)
                    .bind(format!("deleted:{id}"))
                    .bind(at)
                    .execute(&mut *on)
                    .await?;
                if left.rows_affected() == 0 {
                    return Ok(Departure::Changed);
                }
                let ended: Vec<Uuid> =
                    sqlx::query_scalar(END_ALL).bind(id).bind(at).fetch_all(&mut *on).await?;
                sqlx::query(DROP_ALL).bind(id).execute(&mut *on).await?;
                for forget in [FORGET_NAMES, FORGET_PHONES, FORGET_WORDS] {
                    sqlx::query(forget).bind(id).execute(&mut *on).await?;
                }
                insert_audit!(on, audit);
                Departure::Left(ended)
            })
        })
        .await
    }
}
