//! Odd data, the same on both databases: whatever it is and wherever it stands, it is refused by
//! the name of its field and leaves no row, or it is kept as it was sent. The answers are recorded
//! on SQLite and on PostgreSQL, and compared.

mod values;
mod world;

use crate::helpers::{Answer, Ask, Database, Document, Wire, home, is_proof, mint, now, with};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::Method;
use serde_json::{Value, json};
use values::{TEXTS, escaped};
use world::{Operation, World};

/// What was answered, one line for each case.
type Record = Vec<String>;

/// Runs the cases on both databases, and compares what was answered.
async fn same_on_both(cases: impl AsyncFn(&mut World, &mut Record)) {
    let on = async |database| {
        let (mut world, mut record) = (World::new(database).await, Record::new());
        cases(&mut world, &mut record).await;
        world.server.verify().await;
        record
    };
    let (sqlite, postgres) = tokio::join!(on(Database::Sqlite), on(Database::Postgres));
    for (one, other) in sqlite.iter().zip(&postgres) {
        assert_eq!(one, other, "SQLite left, PostgreSQL right");
    }
    assert_eq!(sqlite.len(), postgres.len());
    assert!(!sqlite.is_empty());
    println!("{} cases on each database", sqlite.len());
}

/// Status, code and pointers; asserts that what is no success is a whole problem of the client's.
fn told(answer: &Answer, case: &str) -> String {
    if answer.status < 300 {
        return answer.status.to_string();
    }
    assert!((400..500).contains(&answer.status), "{case}: {} {}", answer.status, answer.body);
    let code = answer.body.text("code");
    answer.is_problem(answer.status, &code);
    let errors = answer.body["errors"].as_array().into_iter().flatten();
    let pointers: Vec<&str> = errors.filter_map(|error| error["pointer"].as_str()).collect();
    assert_eq!(code == "invalid_field", !pointers.is_empty(), "{case}: {}", answer.body);
    format!("{} {code} {}", answer.status, pointers.join(" "))
}

/// Asserts that a refusal by fields names this one.
fn names(told: &str, field: &str, case: &str) {
    // What is sent alone names the one that is missing.
    let pairs = [["latitude", "longitude"], ["near", "radius_km"], ["check_in", "check_out"]];
    let is_named = told.split(' ').skip(2).any(|pointer| {
        let name = pointer.trim_start_matches('/').split('/').next().unwrap_or_default();
        // A token that nobody was sent is found before a password is looked at.
        let is_token = name == "token" && field == "password";
        let is_missing = pairs.iter().any(|pair| pair.contains(&name) && pair.contains(&field));
        name == field || is_token || is_missing
    });
    assert!(is_named || !told.starts_with("422 invalid_field"), "{case}: {told}");
}

/// Asserts that what was sent is what is shown: texts without the spaces around them, addresses in
/// small letters, numbers by their value. A secret is not shown.
fn is_kept(shown: &Value, field: &str, sent: &[u8], case: &str) {
    let sent: Value = serde_json::from_slice(sent).expect("JSON, as it was accepted");
    match (&shown[field], &sent) {
        (Value::Null, sent) if !sent.is_null() => {
            assert!(matches!(field, "password" | "email"), "{case}: {sent} is gone");
        }
        (Value::Null, _) => {}
        (Value::String(shown), Value::String(sent)) if field == "email" => {
            assert_eq!(*shown, sent.trim().to_lowercase(), "{case}");
        }
        (Value::String(shown), Value::String(sent)) => assert_eq!(shown, sent.trim(), "{case}"),
        (Value::Number(shown), Value::Number(sent)) => {
            assert_eq!(shown.as_f64(), sent.as_f64(), "{case}");
        }
        (Value::Array(shown), Value::Array(sent)) => {
            assert!(sent.iter().all(|value| shown.contains(value)), "{case}");
        }
        (shown, sent) => panic!("{case}: {sent} became {shown}"),
    }
}

