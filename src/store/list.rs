//! Lists: each is one statement that is put together from what narrows it, sorted (by age, the
//! newest first, where nobody asks for something else), and read a page at a time.
//!
//! What nobody asked for is not in the text, so that the database sees what it can find rows by. It
//! plans each list for its very values: a city with three homes is not read as one with thousands.

use super::Kind;
use domain::Instant;
use uuid::Uuid;

/// A value of a statement.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Text(String),
    Number(i64),
    Degrees(f64),
    Id(Uuid),
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl From<f64> for Value {
    fn from(degrees: f64) -> Self {
        Self::Degrees(degrees)
    }
}

impl From<Uuid> for Value {
    fn from(id: Uuid) -> Self {
        Self::Id(id)
    }
}

/// Whether a list begins with the least or with the most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    Up,
    Down,
}

/// What a list asks of the database. It can be read, so that somebody else can ask how the
/// database would find the rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    sql: String,
    values: Vec<Value>,
}

impl Statement {
    /// The beginning of one.
    pub(super) fn new(sql: &str) -> Self {
        Self { sql: sql.to_owned(), values: Vec::new() }
    }

    /// Adds text, in which `?` stands for the value.
    pub(super) fn and(mut self, sql: &str, value: impl Into<Value>) -> Self {
        self.values.push(value.into());
        self.sql += &sql.replace('?', &format!("${}", self.values.len()));
        self
    }

    /// Adds text without a value.
    pub(super) fn and_text(mut self, sql: &str) -> Self {
        self.sql += sql;
        self
    }

    /// The same with a value where there is one.
    pub(super) fn and_if(self, sql: &str, value: Option<impl Into<Value>>) -> Self {
        match value {
            Some(value) => self.and(sql, value),
            None => self,
        }
    }

    /// Adds that a column has one of the values that `query` answers, in which `?` stands for the
    /// value. PostgreSQL would join an `in` as it likes, also by reading all of the list's table;
    /// what is in an array it looks up.
    pub(super) fn and_among(
        self,
        kind: Kind,
        column: &str,
        query: &str,
        value: impl Into<Value>,
    ) -> Self {
        match kind {
            Kind::Postgres => self.and(&format!("{column} = any(array({query}))"), value),
            Kind::Sqlite => self.and(&format!("{column} in ({query})"), value),
        }
    }

    /// Adds that a column has one of these ids, of which there is at least one.
    pub(super) fn and_one_of(self, column: &str, ids: impl IntoIterator<Item = Uuid>) -> Self {
        let (mut all, mut before) = (self, format!(" and {column} in ("));
        for id in ids {
            all = all.and(&format!("{before}?"), id);
            before = ", ".to_owned();
        }
        all.sql.push(')');
        all
    }

    /// Ends it: at most `limit` rows from behind `after` on, the newest first by the columns
    /// `created_at` and `id` of `table`.
    pub(super) fn page(
        self,
        [table, id]: [&str; 2],
        after: Option<(Instant, Uuid)>,
        limit: u32,
    ) -> Self {
        let after = after.map(|(at, last)| (at.as_micros(), last));
        let columns = [format!("{table}.created_at"), format!("{table}.{id}")];
        self.sorted(columns, Direction::Down, after, limit)
    }

    /// Ends it: at most `limit` rows from behind `after` on, sorted by a number and an id.
    pub(super) fn sorted(
        self,
        [number, id]: [String; 2],
        direction: Direction,
        after: Option<(i64, Uuid)>,
        limit: u32,
    ) -> Self {
        let (behind, way) = match direction {
            Direction::Up => (">", "asc"),
            Direction::Down => ("<", "desc"),
        };
        let place = match after {
            Some((key, last)) => {
                self.and(&format!(" and ({number}, {id}) {behind} (?"), key).and(", ?)", last)
            }
            None => self,
        };
        place.and(&format!(" order by {number} {way}, {id} {way} limit ?"), i64::from(limit))
    }

    /// The text.
    pub fn sql(&self) -> &str {
        &self.sql
    }

    /// The values of `$1`, `$2` and so on.
    pub fn values(&self) -> &[Value] {
        &self.values
    }
}

/// Reads the rows of a list.
macro_rules! rows {
    ($store:expr, $statement:expr) => {
        read!($store, |on| {
            // PostgreSQL would go over to a plan for any values when it knows a text for long.
            let text = sqlx::AssertSqlSafe($statement.sql());
            let mut query = sqlx::query_as(text).persistent(false);
            for value in $statement.values() {
                query = match value {
                    Value::Text(text) => query.bind(text),
                    Value::Number(number) => query.bind(number),
                    Value::Degrees(degrees) => query.bind(degrees),
                    Value::Id(id) => query.bind(id),
                };
            }
            query.fetch_all(on).await?
        })
    };
}

pub(super) use rows;
