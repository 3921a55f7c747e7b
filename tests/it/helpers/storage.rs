//! Where one test keeps its data: a folder with an SQLite file, or a PostgreSQL database of its
//! own. Both go when the last server that uses them has gone.

use super::Database;
use sqlx::{Connection, Decode, PgConnection, Row, SqliteConnection, Type};
use std::fmt::Write as _;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use tempfile::TempDir;

/// The tables whose rows tell whether anything was changed.
const TABLES: [&str; 13] = [
    "account",
    "property",
    "calendar_head",
    "calendar_event",
    "booking",
    "occupied_night",
    "idempotency_key",
    "payment",
    "review",
    "job",
    "session",
    "refresh_token",
    "mail_token",
];

/// A test's own database, and a folder to work in.
pub(crate) struct Storage {
    folder: TempDir,
    postgres: Option<Postgres>,
}

struct Postgres {
    /// The address of the server, with its database `postgres`.
    admin: String,
    name: String,
}

impl Storage {
    /// Makes an empty one.
    pub(crate) async fn new(database: Database) -> Self {
        let folder = TempDir::with_prefix("vacancy-it-").expect("a temporary folder");
        let postgres = match database {
            Database::Sqlite => None,
            Database::Postgres => Some(Postgres::create().await),
        };
        Self { folder, postgres }
    }

    /// The server's working directory.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What goes into `DATABASE_URL`.
    pub(crate) fn url(&self) -> String {
        match &self.postgres {
            Some(postgres) => with_database(&postgres.admin, &postgres.name),
            None => format!("sqlite://{}", self.folder().join("vacancy.db").display()),
        }
    }

    /// The same database as seen through another port of this machine.
    pub(crate) fn url_through(&self, port: u16) -> String {
        let postgres = self.postgres.as_ref().expect("only PostgreSQL is behind a port");
        let direct = format!(":{}/", postgres.port());
        with_database(&postgres.admin, &postgres.name).replace(&direct, &format!(":{port}/"))
    }

    /// The port of the PostgreSQL server.
    pub(crate) fn port(&self) -> u16 {
        self.postgres.as_ref().expect("only PostgreSQL has a port").port()
    }

    /// One line for each table with the number of its rows.
    pub(crate) async fn counts(&self) -> String {
        let mut counts = String::new();
        for table in TABLES {
            let count = self.number(&format!("select count(*) from {table}")).await;
            writeln!(counts, "{table} {count}").expect("a string takes text");
        }
        counts
    }

    /// Runs statements beside the server, on one connection.
    pub(crate) async fn execute(&self, statements: Vec<String>) {
        macro_rules! run {
            ($connection:ty) => {{
                let mut connection =
                    <$connection>::connect(&self.url()).await.expect("a connection");
                for sql in statements {
                    let run = sqlx::raw_sql(sqlx::AssertSqlSafe(sql));
                    run.execute(&mut connection).await.expect("a statement that works");
                }
                connection.close().await.expect("an orderly end");
            }};
        }
        if self.postgres.is_some() { run!(PgConnection) } else { run!(SqliteConnection) }
    }

    /// The whole number that a statement answers, asked beside the server.
    pub(crate) async fn number(&self, sql: &str) -> i64 {
        self.value(sql).await
    }

    /// The text that a statement answers.
    pub(crate) async fn text(&self, sql: &str) -> String {
        self.value(sql).await
    }

    async fn value<T>(&self, sql: &str) -> T
    where
        T: for<'r> Decode<'r, sqlx::Postgres> + Type<sqlx::Postgres>,
        T: for<'r> Decode<'r, sqlx::Sqlite> + Type<sqlx::Sqlite>,
    {
        let sql = sqlx::AssertSqlSafe(sql.to_owned());
        if self.postgres.is_some() {
            let mut connection = PgConnection::connect(&self.url()).await.expect("a connection");
            let row = sqlx::query(sql).fetch_one(&mut connection).await.expect("one row");
            connection.close().await.expect("an orderly end");
            row.get(0)
        } else {
            let mut connection = SqliteConnection::connect(&self.url()).await.expect("the file");
            let row = sqlx::query(sql).fetch_one(&mut connection).await.expect("one row");
            connection.close().await.expect("an orderly end");
            row.get(0)
        }
    }
}

impl Postgres {
    async fn create() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let admin = std::env::var("TEST_DATABASE_URL").unwrap_or_else(|_| {
            panic!("there is no TEST_DATABASE_URL to test PostgreSQL with: run cargo xtask test")
        });
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("vacancy_it_{}_{number}", std::process::id());
        execute(&admin, format!("create database {name}")).await;
        Self { admin, name }
    }

    fn port(&self) -> u16 {
        let (_, rest) = self.admin.rsplit_once(':').expect("an address with a port");
        let digits = rest.split(['/', '?']).next().expect("something before the slash");
        digits.parse().expect("a port")
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let (admin, name) = (self.admin.clone(), self.name.clone());
        let removing = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime
                .expect("a runtime")
                .block_on(execute(&admin, format!("drop database if exists {name} with (force)")));
        });
        if removing.join().is_err() {
            eprintln!("the database {} could not be removed", self.name);
        }
    }
}

async fn execute(url: &str, sql: String) {
    let mut connection = PgConnection::connect(url).await.expect("the PostgreSQL server answers");
    let sql = sqlx::AssertSqlSafe(sql);
    sqlx::raw_sql(sql).execute(&mut connection).await.expect("a statement that works");
    connection.close().await.expect("an orderly end");
}

/// The address with another database in place of the last segment of its path.
fn with_database(admin: &str, name: &str) -> String {
    let (server, _) = admin.rsplit_once('/').expect("an address with a database");
    format!("{server}/{name}")
}
