//! Accounts: what people may do with theirs, sessions that end when they should, proofs by mail,
//! and throttles that let everybody in again.

use crate::helpers::{
    Answer, Ask, Database, Document, PASSWORD, Person, SECRET, Server, day, eventually, home,
    on_both,
};
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;

on_both!(
    a_guest_becomes_a_host_and_nobody_else_changes_a_role,
    what_was_read_can_be_sent_back_and_what_cannot_change_is_refused,
    a_change_that_names_a_version_is_made_on_that_version_only,
    accounts_are_the_affair_of_their_holders_and_of_admins,
    an_admin_turns_the_pages_of_all_accounts,
    an_account_with_obligations_cannot_end_and_is_told_why,
    who_leaves_takes_everything_personal_along,
    an_export_has_all_of_ones_own_and_nothing_of_others,
    a_refresh_token_is_good_once_and_ends_its_session_when_it_comes_back,
    a_retried_refresh_has_the_same_successor_for_ten_seconds,
    refreshes_at_once_have_one_successor,
    a_session_ends_at_once_when_its_holder_signs_out,
    an_address_is_proved_by_the_token_of_its_mail,
    a_forgotten_password_is_reset_by_mail_and_ends_all_sessions,
    nobody_learns_from_a_forgotten_password_who_has_an_account,
    guessing_is_slowed_down_for_known_and_unknown_accounts_alike,
    signing_in_and_changes_stand_in_the_record,
    a_bad_request_is_refused_by_its_field_and_changes_nothing,
);

/// What stands in the log before the token of a mail.
const TOKEN: &str = "with \"token\": \"";
/// Shows the mails, which are written to the log.
const LOG: &str = "warn,sqlx=error,vacancy::engine::mails=info";
const MAIL_WITHIN: Duration = Duration::from_secs(10);

fn login(server: &Server, email: &str, password: &str) -> Ask {
    server.post("/api/v1/auth/login", json!({ "email": email, "password": password }))
}

/// Signs somebody in; the answer has both tokens.
async fn session(server: &Server, person: &Person) -> Value {
    login(server, &person.email, PASSWORD).await.expect(200)
}

fn refresh(server: &Server, session: &Value) -> Ask {
    let body = json!({ "refresh_token": session.text("refresh_token") });
    server.post("/api/v1/auth/refresh", body)
}

async fn profile(server: &Server, session: &Value) -> Answer {
    server.get("/api/v1/users/me").token(&session.text("access_token")).await
}

#[track_caller]
fn is_refused_by(answer: &Answer, pointer: &str) {
    answer.is_problem(422, "invalid_field");
    assert_eq!(answer.body["errors"][0]["pointer"], pointer, "{}", answer.body);
}

/// The token of the newest mail to this address.
async fn mailed(server: &Server, email: &str, subject: &str) -> String {
    let words = format!("mail to {email}: {subject}");
    let found = eventually(MAIL_WITHIN, async || server.told_after(&words)).await;
    let line = found.unwrap_or_else(|| panic!("no mail to {email}: {subject}"));
    let (_, rest) = line.split_once(TOKEN).expect("a token");
    rest.split('"').next().expect("a token").to_owned()
}

async fn with_mails(server: &mut Server) {
    server.set("LOG", LOG);
    server.restart().await;
}

async fn a_guest_becomes_a_host_and_nobody_else_changes_a_role(server: &mut Server) {
    let (guest, admin) = (server.guest().await, server.admin().await);
    let first = session(server, &guest).await;
    let token = first.text("access_token");
    let list = |token: &str| server.post("/api/v1/properties", home()).token(token);
    list(&token).await.is_problem(403, "forbidden");
    let path = format!("/api/v1/users/{}", guest.id);
    for (role, person) in [("admin", &guest), ("host", &admin), ("admin", &admin)] {
        let refused = server.put(&path, json!({ "role": role })).by(person).await;
        is_refused_by(&refused, "/role");
    }
    let change = json!({ "role": "host" });
    let host = server.put("/api/v1/users/me", change).token(&token).await.expect(200);
    assert_eq!(host["role"], "host");
    // The token that is out says guest; the next one says what is true.
    let next = refresh(server, &first).await.expect(200);
    list(&next.text("access_token")).await.expect(201);
    for role in ["guest", "admin"] {
        let body = json!({ "role": role });
        let back = server.put("/api/v1/users/me", body).token(&next.text("access_token")).await;
        is_refused_by(&back, "/role");
    }
}

