//! A large database: 100,000 homes and a million bookings in full. However a list is narrowed, the
//! database finds its rows without reading a table from end to end, and every page but the last is
//! full, also where 95 of 100 homes are taken on the dates.

mod cases;
mod fill;
mod plans;
mod stays;

use crate::helpers::{Database, Document, Person, Server, is_proof};
use serde_json::Value;
use std::collections::HashSet;
use uuid::Uuid;
use vacancy::store::Kind;
use vacancy::store::list::Statement;
use vacancy::store::properties::Order;

/// Rows of a page.
const PAGE: usize = 100;

/// The last row of the page before: what its list is sorted by, and its id.
type Place = Option<(i64, Uuid)>;

/// A list as three people see it: a client, somebody who counts rows, and the database.
struct Case {
    /// Its address.
    path: String,
    by: Option<Person>,
    /// The rows that belong to it, as `from` says it; `{7}` is the id made of 7.
    of: String,
    order: Order,
    statement: Box<dyn Fn(Place) -> Statement>,
    /// How many rows may be looked at for a page.
    most: u64,
}

impl Case {
    fn new(
        path: &str,
        by: Option<&Person>,
        of: &str,
        most: u64,
        statement: impl Fn(Place) -> Statement + 'static,
    ) -> Self {
        let (path, of, by) = (format!("/api/v1/{path}"), of.to_owned(), by.cloned());
        Self { path, by, of, order: Order::Newest, statement: Box::new(statement), most }
    }
}

/// Somewhere in the middle of a list in this order.
fn middle(order: Order) -> i64 {
    match order {
        // When half of all rows had come to be.
        Order::Newest => 1_720_000_000_000_000,
        Order::Price => 30_000,
        Order::Rating => 300,
    }
}

/// What rises, or stays, from row to row of a list in this order.
fn rank(order: Order, row: &Value) -> i64 {
    match order {
        Order::Newest => {
            let made: jiff::Timestamp = row.text("created_at").parse().expect("an instant");
            -made.as_microsecond()
        }
        Order::Price => row.number("price_per_night"),
        Order::Rating => {
            let stars = row["avg_rating"].as_f64().unwrap_or_default();
            -((stars * 100.0).round() as i64)
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_find_their_rows_and_fill_their_pages_on_sqlite() {
    lists_find_their_rows_and_fill_their_pages(Database::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_find_their_rows_and_fill_their_pages_on_postgres() {
    lists_find_their_rows_and_fill_their_pages(Database::Postgres).await;
}

async fn lists_find_their_rows_and_fill_their_pages(database: Database) {
    let homes = if is_proof() { 100_000 } else { 10_000 };
    let mut server = Server::spawn(database).await;
    server.storage().execute(fill::statements(database, homes)).await;
    // On SQLite the server measures its tables when it starts.
    server.restart().await;
    let guest = homes / fill::HOMES_PER_HOST + 1;
    let bookings = count(&server, database, &format!("booking where guest_id = {{{guest}}}")).await;
    let own = count(&server, database, "property where host_id = {1}").await;
    let kind = match database {
        Database::Sqlite => Kind::Sqlite,
        Database::Postgres => Kind::Postgres,
    };
    let cases = [
        cases::searches(homes),
        cases::lists_of_host(kind, own),
        cases::lists_of_guest(kind, guest, bookings),
        cases::other_lists(),
        stays::searches(),
    ];
    for case in cases.iter().flatten() {
        for place in [None, Some((middle(case.order), Uuid::max()))] {
            look(&server, &case.path, &(case.statement)(place), case.most).await;
        }
        let rows = walk(&server, case).await;
        assert_eq!(rows, count(&server, database, &case.of).await, "{}", case.path);
    }
    let (what, stay, most) = cases::stay_to_review(guest, bookings);
    look(&server, what, &stay, most).await;
    stays::look_around(&server).await;
    stays::are_bounded(&server).await;
    stays::later_pages_take_no_longer(&server).await;
}

/// Asserts that no table is read from end to end, and no more rows than these.
async fn look(server: &Server, what: &str, statement: &Statement, most: u64) {
    let plan = plans::plan(server.storage(), statement).await;
    println!("{:>7} rows read, {most:>7} allowed: {what}", plan.read);
    let good = plan.scanned.is_empty() && plan.read <= most;
    assert!(good, "{what}: {:?}\n{}\n{}", plan.scanned, statement.sql(), plan.text);
}

/// How many rows there are; `{7}` is the id made of 7.
async fn count(server: &Server, database: Database, of: &str) -> u64 {
    let mut sql = String::from("select count(*) from ");
    for (index, part) in of.split(['{', '}']).enumerate() {
        // Every other part stood in braces.
        sql += &if index % 2 == 1 { fill::id_of(database, part) } else { part.to_owned() };
    }
    server.storage().number(&sql).await.unsigned_abs()
}

/// Follows a list from its first page to its last, and counts its rows.
async fn walk(server: &Server, case: &Case) -> u64 {
    let (mut seen, mut last) = (HashSet::new(), i64::MIN);
    let mut next = Some(format!("{}&limit={PAGE}", case.path));
    while let Some(path) = next {
        let asked = server.get(&path);
        let page = match &case.by {
            Some(person) => asked.by(person).await,
            None => asked.await,
        };
        let (body, link) = (page.expect(200), page.header("link").strip_prefix('<'));
        next = link.and_then(|rest| rest.strip_suffix(">; rel=\"next\"")).map(str::to_owned);
        let rows = body.list("data");
        assert!(rows.len() == PAGE || next.is_none(), "{path} has {} rows", rows.len());
        for row in rows {
            assert!(seen.insert(row.text("id")), "{path} shows {row} again");
            let next = rank(case.order, row);
            assert!(last <= next, "{path} is not sorted");
            last = next;
        }
    }
    seen.len() as u64
}