/// The short form tries every third value on a field, and the next field the values after those.
const EACH: usize = 3;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn odd_values_in_any_field_of_any_body_are_refused_or_kept() {
    let each = if is_proof() { 1 } else { EACH };
    same_on_both(async |world, record| {
        for index in 0..world.operations().len() {
            let mut refused = Vec::new();
            for (shift, field) in world.operations()[index].fields().into_iter().enumerate() {
                for (value, bytes) in
                    values::in_bodies().into_iter().skip(shift % each).step_by(each)
                {
                    let operation = &world.operations()[index];
                    let case = format!("{} {field} {value}", operation.name());
                    let body = operation.with_raw(&field, &bytes);
                    let answer = world.send(operation, &body).await;
                    let told = told(&answer, &case);
                    names(&told, &field, &case);
                    if answer.status < 300 {
                        let shown = world.shown(operation, &answer).await;
                        is_kept(&shown, &field, &bytes, &case);
                        let told_at_once = world.told_at_once(operation, &answer);
                        assert!(shown.is_null() || *told_at_once == shown, "{case}: {shown}");
                        record.push(format!("{case}: {told} {}", shown[&field]));
                        world.renew(operation, &answer).await;
                    } else {
                        record.push(format!("{case}: {told}"));
                        refused.push((case, body, told));
                    }
                }
            }
            changes_nothing(world, &world.operations()[index], refused).await;
        }
    })
    .await;
}