async fn what_was_read_can_be_sent_back_and_what_cannot_change_is_refused(server: &mut Server) {
    let (guest, admin) = (server.guest().await, server.admin().await);
    let before = server.get("/api/v1/users/me").by(&guest).await;
    let body = before.expect(200);
    let same = server.put("/api/v1/users/me", body.clone()).by(&guest).await;
    assert_eq!((same.expect(200), same.header("etag")), (body.clone(), before.header("etag")));
    for (field, value) in [
        ("id", json!(admin.id.0)),
        ("email", json!("eve@example.com")),
        ("created_at", json!("2020-01-01T00:00:00Z")),
    ] {
        let mut other = body.clone();
        other[field] = value;
        let refused = server.put("/api/v1/users/me", other).by(&guest).await;
        is_refused_by(&refused, &format!("/{field}"));
    }
    let change = json!({ "first_name": " Grace " });
    let changed = server.put("/api/v1/users/me", change).by(&guest).await;
    let mut wanted = body;
    wanted["first_name"] = json!("Grace");
    assert_eq!(changed.expect(200), wanted, "absent fields keep their value");
    assert_ne!(changed.header("etag"), before.header("etag"));
    let path = format!("/api/v1/users/{}", guest.id);
    let by_admin = server.put(&path, json!({ "last_name": "Hopper" })).by(&admin).await;
    assert_eq!(by_admin.expect(200)["last_name"], "Hopper");
}

async fn a_change_that_names_a_version_is_made_on_that_version_only(server: &mut Server) {
    let guest = server.guest().await;
    let path = "/api/v1/users/me";
    let first = server.get(path).by(&guest).await.header("etag").to_owned();
    let change = |name: &str| server.put(path, json!({ "first_name": name })).by(&guest);
    let changed = change("Grace").header("if-match", &first).await;
    changed.expect(200);
    change("Eve").header("if-match", &first).await.is_problem(412, "precondition_failed");
    let deleting = server.delete(path).by(&guest).header("if-match", &first).await;
    deleting.is_problem(412, "precondition_failed");
    let now = server.get(path).by(&guest).header("if-none-match", changed.header("etag")).await;
    assert_eq!(now.status, 304);
    let now = server.get(path).by(&guest).header("if-none-match", &first).await;
    assert_eq!(now.expect(200)["first_name"], "Grace");
}

async fn accounts_are_the_affair_of_their_holders_and_of_admins(server: &mut Server) {
    let (guest, other, host, admin) =
        (server.guest().await, server.guest().await, server.host().await, server.admin().await);
    let path = format!("/api/v1/users/{}", guest.id);
    for person in [&other, &host] {
        server.get(&path).by(person).await.is_problem(404, "not_found");
        let change = json!({ "first_name": "Eve" });
        server.put(&path, change).by(person).await.is_problem(404, "not_found");
        server.delete(&path).by(person).await.is_problem(404, "not_found");
        server.get("/api/v1/users").by(person).await.is_problem(403, "forbidden");
    }
    for path in [path.as_str(), "/api/v1/users", "/api/v1/users/me", "/api/v1/users/me/export"] {
        server.get(path).await.is_problem(401, "unauthenticated");
    }
    let own = server.get(&path).by(&guest).await.expect(200);
    assert_eq!(own, server.get("/api/v1/users/me").by(&guest).await.expect(200));
    assert_eq!(own, server.get(&path).by(&admin).await.expect(200));
    let nobody = "/api/v1/users/01920000-7000-8000-0000-00000000002a";
    server.get(nobody).by(&admin).await.is_problem(404, "not_found");
    server.delete(nobody).by(&admin).await.is_problem(404, "not_found");
    server.delete(&path).by(&admin).await.expect(204);
    server.get(&path).by(&admin).await.is_problem(404, "not_found");
}

