//! Reading heads: the look at the database that every refusal waits for on PostgreSQL.
//!
//! One connection outside the pool, held by one task. It takes every question that waits, asks
//! the database once for all of them, and answers each: a read begins after all the questions it
//! answers. Bounds: each property has at most one question on its way, and the queue holds 1,024;
//! whoever comes later waits in line. A broken connection is made anew once; then the askers hear
//! of it.

use super::calendar::HeadRow;
use super::outcome_unknown::in_time;
use super::{Database, Store, StoreError};
use domain::PropertyId;
use domain::event::Head;
use sqlx::ConnectOptions;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use std::collections::{BTreeSet, HashMap};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

const QUEUE: usize = 1_024;

const HEADS_POSTGRES: &str =
    "select property_id, seq, event_hash from calendar_head where property_id = any($1)";

const HEADS_SQLITE: &str = "select property_id, seq, event_hash from calendar_head \
     where property_id in (select unhex(value) from json_each($1))";

type Heads = Vec<(PropertyId, Head)>;

struct Question {
    properties: Vec<PropertyId>,
    answer: oneshot::Sender<Result<Heads, StoreError>>,
}

/// The task that reads heads; it ends with the last store.
#[derive(Debug)]
pub(super) struct HeadReader {
    questions: mpsc::Sender<Question>,
}

impl HeadReader {
    pub(super) fn start(options: PgConnectOptions, runtime: &Handle) -> Self {
        let (questions, waiting) = mpsc::channel(QUEUE);
        runtime.spawn(answer_all(options, waiting));
        Self { questions }
    }

    async fn ask(&self, properties: Vec<PropertyId>) -> Result<Heads, StoreError> {
        let (answer, answered) = oneshot::channel();
        let question = Question { properties, answer };
        self.questions.send(question).await.map_err(|_| StoreError::Interrupted)?;
        answered.await.unwrap_or(Err(StoreError::Interrupted))
    }
}

async fn answer_all(options: PgConnectOptions, mut waiting: mpsc::Receiver<Question>) {
    let mut connection: Option<PgConnection> = None;
    let mut questions = Vec::with_capacity(QUEUE);
    while waiting.recv_many(&mut questions, QUEUE).await > 0 {
        let wanted: BTreeSet<Uuid> =
            questions.iter().flat_map(|asked| &asked.properties).map(|id| id.0).collect();
        let wanted: Vec<Uuid> = wanted.into_iter().collect();
        let heads = match read_heads(&options, &mut connection, &wanted).await {
            Err(_) => read_heads(&options, &mut connection, &wanted).await,
            heads => heads,
        };
        for Question { properties, answer } in questions.drain(..) {
            let found = match &heads {
                Ok(heads) => Ok(properties
                    .iter()
                    .filter_map(|id| heads.get(id).map(|head| (*id, *head)))
                    .collect()),
                Err(error) => {
                    tracing::warn!(%error, "heads could not be read");
                    let text = std::io::Error::other(error.to_string());
                    Err(StoreError::Unavailable(sqlx::Error::Io(text)))
                }
            };
            // Whoever stopped waiting needs no answer.
            let _ = answer.send(found);
        }
    }
}

async fn read_heads(
    options: &PgConnectOptions,
    connection: &mut Option<PgConnection>,
    wanted: &[Uuid],
) -> Result<HashMap<PropertyId, Head>, StoreError> {
    // The connection is put back only after it has served.
    let mut live = match connection.take() {
        Some(live) => live,
        None => in_time(options.connect()).await?,
    };
    let question = sqlx::query_as(HEADS_POSTGRES).bind(wanted);
    let rows: Vec<HeadRow> = in_time(question.fetch_all(&mut live)).await?;
    *connection = Some(live);
    rows.iter().map(|row| Ok((PropertyId(row.property_id), row.head()?))).collect()
}

impl Store {
    /// The head of one property; `None` if there is no such property.
    pub async fn head(&self, property: PropertyId) -> Result<Option<Head>, StoreError> {
        Ok(self.heads(&[property]).await?.pop().map(|(_, head)| head))
    }

    /// The heads of these properties, read after this was called; properties that do not exist
    /// are left out.
    pub async fn heads(&self, properties: &[PropertyId]) -> Result<Heads, StoreError> {
        match &self.database {
            Database::Postgres(postgres) => postgres.heads.ask(properties.to_vec()).await,
            Database::Sqlite(sqlite) => {
                let sqlite = sqlite.clone();
                let ids: Vec<String> =
                    properties.iter().map(|id| id.0.simple().to_string()).collect();
                self.spawn(async move {
                    let ids = serde_json::to_string(&ids)
                        .map_err(|_| StoreError::Corrupt("property_id"))?;
                    let rows: Vec<HeadRow> =
                        sqlx::query_as(HEADS_SQLITE).bind(ids).fetch_all(&sqlite.readers).await?;
                    rows.iter().map(|row| Ok((PropertyId(row.property_id), row.head()?))).collect()
                })
                .await
            }
        }
    }
}
