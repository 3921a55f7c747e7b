//! What a server refuses to start with, and what may run beside one.

use crate::helpers::{Database, SECRET, Server, Storage, on_both, run};

on_both!(other_commands_work_beside_a_running_server);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_good_secret_the_server_says_so_and_exits() {
    let storage = Storage::new(Database::Sqlite).await;
    for (secret, words) in [
        (None, "is empty"),
        (Some(""), "is empty"),
        (Some("kR7vQ2mXw9ZpL4tYs8Nc1HbJd6FgTe3"), "is shorter than 32 bytes"),
        (Some("short"), "is shorter than 32 bytes"),
        (Some("change-me-change-me-change-me-change-me"), "is a sample value"),
        (Some("secret"), "is a sample value"),
        (Some("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"), "is a pattern"),
    ] {
        let settings: Vec<(&str, &str)> =
            secret.into_iter().map(|secret| ("SECRET_KEY", secret)).collect();
        for words_of_command in [&["serve"][..], &[]] {
            let ended = run(&storage, words_of_command, &settings).await;
            assert_eq!(ended.status.code(), Some(1), "{secret:?}: {ended:?}");
            let log = &ended.log;
            assert!(log.contains("SECRET_KEY") && log.contains(words), "{secret:?}: {log}");
            assert!(log.contains("openssl rand"), "it says how to make one: {log}");
            let long = secret.filter(|secret| secret.len() > 8);
            assert!(!long.is_some_and(|secret| log.contains(secret)), "it is not told: {log}");
        }
    }
    let nothing = std::fs::read_dir(storage.folder()).expect("the folder").count();
    assert_eq!(nothing, 0, "no database was made");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_server_on_one_sqlite_file_says_so_and_exits() {
    let mut server = Server::spawn(Database::Sqlite).await;
    let settings = [("SECRET_KEY", SECRET), ("BIND_ADDR", "127.0.0.1:0")];
    let second = run(server.storage(), &["serve"], &settings).await;
    assert_eq!(second.status.code(), Some(1), "{second:?}");
    assert!(second.log.contains("another server is running on"), "{}", second.log);
    server.get("/readyz").await.expect(200);
    // The lock goes with the process, however it ends.
    server.kill9();
    server.restart().await;
    server.verify().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_wrong_setting_is_named_at_once() {
    let storage = Storage::new(Database::Sqlite).await;
    let settings = [
        ("SECRET_KEY", "short"),
        ("BIND_ADDR", "nowhere"),
        ("HOLD_TTL_SECONDS", "soon"),
        ("CLOCK", "sundial"),
        ("AUTO_MIGRATE", "perhaps"),
    ];
    let ended = run(&storage, &["serve"], &settings).await;
    assert_eq!(ended.status.code(), Some(1), "{ended:?}");
    for (name, _) in settings {
        assert!(ended.log.contains(name), "{name} is not in {}", ended.log);
    }
    let settings = [("SECRET_KEY", SECRET), ("CLOCK", "test"), ("BIND_ADDR", "127.0.0.1:0")];
    let ended = run(&storage, &["serve"], &settings).await;
    assert!(!ended.is_success() && ended.log.contains("CLOCK"), "{ended:?}");
}

async fn other_commands_work_beside_a_running_server(server: &mut Server) {
    let storage = server.storage();
    for words in [&["migrate"][..], &["verify"]] {
        let ended = run(storage, words, &[]).await;
        assert!(ended.is_success(), "{words:?}: {ended:?}");
    }
    let checked = run(storage, &["check"], &[("SECRET_KEY", SECRET)]).await;
    assert!(checked.is_success(), "{checked:?}");
    let words = ["admin", "create", "--email", "admin@example.com"];
    let password = [("ADMIN_PASSWORD", crate::helpers::PASSWORD)];
    let created = run(storage, &words, &password).await;
    assert!(created.is_success() && created.output.contains("admin@example.com"), "{created:?}");
    let body = serde_json::json!({
        "email": "admin@example.com", "password": crate::helpers::PASSWORD,
    });
    let session = server.post("/api/v1/auth/login", body).await.expect(200);
    let token = session["access_token"].as_str().expect("a token");
    let profile = server.get("/api/v1/users/me").token(token).await.expect(200);
    assert_eq!(profile["role"], "admin");
    let again = run(storage, &words, &password).await;
    assert_eq!(again.status.code(), Some(1), "{again:?}");
    let short = run(storage, &words, &[("ADMIN_PASSWORD", "short")]).await;
    assert!(!short.is_success() && short.log.contains("password"), "{short:?}");
}
