//! Sign-ins that ride along: on SQLite each commit is a flush, and one comes after the other. A
//! sign-in that flushed by itself would have every booking that comes meanwhile wait for it, so it
//! waits a moment for a commit that is made anyway and is written with that.
//!
//! Each is in a savepoint of its own, so none harms the others or the commit. Bounds: so many ride
//! with one commit, and nobody waits longer for one than [`RIDES_WITHIN`]; then all who wait are
//! committed by themselves.

use super::audit::insert_audit;
use super::sessions::{INSERT, INSERT_TOKEN, SignIn};
use super::sqlite::Sqlite;
use super::{StoreError, end};
use sqlx::Connection;
use sqlx::sqlite::SqliteConnection;
use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot::{self, error::TryRecvError};

/// How long a sign-in waits for somebody else's commit. Its password took longer to look at.
const RIDES_WITHIN: Duration = Duration::from_millis(10);
/// How many ride with one commit.
const MOST: usize = 4;

const STILL_THEIRS: &str = "select exists (select 1 from account \
     where account_id = $1 and password_hash = $2 and deleted_at is null)";

/// Those who wait for a commit.
#[derive(Debug, Default)]
pub(super) struct Riders(Mutex<VecDeque<Rider>>);

#[derive(Debug)]
struct Rider {
    sign_in: SignIn,
    answer: oneshot::Sender<Result<bool, StoreError>>,
}

/// Those who were written in a transaction that is not committed yet.
#[derive(Debug, Default)]
pub(super) struct Carried(Vec<(Rider, Result<bool, StoreError>)>);

impl Riders {
    fn locked(&self) -> std::sync::MutexGuard<'_, VecDeque<Rider>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes some of those who wait, the longest first, in this transaction.
    pub(super) async fn carry(&self, on: &mut SqliteConnection) -> Carried {
        let boarding: Vec<Rider> = {
            let mut waiting = self.locked();
            // Who was told of a failure is not signed in behind their back.
            waiting.retain(|rider| !rider.answer.is_closed());
            let count = waiting.len().min(MOST);
            waiting.drain(..count).collect()
        };
        let mut carried = Carried::default();
        for rider in boarding {
            let written = write(on, &rider.sign_in).await;
            carried.0.push((rider, written));
        }
        carried
    }
}

impl Carried {
    /// Tells everybody, once it is durable.
    pub(super) fn arrive(self) {
        for (rider, written) in self.0 {
            // Who went away meanwhile has signed in all the same.
            let _ = rider.answer.send(written);
        }
    }
}

async fn write(on: &mut SqliteConnection, sign_in: &SignIn) -> Result<bool, StoreError> {
    let mut savepoint = on.begin().await?;
    let written = write_in(&mut savepoint, sign_in).await;
    end(savepoint, written).await
}

/// Says whether the password is still its account's, and was therefore signed in with.
async fn write_in(on: &mut SqliteConnection, sign_in: &SignIn) -> Result<bool, StoreError> {
    let SignIn { session, password_hash, audit } = sign_in;
    let known: bool = sqlx::query_scalar(STILL_THEIRS)
        .bind(session.account.0)
        .bind(password_hash)
        .fetch_one(&mut *on)
        .await?;
    if known {
        sqlx::query(INSERT)
            .bind(session.id)
            .bind(session.account.0)
            .bind(session.created_at.as_micros())
            .bind(session.expires_at.as_micros())
            .execute(&mut *on)
            .await?;
        sqlx::query(INSERT_TOKEN)
            .bind(&session.refresh[..])
            .bind(session.id)
            .bind(session.created_at.as_micros())
            .execute(&mut *on)
            .await?;
        insert_audit!(on, audit);
    }
    Ok(known)
}

impl Sqlite {
    /// Signs somebody in with the next commit, whosever it is.
    pub(super) async fn ride(&self, sign_in: SignIn) -> Result<bool, StoreError> {
        let (answer, mut answered) = oneshot::channel();
        self.riders.locked().push_back(Rider { sign_in, answer });
        if let Ok(written) = tokio::time::timeout(RIDES_WITHIN, &mut answered).await {
            return written.unwrap_or(Err(StoreError::Interrupted));
        }
        // Those who wait longer go first, so it may take a few commits until this one is told.
        loop {
            {
                let mut writer = self.writer.lock().await;
                let mut transaction = writer.begin_with("begin immediate").await?;
                let carried = self.riders.carry(&mut transaction).await;
                self.broken.watch(transaction.commit().await.map_err(StoreError::from))?;
                carried.arrive();
            }
            match answered.try_recv() {
                Ok(written) => return written,
                Err(TryRecvError::Empty) => {}
                Err(TryRecvError::Closed) => return Err(StoreError::Interrupted),
            }
        }
    }
}
