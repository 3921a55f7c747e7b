//! Generated requests against the OpenAPI document: whatever is sent, the answer is one that the
//! document describes, in the form that it describes, and the server never fails.

use crate::helpers::{Database, Person, Server, is_proof, mint, now};
use std::process::{Command, Stdio};

/// Requests over both databases together.
const REQUESTS: usize = 2_000;
const PROOF_REQUESTS: usize = 20_000;

/// What every answer must be.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
     response_schema_conformance";

#[tokio::test]
async fn no_generated_request_gets_a_5xx_or_an_answer_that_is_not_described() {
    let (wanted, examples) = if is_proof() { (PROOF_REQUESTS, 40) } else { (REQUESTS, 12) };
    let mut sent = 0;
    for database in [Database::Sqlite, Database::Postgres] {
        let server = Server::spawn(database).await;
        let (guest, host, admin) =
            (server.guest().await, server.host().await, server.admin().await);
        server.home(&host).await;
        for person in [&guest, &host, &admin] {
            sent += generate(&server, person, examples, ("--exclude-operation-id-regex", LEFT_OUT))
                .await;
        }
        // What ends the session comes last, and from somebody else.
        let leaver = server.guest().await;
        sent +=
            generate(&server, &leaver, examples, ("--include-operation-id-regex", ENDING)).await;
        server.verify().await;
    }
    println!("{sent} requests");
    assert!(sent >= wanted, "only {sent} requests were sent");
}

/// Operations after which a token is no good any more.
const ENDING: &str = "^(logout|delete_own_user|delete_user)$";
/// These, and the answer that has no end.
const LEFT_OUT: &str = "^(logout|delete_own_user|delete_user|stream_calendar)$";

/// Sends requests as this person, without those that end the session or these alone; how many
/// they were.
async fn generate(
    server: &Server,
    person: &Person,
    examples: usize,
    (which, operations): (&str, &str),
) -> usize {
    let program = std::env::var("SCHEMATHESIS").expect("SCHEMATHESIS, as cargo xtask test sets it");
    let mut command = Command::new(program);
    command
        .args(["run", &format!("{}/api/openapi.json", server.base()), "--no-color"])
        .args(["--header", &format!("Authorization: Bearer {}", mint(person, now()))])
        .args(["--max-examples", &examples.to_string(), "--checks", CHECKS])
        .args([which, operations])
        .current_dir(server.storage().folder())
        .stdin(Stdio::null());
    let output = tokio::task::spawn_blocking(move || command.output());
    let output = output.await.expect("an end").expect("schemathesis runs");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    let counted = text
        .split_once(" generated, ")
        .and_then(|(before, _)| before.rsplit(char::is_whitespace).next()?.parse().ok());
    counted.unwrap_or_else(|| panic!("no count in {text}"))
}
