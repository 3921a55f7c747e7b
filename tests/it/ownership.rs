//! Who may do what to whose things: every operation of the document that the server gives, asked
//! for by everybody, with the document's own examples.

use crate::helpers::{Answer, Operation, Scene, Server, on_both};
use futures_util::{StreamExt, stream};
use serde_json::{Value, json};
use std::fmt::Write as _;

on_both!(
    every_operation_answers_everybody_as_the_table_says,
    a_home_that_is_not_listed_is_there_for_its_host_and_admins_only,
);

/// What each operation answers to nobody in particular, to the guest and to the host of the thing,
/// to another host, to another guest, to an admin, and to the guest whose session was ended. The
/// thing of `/users/{id}` is the guest's account, and that of `/users/me` the caller's own.
const EXPECTED: &str = "\
operation            nobody guest host other-host other-guest admin ended
list_amenities       200 200 200 200 200 200 200
login                200 200 200 200 200 200 200
logout               401 204 204 204 204 204 401
forgot_password      202 202 202 202 202 202 202
reset_password       204 204 204 204 204 204 204
refresh              200 200 200 200 200 200 200
verify_address       204 204 204 204 204 204 204
list_bookings        401 200 200 200 200 200 401
book_anywhere        401 201 409 201 201 201 401
read_booking         401 200 200 404 404 200 401
update_booking       401 200 403 404 404 200 401
cancel_booking       401 200 200 404 404 200 401
accept_booking       401 403 200 404 404 200 401
preview_cancellation 401 200 200 404 404 200 401
decline_booking      401 403 200 404 404 200 401
report_no_show       401 403 200 404 404 200 401
list_payments        401 200 200 200 200 200 401
pay                  401 201 404 404 404 404 401
read_payment         401 200 200 404 404 200 401
refund               401 403 201 404 404 201 401
list_properties      200 200 200 200 200 200 401
create_property      401 403 201 201 403 201 401
read_property        200 200 200 200 200 200 401
update_property      401 403 200 403 403 200 401
archive_property     401 403 204 403 403 204 401
list_blocks          401 403 200 403 403 200 401
create_block         401 403 201 403 403 201 401
delete_block         401 403 204 403 403 204 401
book                 401 201 409 201 201 201 401
read_calendar        200 200 200 200 200 200 401
edit_calendar        401 403 200 403 403 200 401
stream_calendar      200 200 200 200 200 200 401
list_events          200 200 200 200 200 200 401
read_rules           200 200 200 200 200 200 401
update_rules         401 403 200 403 403 200 401
create_quote         201 201 201 201 201 201 401
read_quote           404 200 404 404 404 404 401
list_reviews         200 200 200 200 200 200 401
create_review        401 201 201 404 404 404 401
read_review          200 200 200 200 200 200 401
update_review        401 200 403 403 403 200 401
delete_review        401 204 403 403 403 204 401
reply_to_review      401 403 201 403 403 403 401
list_users           401 403 403 403 403 200 401
register             201 201 201 201 201 201 201
read_own_user        401 200 200 200 200 200 401
update_own_user      401 200 200 200 200 200 401
delete_own_user      401 204 204 204 204 204 401
export_own_user      401 200 200 200 200 200 401
read_user            401 200 404 404 404 200 401
update_user          401 200 404 404 404 200 401
delete_user          401 204 404 404 404 204 401
";

/// The same for what is about one home, when its host has taken it off the list. Who wants to book
/// it anyway is told why not.
const UNLISTED: &str = "\
operation            nobody guest host other-host other-guest admin ended
read_property        404 404 200 404 404 200 401
update_property      401 404 200 404 404 200 401
archive_property     401 404 204 404 404 204 401
list_blocks          401 404 200 404 404 200 401
create_block         401 404 201 404 404 201 401
delete_block         401 404 204 404 404 204 401
book                 401 409 409 409 409 409 401
read_calendar        404 404 200 404 404 200 401
edit_calendar        401 404 200 404 404 200 401
stream_calendar      404 404 200 404 404 200 401
list_events          404 404 200 404 404 200 401
read_rules           404 404 200 404 404 200 401
update_rules         401 404 200 404 404 200 401
list_reviews         404 404 200 404 404 200 401
";

const COLUMNS: usize = 7;
/// Requests on their way at a time.
const AT_ONCE: usize = 8;

/// One row of the table.
struct Row {
    operation: Operation,
    expected: [u16; COLUMNS],
}

impl Row {
    /// Whether a request is done and leaves something behind, so that it needs a scene of its own.
    fn moves(&self, column: usize) -> bool {
        self.operation.method != "GET" && is_done(self.expected[column])
    }
}

fn is_done(status: u16) -> bool {
    (200..300).contains(&status)
}

/// The rows of the operations that there are: neither may be without the other.
fn rows(operations: Vec<Operation>, table: &str) -> Vec<Row> {
    let mut lines = table.lines().skip(1);
    let row = |operation: Operation| {
        let name = &operation.name;
        let line = lines.next().unwrap_or_default();
        let mut words = line.split_whitespace();
        assert_eq!(words.next(), Some(name.as_str()), "the row of {name} is {line:?}");
        let cells: Vec<u16> = words.map(|cell| cell.parse().expect("a status")).collect();
        let expected = cells.try_into().expect("a cell for everybody");
        Row { operation, expected }
    };
    let rows = operations.into_iter().map(row).collect();
    assert_eq!(lines.next(), None, "a row without an operation");
    rows
}