/// Sends refused bodies again, and asserts that they leave no row.
async fn changes_nothing(
    world: &World,
    operation: &Operation,
    refused: Vec<(String, Vec<u8>, String)>,
) {
    // What was accepted may have left something to do.
    world.server.advance(1).await;
    let before = world.server.storage().counts().await;
    for (case, body, first) in refused {
        assert_eq!(told(&world.send(operation, &body).await, &case), first, "{case}");
    }
    assert_eq!(world.server.storage().counts().await, before, "{}", operation.name());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_is_odd_as_a_whole_is_refused() {
    same_on_both(async |world, record| {
        for operation in world.operations() {
            let good = operation.body.to_string();
            let open = &good[..good.len() - 1];
            let mut bodies = vec![
                ("a byte order mark".to_owned(), format!("\u{feff}{good}").into_bytes()),
                ("a NUL behind it".to_owned(), format!("{good}\0").into_bytes()),
                ("another behind it".to_owned(), format!("{good}{good}").into_bytes()),
                ("UTF-16".to_owned(), good.encode_utf16().flat_map(u16::to_le_bytes).collect()),
                ("an array".to_owned(), format!("[{good}]").into_bytes()),
                ("a text".to_owned(), json!(good).to_string().into_bytes()),
                ("NUL as a name".to_owned(), format!("{open},\"\\u0000\":1}}").into_bytes()),
                ("no name".to_owned(), format!("{open},\"\":1}}").into_bytes()),
                ("a surrogate as a name".to_owned(), format!("{open},\"\\ud800\":1}}").into()),
                ("__proto__".to_owned(), format!("{open},\"__proto__\":{{}}}}").into_bytes()),
            ];
            let fields = operation.fields();
            let large = values::too_large().into_iter();
            bodies
                .extend(large.map(|(name, value)| {
                    (name.to_owned(), operation.with_raw(&fields[0], &value))
                }));
            for field in fields {
                let value = &operation.body[&field];
                let twice = format!("{open},\"{field}\":{value}}}");
                bodies.push((format!("{field} twice"), twice.into_bytes()));
                let escaped: String =
                    field.chars().map(|c| format!("\\u{:04x}", u32::from(c))).collect();
                let twice = format!("{open},\"{escaped}\":{value}}}");
                bodies.push((format!("{field} twice, once in escapes"), twice.into_bytes()));
                let inside = format!("{{\"{field}\":{{\"{field}\":1,\"{field}\":2}}}}");
                bodies.push((format!("{field} twice inside"), inside.into_bytes()));
            }
            let mut refused = Vec::new();
            for (name, body) in bodies {
                let case = format!("{} {name}", operation.name());
                let told = told(&world.send(&operation, &body).await, &case);
                let is_refused =
                    ["400", "413", "422"].iter().any(|status| told.starts_with(status));
                assert!(is_refused, "{case}: {told}");
                record.push(format!("{case}: {told}"));
                refused.push((case, body, told));
            }
            changes_nothing(world, &operation, refused).await;
        }
    })
    .await;
}

/// Every `GET` that takes parameters, with their names: from the document.
fn lists(world: &World) -> Vec<(String, Vec<String>)> {
    let document: Value = serde_json::from_str(vacancy::http::openapi_document()).expect("JSON");
    let mut lists = Vec::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        let parameters = item["get"]["parameters"].as_array().into_iter().flatten();
        let names: Vec<String> = parameters
            .filter(|parameter| parameter["in"] == "query")
            .map(|parameter| parameter.text("name"))
            .collect();
        if !names.is_empty() {
            lists.push((path.replace("{id}", &world.home), names));
        }
    }
    assert!(lists.len() > 5, "{lists:?}");
    lists
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn odd_values_of_any_query_parameter_are_refused_or_searched_for() {
    same_on_both(async |world, record| {
        let before = world.server.storage().counts().await;
        for (path, names_of_all) in lists(world) {
            let needed = match path.as_str() {
                "/reviews" => format!("property={}", world.home),
                _ => String::new(),
            };
            for name in &names_of_all {
                let mut queries: Vec<(String, String)> = values::in_queries()
                    .into_iter()
                    .map(|(value, text)| (value.to_owned(), format!("{name}={text}")))
                    .collect();
                queries.push(("twice".to_owned(), format!("{name}=1&{name}=1")));
                queries.push(("twice and empty".to_owned(), format!("{name}&{name}")));
                queries.push(("a list".to_owned(), format!("{name}[]=1")));
                for (value, query) in queries {
                    let rest = if name == "property" { "" } else { needed.as_str() };
                    let ask = world.server.get(&format!("{path}?{query}&{rest}"));
                    let shown = path.replace(&world.home, "{id}");
                    let case = format!("{shown} {name} {value}");
                    let answer = ask.by(&world.admin).await;
                    let told = told(&answer, &case);
                    if value != "a list" {
                        names(&told, name, &case);
                    }
                    let is_text = answer.status < 300;
                    assert!(!is_text || !values::is_broken(&value), "{case}: {told}");
                    let found = answer.body["data"].as_array().map_or(0, Vec::len);
                    record.push(format!("{case}: {told} {found}"));
                }
            }
        }
        assert_eq!(world.server.storage().counts().await, before);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_city_is_found_by_its_own_letters_and_by_no_wildcard() {
    same_on_both(async |world, record| {
        let mut made = Vec::new();
        for (name, city) in TEXTS {
            let body = with(&home(), "city", json!(city));
            let answer = world.server.post("/properties", body).by(&world.host).await;
            made.push((*name, *city, answer.expect(201).text("id")));
        }
        for (name, city, id) in &made {
            for asked in [(*city).to_owned(), city.to_lowercase()] {
                let path = format!("/properties?limit=100&city={}", escaped(asked.as_bytes()));
                let found = world.server.get(&path).await.expect(200);
                let ids: Vec<String> = found.list("data").iter().map(|p| p.text("id")).collect();
                assert_eq!(&ids, std::slice::from_ref(id), "{name}");
                assert_eq!(found["data"][0]["city"], json!(city), "{name}");
            }
            let upper = escaped(city.to_uppercase().as_bytes());
            let found = world.server.get(&format!("/properties?city={upper}")).await.expect(200);
            record.push(format!("{name} in capitals: {}", found.list("data").len()));
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cursor_that_no_list_gave_is_refused_or_leads_to_an_end() {
    same_on_both(async |world, record| {
        let mut cursors = vec![
            ("padded".to_owned(), format!("{}%3D", "A".repeat(32))),
            ("another alphabet".to_owned(), format!("{}%2B%2F", "A".repeat(30))),
            ("too short".to_owned(), "A".repeat(31)),
            ("too long".to_owned(), "A".repeat(36)),
            ("far too long".to_owned(), "A".repeat(4_000)),
        ];
        for at in [i64::MIN, -1, 0, 1, 253_402_300_800_000_000, i64::MAX] {
            for id in [0, 0xff] {
                let bytes = [&at.to_be_bytes()[..], &[id; 16]].concat();
                cursors.push((format!("{at} {id}"), URL_SAFE_NO_PAD.encode(bytes)));
            }
        }
        for path in ["/users", "/properties", "/bookings", "/payments", "/reviews"] {
            for (name, cursor) in &cursors {
                let needed = format!("property={}", world.home);
                let needed = if path == "/reviews" { needed.as_str() } else { "" };
                let ask = world.server.get(&format!("{path}?limit=1&cursor={cursor}&{needed}"));
                let by = if path == "/users" { &world.admin } else { &world.guest };
                let (answer, case) = (ask.by(by).await, format!("{path} cursor {name}"));
                let told = told(&answer, &case);
                names(&told, "cursor", &case);
                let found = answer.body["data"].as_array().map_or(0, Vec::len);
                record.push(format!("{case}: {told} {found}"));
            }
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn odd_segments_of_paths_name_nothing() {
    same_on_both(async |world, record| {
        let document: Value =
            serde_json::from_str(vacancy::http::openapi_document()).expect("a document");
        let home = world.home.clone();
        let ids = [
            "%00".to_owned(),
            "%2F".to_owned(),
            "%2f..%2f".to_owned(),
            "..%2Fusers".to_owned(),
            "%2E%2E".to_owned(),
            "%252F".to_owned(),
            "%ff".to_owned(),
            "%c0%80".to_owned(),
            "%zz".to_owned(),
            "%".to_owned(),
            "%5C".to_owned(),
            "%20".to_owned(),
            ";a=b".to_owned(),
            "%F0%9F%8F%A0".to_owned(),
            "-0".to_owned(),
            "18446744073709551616".to_owned(),
            format!("{home}%00"),
            format!("%00{home}"),
            format!("{home}%2F"),
            format!("{home}%20"),
            format!("{home}%2Fcalendar"),
            format!("{home}%0d%0ax-odd:1"),
            format!("{{{home}}}"),
            home.replace('-', ""),
            home.replace('-', "%E2%88%92"),
            "x".repeat(5_000),
        ];
        let before = world.server.storage().counts().await;
        for (path, item) in document["paths"].as_object().expect("paths") {
            if !path.contains("{id}") {
                continue;
            }
            for method in ["get", "put", "delete", "post"] {
                if item.get(method).is_none() {
                    continue;
                }
                for (index, id) in ids.iter().enumerate() {
                    let is_like = id.contains(&home[24..]);
                    let shown = if is_like { format!("an id {index}") } else { id.clone() };
                    let case = format!("{method} {path} {shown}");
                    let token = mint(&world.admin, now().plus(world.server.moved()));
                    let head = format!(
                        "{} {} HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {token}\r\n\
                         content-type: application/json\r\ncontent-length: 2\r\n\r\n{{}}",
                        method.to_uppercase(),
                        path.replace("{id}", id),
                        world.server.address(),
                    );
                    let mut wire = Wire::connect(world.server.address()).await;
                    wire.write(head.as_bytes()).await;
                    let told = told(&wire.answer().await, &case);
                    assert!(!told.starts_with('2'), "{case}: {told}");
                    record.push(format!("{case}: {told}"));
                }
            }
        }
        assert_eq!(world.server.storage().counts().await, before);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn odd_heads_are_refused_and_change_nothing() {
    same_on_both(async |world, record| {
        let before = world.server.storage().counts().await;
        for operation in world.operations() {
            if operation.method != Method::POST || operation.path.starts_with("/auth/") {
                continue;
            }
            let ask = || {
                let ask = world.server.post(&operation.path, operation.body.clone());
                operation.by.iter().fold(ask, Ask::by)
            };
            for (name, ask) in [
                ("two keys", ask().key("one").key("two")),
                ("the same key twice", ask().key("one").key("one")),
                ("a key and none", ask().key("one").key("")),
                ("a list of keys", ask().key("\"one\", \"two\"")),
                ("a key in Unicode", ask().key("\u{1f3e0}")),
                ("a key with a tab", ask().key("a\tb")),
                ("a long key", ask().key(&"k".repeat(256))),
                ("a huge key", ask().key(&"k".repeat(40_000))),
                ("a huge header", ask().header("x-odd", &"x".repeat(40_000))),
                ("many headers", (0..80).fold(ask(), |ask, n| ask.header(&format!("x-{n}"), "x"))),
            ] {
                let case = format!("{} {name}", operation.name());
                let told = told(&ask.await, &case);
                assert!(!told.starts_with('2'), "{case}: {told}");
                record.push(format!("{case}: {told}"));
            }
        }
        assert_eq!(world.server.storage().counts().await, before);
    })
    .await;
}