async fn an_admin_turns_the_pages_of_all_accounts(server: &mut Server) {
    let admin = server.admin().await;
    let mut wanted = vec![admin.id.to_string()];
    for _ in 0..4 {
        wanted.push(server.guest().await.id.to_string());
    }
    wanted.reverse();
    let (mut seen, mut next) = (Vec::new(), Some("/api/v1/users?limit=2".to_owned()));
    while let Some(path) = next {
        let page = server.get(&path).by(&admin).await;
        seen.extend(page.expect(200).list("data").iter().map(|user| user.text("id")));
        let link = page.header("link");
        let target = link.strip_prefix('<').and_then(|rest| rest.strip_suffix(">; rel=\"next\""));
        next = target.map(str::to_owned);
        assert_eq!(next.is_none(), page.body["next_cursor"].is_null(), "{link} {}", page.body);
    }
    assert_eq!(seen, wanted);
    for query in ["limit=0", "cursor=x", "role=guest"] {
        let refused = server.get(&format!("/api/v1/users?{query}")).by(&admin).await;
        refused.is_problem(422, "invalid_field");
    }
}

async fn an_account_with_obligations_cannot_end_and_is_told_why(server: &mut Server) {
    let (host, guest) = (server.host().await, server.guest().await);
    let home = server.home(&host).await;
    let booking = server.book(&guest, &home, &day(40), &day(42)).await.expect(201).text("id");
    server.pay(&guest, &booking, "pm_card_visa").await.expect(201);
    // What the payment left to do is done before anything is counted.
    server.advance(1).await;
    let before = server.storage().counts().await;
    let refused = server.delete("/api/v1/users/me").by(&guest).await;
    refused.is_problem(409, "account_has_obligations");
    let tie = |code: &str, id: &str| json!({ "code": code, "id": id });
    assert_eq!(refused.body["obligations"], json!([tie("booking_as_guest", &booking)]));
    let refused = server.delete("/api/v1/users/me").by(&host).await;
    refused.is_problem(409, "account_has_obligations");
    let ties = json!([tie("booking_as_host", &booking), tie("property", &home)]);
    assert_eq!(refused.body["obligations"], ties);
    assert_eq!(server.storage().counts().await, before);
    server.cancel(&guest, &booking).await.expect(200);
    // The money is on its way back until its job has run.
    server.advance(1).await;
    server.delete("/api/v1/users/me").by(&guest).await.expect(204);
    let kept = server.booking(&host, &booking).await.expect(200);
    assert_eq!(kept["user_id"], json!(guest.id.0), "the booking stays");
}

async fn who_leaves_takes_everything_personal_along(server: &mut Server) {
    let guest = server.guest().await;
    let first = session(server, &guest).await;
    let token = first.text("access_token");
    let change = json!({ "first_name": "Grace", "last_name": "Hopper" });
    server.put("/api/v1/users/me", change).token(&token).await.expect(200);
    server.delete("/api/v1/users/me").token(&token).await.expect(204);
    profile(server, &first).await.is_problem(401, "session_ended");
    refresh(server, &first).await.is_problem(401, "session_ended");
    let again = login(server, &guest.email, PASSWORD).await;
    again.is_problem(401, "invalid_credentials");
    let storage = server.storage();
    let left = "select count(*) from account where first_name = '' and last_name = '' \
         and password_hash = '' and email like 'deleted:%' and deleted_at is not null";
    assert_eq!(storage.number(left).await, 1);
    let personal = "select count(*) from audit where before_json like '%Ada%' \
         or after_json like '%Grace%'";
    assert_eq!(storage.number(personal).await, 0);
    let kept = "select count(*) from audit where kind = 'profile_changed'";
    assert_eq!(storage.number(kept).await, 1, "the record itself stays");
    // The address is free for somebody new.
    let account = json!({
        "email": guest.email, "password": PASSWORD, "first_name": "Eve", "last_name": "Adams",
        "role": "guest",
    });
    server.post("/api/v1/users", account).await.expect(201);
}