/// Asks as the caller of this column.
async fn ask(server: &Server, operation: &Operation, scene: &Scene, column: usize) -> Answer {
    let person = match column {
        1 => &scene.guest,
        2 => &scene.host,
        3 => &scene.other_host,
        4 => &scene.other_guest,
        5 => &scene.admin,
        _ => &scene.guest,
    };
    let asking = server.act(scene, operation, &scene.path(operation, "/api/v1", "")).await;
    match column {
        0 => asking.await,
        6 => asking.token(&server.revoked(person).await).await,
        _ => asking.by(person).await,
    }
}

/// All things of these scenes, and how many there are of everything.
async fn everything(server: &Server, scenes: &[Scene]) -> (String, Vec<Vec<Value>>) {
    // Nothing is on its way any more, also not between the server and the payment provider.
    server.advance(0).await;
    let shown = stream::iter(scenes).map(|scene| scene.shown(server)).buffered(AT_ONCE);
    let shown = shown.collect().await;
    (server.storage().counts().await, shown)
}

async fn every_operation_answers_everybody_as_the_table_says(server: &mut Server) {
    let mut operations = server.operations().await;
    // What providers send is nobody's: signatures and addresses prove it, as `money` tests.
    operations.retain(|operation| operation.described["tags"][0] != "webhooks");
    let rows = rows(operations, EXPECTED);
    let answers = answers(server, &rows, true).await;
    is_table(&rows, &answers, EXPECTED);
    // Whoever may ask first is answered as the document's example shows.
    for (row, answers) in rows.iter().zip(answers.chunks(COLUMNS)) {
        let done = answers.iter().find(|answer| is_done(answer.status));
        row.operation.is_shown_by(done.expect("somebody may"));
    }
}

async fn a_home_that_is_not_listed_is_there_for_its_host_and_admins_only(server: &mut Server) {
    let mut operations = server.operations().await;
    operations.retain(|operation| {
        operation.path.starts_with("/properties/{id}") || operation.name == "list_reviews"
    });
    let rows = rows(operations, UNLISTED);
    let answers = answers(server, &rows, false).await;
    is_table(&rows, &answers, UNLISTED);
}

/// Scenes for these operations, where the homes are listed or not.
async fn scenes(server: &Server, operations: &[&Operation], listed: bool) -> Vec<Scene> {
    let scenes = server.scenes(operations).await;
    for scene in scenes.iter().filter(|_| !listed) {
        let body = json!({ "status": "unlisted" });
        let path = format!("/api/v1/properties/{}", scene.home);
        server.put(&path, body).by(&scene.host).await.expect(200);
    }
    scenes
}

/// The answers in all cells, row by row.
async fn answers(server: &Server, rows: &[Row], listed: bool) -> Vec<Answer> {
    // What is refused or only read leaves no trace, so it needs one scene for a row.
    let operations: Vec<&Operation> = rows.iter().map(|row| &row.operation).collect();
    let still = scenes(server, &operations, listed).await;
    let (moving, resting): (Vec<_>, Vec<_>) = (0..rows.len() * COLUMNS)
        .map(|cell| (cell / COLUMNS, cell % COLUMNS))
        .partition(|(row, column)| rows[*row].moves(*column));
    let asked = |(scene, (row, column)): (Scene, (usize, usize))| {
        let operation = &rows[row].operation;
        async move { ((row, column), ask(server, operation, &scene, column).await) }
    };
    let before = everything(server, &still).await;
    let resting = resting.into_iter().map(|cell| (still[cell.0].clone(), cell));
    let resting = stream::iter(resting).map(asked).buffered(AT_ONCE);
    let mut answers: Vec<((usize, usize), Answer)> = resting.collect().await;
    let after = everything(server, &still).await;
    assert_eq!(after.0, before.0, "rows were written or removed");
    assert_eq!(after.1, before.1, "something has changed");
    let operations: Vec<_> = moving.iter().map(|(row, _)| &rows[*row].operation).collect();
    let own = scenes(server, &operations, listed).await;
    let moving = stream::iter(own.into_iter().zip(moving)).map(asked).buffered(AT_ONCE);
    answers.extend(moving.collect::<Vec<_>>().await);
    answers.sort_by_key(|(cell, _)| *cell);
    answers.into_iter().map(|(_, answer)| answer).collect()
}

#[track_caller]
fn is_table(rows: &[Row], answers: &[Answer], expected: &str) {
    let mut table = format!("{}\n", expected.lines().next().expect("a head"));
    for (row, answers) in rows.iter().zip(answers.chunks(COLUMNS)) {
        write!(table, "{:<20}", row.operation.name).expect("a string takes text");
        for answer in answers {
            write!(table, " {}", answer.status).expect("a string takes text");
        }
        table.push('\n');
    }
    assert!(table == expected, "the answers are\n{table}");
}
