//! Who may do what to whose things: every operation of the document that the server gives, asked
//! for by everybody, with the document's own examples.

use crate::helpers::{Answer, Operation, Scene, Server, on_both};
use futures_util::{StreamExt, stream};
use serde_json::Value;
use std::fmt::Write as _;

on_both!(every_operation_answers_everybody_as_the_table_says);

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
cancel_booking       401 200 403 404 404 200 401
preview_cancellation 401 200 200 404 404 200 401
list_payments        401 200 200 200 200 200 401
pay                  401 201 404 404 404 404 401
read_payment         401 200 404 404 404 200 401
list_properties      200 200 200 200 200 200 200
create_property      401 403 201 201 403 201 401
read_property        200 200 200 200 200 200 401
update_property      401 403 200 403 403 200 401
archive_property     401 403 204 403 403 204 401
book                 401 201 409 201 201 201 401
read_calendar        200 200 200 200 200 200 401
list_events          200 200 200 200 200 200 401
list_reviews         200 200 200 200 200 200 401
create_review        401 201 403 404 404 404 401
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
fn rows(operations: Vec<Operation>) -> Vec<Row> {
    let mut lines = EXPECTED.lines().skip(1);
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
    let shown = stream::iter(scenes).map(|scene| scene.shown(server)).buffered(AT_ONCE);
    let shown = shown.collect().await;
    (server.storage().counts().await, shown)
}

async fn every_operation_answers_everybody_as_the_table_says(server: &mut Server) {
    let server: &Server = server;
    let rows = rows(server.operations().await);
    // What is refused or only read leaves no trace, so it needs one scene for a row.
    let operations: Vec<&Operation> = rows.iter().map(|row| &row.operation).collect();
    let scenes = server.scenes(&operations).await;
    let cells = |moves: bool| -> Vec<(usize, usize)> {
        let all = (0..rows.len()).flat_map(|row| (0..COLUMNS).map(move |column| (row, column)));
        all.filter(|(row, column)| rows[*row].moves(*column) == moves).collect()
    };
    let asked = |scene: Scene, (row, column): (usize, usize)| {
        let operation = &rows[row].operation;
        async move { (row, column, ask(server, operation, &scene, column).await) }
    };
    let before = everything(server, &scenes).await;
    let still = cells(false).into_iter().map(|cell| (scenes[cell.0].clone(), cell));
    let still = stream::iter(still).map(|(scene, cell)| asked(scene, cell)).buffered(AT_ONCE);
    let mut answers: Vec<(usize, usize, Answer)> = still.collect().await;
    assert_eq!(everything(server, &scenes).await, before, "a trace is left");
    let moving = cells(true);
    let operations: Vec<_> = moving.iter().map(|(row, _)| &rows[*row].operation).collect();
    let scenes = server.scenes(&operations).await;
    let moving = scenes.into_iter().zip(moving).map(|(scene, cell)| asked(scene, cell));
    let moved: Vec<_> = stream::iter(moving).buffered(AT_ONCE).collect().await;
    answers.extend(moved);
    answers.sort_by_key(|(row, column, _)| (*row, *column));
    let mut table = format!("{}\n", EXPECTED.lines().next().expect("a head"));
    for (row, answers) in rows.iter().zip(answers.chunks(COLUMNS)) {
        write!(table, "{:<20}", row.operation.name).expect("a string takes text");
        for (_, _, answer) in answers {
            write!(table, " {}", answer.status).expect("a string takes text");
        }
        table.push('\n');
    }
    assert!(table == EXPECTED, "the answers are\n{table}");
    // Whoever may ask first is answered as the document's example shows.
    for (row, answers) in rows.iter().zip(answers.chunks(COLUMNS)) {
        let done = answers.iter().find(|(_, _, answer)| is_done(answer.status));
        let (_, _, answer) = done.expect("somebody may");
        row.operation.is_shown_by(answer);
    }
}