async fn an_export_has_all_of_ones_own_and_nothing_of_others(server: &mut Server) {
    let (host, guest, other) = (server.host().await, server.guest().await, server.guest().await);
    let home = server.home(&host).await;
    let mine = server.book(&guest, &home, &day(40), &day(42)).await.expect(201).text("id");
    let payment = server.pay(&guest, &mine, "pm_card_visa").await.expect(201).text("id");
    server.book(&other, &home, &day(50), &day(52)).await.expect(201);
    let path = "/api/v1/users/me/export";
    let export = server.get(path).by(&guest).await;
    assert_eq!(export.header("cache-control"), "no-store");
    let export = export.expect(200);
    assert_eq!(export["account"]["email"], json!(guest.email));
    assert_eq!(export["account"]["email_verified_at"], Value::Null);
    let ids = |export: &Value, list: &str| -> Vec<String> {
        export.list(list).iter().map(|thing| thing.text("id")).collect()
    };
    assert_eq!(ids(&export, "bookings"), std::slice::from_ref(&mine));
    assert_eq!(ids(&export, "payments"), [payment]);
    assert!(ids(&export, "properties").is_empty());
    assert!(!export.to_string().contains("argon2"), "{export}");
    let booking = server.booking(&guest, &mine).await.expect(200);
    assert_eq!(export["bookings"][0], booking, "in the words of its own route");
    let of_host = server.get(path).by(&host).await.expect(200);
    assert_eq!(ids(&of_host, "properties"), [home]);
    assert!(ids(&of_host, "bookings").is_empty(), "those are their guests'");
}

async fn a_refresh_token_is_good_once_and_ends_its_session_when_it_comes_back(server: &mut Server) {
    let guest = server.guest().await;
    let first = session(server, &guest).await;
    assert_eq!((first["token_type"].as_str(), first.number("expires_in")), (Some("Bearer"), 600));
    let answer = refresh(server, &first).await;
    assert_eq!(answer.header("cache-control"), "no-store");
    let second = answer.expect(200);
    assert_ne!(second["refresh_token"], first["refresh_token"]);
    profile(server, &second).await.expect(200);
    // Access tokens run out, and the session goes on.
    server.advance(601).await;
    profile(server, &second).await.is_problem(401, "token_expired");
    let third = refresh(server, &second).await.expect(200);
    profile(server, &third).await.expect(200);
    refresh(server, &first).await.is_problem(401, "session_ended");
    profile(server, &third).await.is_problem(401, "session_ended");
    refresh(server, &third).await.is_problem(401, "session_ended");
    let reuses = "select count(*) from audit where kind = 'refresh_reused'";
    assert_eq!(server.storage().number(reuses).await, 1);
    // Another session of the same person is none of that.
    let other = session(server, &guest).await;
    profile(server, &other).await.expect(200);
    let plain = "select count(*) from refresh_token where length(token_hash) <> 32";
    assert_eq!(server.storage().number(plain).await, 0, "hashes are all that is stored");
    server.advance(30 * 24 * 60 * 60).await;
    refresh(server, &other).await.is_problem(401, "session_ended");
}

async fn a_retried_refresh_has_the_same_successor_for_ten_seconds(server: &mut Server) {
    let guest = server.guest().await;
    let reuses = "select count(*) from audit where kind = 'refresh_reused'";
    // After eight seconds, it is a retry; after eleven, or when the successor was used, it is not.
    let first = session(server, &guest).await;
    let second = refresh(server, &first).await.expect(200);
    server.advance(8).await;
    let again = refresh(server, &first).await.expect(200);
    assert_eq!(again["refresh_token"], second["refresh_token"]);
    profile(server, &again).await.expect(200);
    let third = refresh(server, &second).await.expect(200);
    assert_ne!(third["refresh_token"], second["refresh_token"]);
    assert_eq!(server.storage().number(reuses).await, 0);
    refresh(server, &first).await.is_problem(401, "session_ended");
    profile(server, &third).await.is_problem(401, "session_ended");
    refresh(server, &third).await.is_problem(401, "session_ended");
    assert_eq!(server.storage().number(reuses).await, 1);

    let first = session(server, &guest).await;
    let second = refresh(server, &first).await.expect(200);
    server.advance(11).await;
    refresh(server, &first).await.is_problem(401, "session_ended");
    refresh(server, &second).await.is_problem(401, "session_ended");
    assert_eq!(server.storage().number(reuses).await, 2);
    // A restart forgets nothing of it, and a new secret leaves no way to the successor.
    let first = session(server, &guest).await;
    let second = refresh(server, &first).await.expect(200);
    server.restart().await;
    let again = refresh(server, &first).await.expect(200);
    assert_eq!(again["refresh_token"], second["refresh_token"]);
    server.set("SECRET_KEY", &SECRET.chars().rev().collect::<String>());
    server.restart().await;
    refresh(server, &first).await.is_problem(401, "session_ended");
}

