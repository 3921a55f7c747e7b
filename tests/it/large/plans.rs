//! How a database finds the rows of a list: its plan, and how much it reads for it.

use crate::helpers::Storage;
use serde_json::Value as Json;
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row, SqliteConnection};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use vacancy::store::list::{Statement, Value};

/// The instructions that SQLite's machine runs for one row that it looks at and passes over. For
/// one that it answers it runs some thirty.
const STEPS_A_ROW: u64 = 6;

/// What a database did for a list.
pub(super) struct Plan {
    /// As the database describes it.
    pub(super) text: String,
    /// The tables that are read from end to end.
    pub(super) scanned: Vec<String>,
    /// How many rows were looked at, also in indexes and also those that were passed over.
    pub(super) read: u64,
}

/// Binds all values of a statement.
macro_rules! bound {
    ($sql:expr, $statement:expr) => {{
        let mut query = sqlx::query(AssertSqlSafe($sql));
        for value in $statement.values() {
            query = match value {
                Value::Text(text) => query.bind(text),
                Value::Number(number) => query.bind(number),
                Value::Degrees(degrees) => query.bind(degrees),
                Value::Id(id) => query.bind(id),
            };
        }
        query
    }};
}

/// Runs a list's statement with its values, and says what the database did.
pub(super) async fn plan(storage: &Storage, statement: &Statement) -> Plan {
    if storage.url().starts_with("sqlite") {
        sqlite(storage, statement).await
    } else {
        postgres(storage, statement).await
    }
}

async fn sqlite(storage: &Storage, statement: &Statement) -> Plan {
    let mut connection = SqliteConnection::connect(&storage.url()).await.expect("the file");
    let explain = format!("explain query plan {}", statement.sql());
    let rows = bound!(explain, statement).fetch_all(&mut connection).await.expect("a plan");
    let lines: Vec<String> = rows.iter().map(|row| row.get("detail")).collect();
    let steps = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&steps);
    connection.lock_handle().await.expect("a handle").set_progress_handler(1, move || {
        counter.fetch_add(1, Ordering::Relaxed);
        true
    });
    let sql = statement.sql().to_owned();
    bound!(sql, statement).fetch_all(&mut connection).await.expect("a page");
    connection.close().await.expect("an orderly end");
    // Along an index the rows of a page come first, and what is read beyond them is counted.
    let scans = lines.iter().filter(|line| line.starts_with("SCAN ") && !line.contains(" INDEX "));
    Plan {
        scanned: scans.cloned().collect(),
        text: lines.join("\n"),
        read: steps.load(Ordering::Relaxed) / STEPS_A_ROW,
    }
}

async fn postgres(storage: &Storage, statement: &Statement) -> Plan {
    let mut connection = PgConnection::connect(&storage.url()).await.expect("a connection");
    let explain = format!("explain (analyze, timing off, format json) {}", statement.sql());
    let row = bound!(explain, statement).fetch_one(&mut connection).await.expect("a plan");
    connection.close().await.expect("an orderly end");
    let text: String = row.get_unchecked(0);
    let json: Json = serde_json::from_str(&text).expect("JSON");
    let mut plan = Plan { text: String::new(), scanned: Vec::new(), read: 0 };
    plan.add(&json[0]["Plan"], 0);
    plan
}

impl Plan {
    /// Adds a step of PostgreSQL's plan and those below it.
    fn add(&mut self, node: &Json, depth: usize) {
        let text = |name: &str| node[name].as_str().unwrap_or_default();
        let number = |name: &str| node[name].as_f64().unwrap_or_default();
        let kind = text("Node Type");
        let rows = number("Actual Rows")
            + number("Rows Removed by Filter")
            + number("Rows Removed by Index Recheck");
        if kind.ends_with("Scan") {
            self.read += (rows * number("Actual Loops")) as u64;
        }
        if kind == "Seq Scan" {
            self.scanned.push(text("Relation Name").to_owned());
        }
        let (on, by) = (text("Relation Name"), text("Index Name"));
        let loops = number("Actual Loops");
        self.text += &format!("{:depth$}{kind} {on} {by}: {rows} rows x {loops}\n", "");
        for child in node["Plans"].as_array().into_iter().flatten() {
            self.add(child, depth + 2);
        }
    }
}