async fn refreshes_at_once_have_one_successor(server: &mut Server) {
    all_have_one_successor(server, server).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refreshes_at_once_on_two_servers_have_one_successor() {
    let one = Server::spawn(Database::Postgres).await;
    let two = one.sibling().await;
    all_have_one_successor(&one, &two).await;
}

/// Refreshes a session many times at once, half of them here and half there, again and again.
async fn all_have_one_successor(one: &Server, two: &Server) {
    let guest = one.guest().await;
    let mut now = session(one, &guest).await;
    for _ in 0..5 {
        let refreshing =
            (0..8).map(|n| refresh(if n % 2 == 0 { one } else { two }, &now).into_future());
        let sessions: Vec<Value> =
            join_all(refreshing).await.iter().map(|answer| answer.expect(200)).collect();
        for session in &sessions {
            assert_eq!(session["refresh_token"], sessions[0]["refresh_token"]);
            profile(two, session).await.expect(200);
        }
        now = sessions[0].clone();
    }
    let tokens = "select count(*) from refresh_token";
    assert_eq!(one.storage().number(tokens).await, 6, "each was made once");
}

async fn a_session_ends_at_once_when_its_holder_signs_out(server: &mut Server) {
    let guest = server.guest().await;
    let (here, there) = (session(server, &guest).await, session(server, &guest).await);
    let token = here.text("access_token");
    let logout = || server.ask(Method::POST, "/api/v1/auth/logout").token(&token);
    logout().await.expect(204);
    profile(server, &here).await.is_problem(401, "session_ended");
    logout().await.is_problem(401, "session_ended");
    refresh(server, &here).await.is_problem(401, "session_ended");
    profile(server, &there).await.expect(200);
    server.restart().await;
    profile(server, &here).await.is_problem(401, "session_ended");
    profile(server, &there).await.expect(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_ends_on_one_server_ends_on_the_other_within_five_seconds() {
    let one = Server::spawn(Database::Postgres).await;
    let two = one.sibling().await;
    let guest = one.guest().await;
    let first = session(&one, &guest).await;
    profile(&two, &first).await.expect(200);
    let token = first.text("access_token");
    one.ask(Method::POST, "/api/v1/auth/logout").token(&token).await.expect(204);
    let refused = eventually(Duration::from_secs(5), async || {
        let answer = profile(&two, &first).await;
        (answer.status == 401).then_some(answer)
    });
    refused.await.expect("an end on the other server").is_problem(401, "session_ended");
}

async fn an_address_is_proved_by_the_token_of_its_mail(server: &mut Server) {
    with_mails(server).await;
    let email = "ada@example.com";
    let account = json!({
        "email": email, "password": PASSWORD, "first_name": "Ada", "last_name": "Lovelace",
        "role": "guest",
    });
    server.post("/api/v1/users", account).await.expect(201);
    let token = mailed(server, email, "Confirm your address").await;
    let verify = |token: &str| server.post("/api/v1/auth/verify", json!({ "token": token }));
    let changed: String = token.chars().rev().collect();
    is_refused_by(&verify(&changed).await, "/token");
    verify(&token).await.expect(204);
    is_refused_by(&verify(&token).await, "/token");
    let session = login(server, email, PASSWORD).await.expect(200);
    let export = server.get("/api/v1/users/me/export").token(&session.text("access_token")).await;
    assert!(export.expect(200)["account"]["email_verified_at"].is_string());
    // The other purpose, and the end of its time.
    server.post("/api/v1/auth/password/forgot", json!({ "email": email })).await.expect(202);
    let reset = mailed(server, email, "Set a new password").await;
    is_refused_by(&verify(&reset).await, "/token");
    server.advance(60 * 60).await;
    let body = json!({ "token": reset, "password": "twelve grey herons" });
    is_refused_by(&server.post("/api/v1/auth/password/reset", body).await, "/token");
}

async fn a_forgotten_password_is_reset_by_mail_and_ends_all_sessions(server: &mut Server) {
    const NEW: &str = "twelve grey herons";
    with_mails(server).await;
    let guest = server.guest().await;
    let (here, there) = (session(server, &guest).await, session(server, &guest).await);
    let body = json!({ "email": guest.email.to_uppercase() });
    server.post("/api/v1/auth/password/forgot", body).await.expect(202);
    let token = mailed(server, &guest.email, "Set a new password").await;
    let reset = |password: &str| {
        let body = json!({ "token": token, "password": password });
        server.post("/api/v1/auth/password/reset", body)
    };
    is_refused_by(&reset("short").await, "/password");
    profile(server, &here).await.expect(200);
    reset(NEW).await.expect(204);
    is_refused_by(&reset(NEW).await, "/token");
    for session in [&here, &there] {
        profile(server, session).await.is_problem(401, "session_ended");
        refresh(server, session).await.is_problem(401, "session_ended");
    }
    login(server, &guest.email, PASSWORD).await.is_problem(401, "invalid_credentials");
    login(server, &guest.email, NEW).await.expect(200);
    assert_eq!(server.logged(&token), 1, "it is written where the mail is, and nowhere else");
}

async fn nobody_learns_from_a_forgotten_password_who_has_an_account(server: &mut Server) {
    with_mails(server).await;
    let guest = server.guest().await;
    let forgot =
        |email: &str| server.post("/api/v1/auth/password/forgot", json!({ "email": email }));
    for email in [guest.email.as_str(), "nobody@example.com"] {
        let answer = forgot(email).await;
        assert_eq!((answer.expect(202), answer.header("content-type")), (Value::Null, ""));
    }
    server.advance(1).await;
    let written = async || (server.logged("mail to ") > 0).then_some(());
    eventually(MAIL_WITHIN, written).await.expect("a mail");
    assert_eq!(server.logged("mail to "), 1, "one of them has an account");
    assert_eq!(server.storage().number("select count(*) from job").await, 0);
    // Mails to one address are few, whoever asks, and come again later.
    for email in [guest.email.as_str(), "nobody@example.com"] {
        for _ in 0..4 {
            forgot(email).await.expect(202);
        }
        let refused = forgot(email).await;
        refused.is_problem(429, "too_many_attempts");
        let seconds: u64 = refused.header("retry-after").parse().expect("seconds");
        assert!((1..=300).contains(&seconds), "{seconds}");
    }
    server.advance(300).await;
    forgot(&guest.email).await.expect(202);
}

async fn guessing_is_slowed_down_for_known_and_unknown_accounts_alike(server: &mut Server) {
    let (guest, other) = (server.guest().await, server.guest().await);
    for email in [guest.email.as_str(), "nobody@example.com"] {
        for _ in 0..10 {
            let refused = login(server, email, "twelve grey herons").await;
            refused.is_problem(401, "invalid_credentials");
        }
        // The right password is no better than a wrong one now.
        let refused = login(server, email, PASSWORD).await;
        refused.is_problem(429, "too_many_attempts");
        let seconds: u64 = refused.header("retry-after").parse().expect("seconds");
        assert!((1..=60).contains(&seconds), "{seconds}");
    }
    login(server, &other.email, PASSWORD).await.expect(200);
    // Nobody is locked out: who waits is let in, and is forgiven what others guessed.
    server.advance(61).await;
    for _ in 0..3 {
        login(server, &guest.email, PASSWORD).await.expect(200);
    }
    // An address that goes on to guess, at ever other accounts, waits as well.
    let mut last = 401;
    for number in 0..200 {
        last = login(server, &format!("n{number}@example.com"), "no such thing").await.status;
        if last == 429 {
            break;
        }
    }
    assert_eq!(last, 429);
    server.advance(300).await;
    login(server, &other.email, PASSWORD).await.expect(200);
}

async fn signing_in_and_changes_stand_in_the_record(server: &mut Server) {
    let guest = server.guest().await;
    login(server, &guest.email, "twelve grey herons").await.expect(401);
    login(server, "nobody@example.com", "twelve grey herons").await.expect(401);
    let session = session(server, &guest).await;
    let change = json!({ "first_name": "Grace", "role": "host" });
    let token = session.text("access_token");
    server.put("/api/v1/users/me", change).token(&token).await.expect(200);
    let storage = server.storage();
    for (kind, count) in
        [("sign_in_failed", 2), ("signed_in", 1), ("profile_changed", 1), ("role_changed", 1)]
    {
        let sql = format!(
            "select count(*) from audit where kind = '{kind}' and at > 0 \
             and address = '127.0.0.1'"
        );
        assert_eq!(storage.number(&sql).await, count, "{kind}");
    }
    let told = "select count(*) from audit where before_json = '{\"role\":\"guest\"}' \
         and after_json = '{\"role\":\"host\"}' and actor_id = subject_id";
    assert_eq!(storage.number(told).await, 1);
    let nobody = "select count(*) from audit where kind = 'sign_in_failed' and subject_id is null";
    assert_eq!(storage.number(nobody).await, 1, "what was typed is not kept");
}

async fn a_bad_request_is_refused_by_its_field_and_changes_nothing(server: &mut Server) {
    let guest = server.guest().await;
    let long = "a".repeat(30_000);
    let before = server.storage().counts().await;
    for (body, pointer) in [
        (json!({ "first_name": "" }), "/first_name"),
        (json!({ "first_name": Value::Null }), "/first_name"),
        (json!({ "first_name": "A\u{0}da" }), "/first_name"),
        (json!({ "last_name": long }), "/last_name"),
        (json!({ "last_name": 5 }), "/last_name"),
        (json!({ "role": "king" }), "/role"),
        (json!({ "id": "42" }), "/id"),
        (json!({ "password": PASSWORD }), "/password"),
        (json!({ "is_admin": true }), "/is_admin"),
    ] {
        is_refused_by(&server.put("/api/v1/users/me", body).by(&guest).await, pointer);
    }
    let good = "a".repeat(43);
    for (path, body, pointer) in [
        ("login", json!({ "email": long, "password": PASSWORD }), "/email"),
        ("login", json!({ "email": guest.email, "password": long }), "/password"),
        ("login", json!({ "email": guest.email, "password": "\u{0}" }), "/password"),
        ("login", json!({ "email": guest.email }), "/password"),
        ("login", json!({ "email": "x", "password": "x", "otp": "1" }), "/otp"),
        ("refresh", json!({ "refresh_token": "short" }), "/refresh_token"),
        ("refresh", json!({ "refresh_token": long }), "/refresh_token"),
        ("refresh", json!({ "refresh_token": "\u{0}" }), "/refresh_token"),
        ("refresh", json!({}), "/refresh_token"),
        ("verify", json!({ "token": "" }), "/token"),
        ("verify", json!({ "token": long }), "/token"),
        ("verify", json!({ "token": good, "email": "x" }), "/email"),
        ("password/forgot", json!({ "email": "ada" }), "/email"),
        ("password/forgot", json!({ "email": "ada\u{0}@example.com" }), "/email"),
        ("password/forgot", json!({ "email": format!("{long}@example.com") }), "/email"),
        ("password/reset", json!({ "token": good, "password": PASSWORD }), "/token"),
        ("password/reset", json!({ "token": good }), "/password"),
    ] {
        let refused = server.post(&format!("/api/v1/auth/{path}"), body.clone()).await;
        assert_eq!(refused.status, 422, "{path} {body}: {}", refused.body);
        is_refused_by(&refused, pointer);
    }
    let unknown = server.post("/api/v1/auth/refresh", json!({ "refresh_token": good })).await;
    unknown.is_problem(401, "session_ended");
    server.post("/api/v1/auth/logout", json!({})).await.is_problem(401, "unauthenticated");
    assert_eq!(server.storage().counts().await, before);
}
