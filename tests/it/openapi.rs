//! The description of the REST surface: whole, true and served with its page.

use crate::helpers::{Operation, Server, on_both, operations};
use serde_json::{Value, json};
use std::path::Path;

on_both!(every_operation_that_is_described_is_there, the_page_loads_from_this_server_alone,);

fn described() -> Value {
    serde_json::from_str(vacancy::http::openapi_document()).expect("a JSON document")
}

#[test]
fn the_document_in_the_repository_is_the_one_that_is_served() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reference/openapi.json");
    let kept = std::fs::read_to_string(&path).expect("docs/reference/openapi.json");
    let now = vacancy::http::openapi_document();
    assert!(
        kept.trim_end() == now,
        "the interface has changed: look at what \
         `cargo run -- openapi > docs/reference/openapi.json` changes, and commit it"
    );
}

#[test]
fn every_operation_has_a_name_of_its_own_a_sentence_and_its_answers() {
    let document = described();
    let mut names = Vec::new();
    for operation in operations(&document) {
        let name = operation.name.clone();
        assert!(!names.contains(&name), "{name} stands twice");
        let summary = operation.described["summary"].as_str().unwrap_or_default();
        assert!(summary.ends_with('.') || summary.ends_with('?'), "{name}: {summary}");
        assert!(operation.statuses().any(|status| status.starts_with('2')), "{name}");
        for status in ["400", "500", "503"] {
            let is_there = operation.statuses().any(|known| known == status);
            assert!(is_there, "{name} without {status}");
        }
        names.push(name);
    }
}

#[test]
fn every_body_and_every_answer_has_an_example_that_its_schema_allows() {
    let document = described();
    let mut seen = 0;
    for operation in operations(&document) {
        let done = operation.statuses().filter(|status| status.starts_with('2'));
        let contents = done.filter_map(|status| operation.answer(status)).chain(operation.body());
        for content in contents {
            let name = &operation.name;
            let schema = json!({
                "$ref": content["schema"]["$ref"], "components": document["components"],
            });
            let validator = jsonschema::options().should_validate_formats(true).build(&schema);
            let validator = validator.unwrap_or_else(|error| panic!("{name}: {error}"));
            let example = content.get("example");
            let example = example.unwrap_or_else(|| panic!("{name} has no example: {content}"));
            let wrong: Vec<_> = validator.iter_errors(example).collect();
            assert!(wrong.is_empty(), "{name}: {wrong:?} in {example}");
            seen += 1;
        }
    }
    assert!(seen > 40, "{seen} examples were seen");
}

#[test]
fn every_route_of_the_resources_is_described() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/http");
    let routes = std::fs::read_to_string(root.join("routes.rs")).expect("routes.rs");
    let described = std::fs::read_to_string(root.join("openapi.rs")).expect("openapi.rs");
    let (_, resources) = routes.split_once("fn resources(").expect("fn resources");
    let mut seen = 0;
    for handler in resources.split(".to(").skip(1) {
        let name = handler.split(')').next().unwrap_or_default();
        assert!(described.contains(&format!("        {name},\n")), "{name} is not described");
        seen += 1;
    }
    assert!(seen > 10, "{seen} routes were seen");
}

#[test]
fn every_reference_leads_somewhere() {
    fn look(document: &Value, value: &Value) {
        match value {
            Value::Object(fields) => {
                if let Some(Value::String(reference)) = fields.get("$ref") {
                    let pointer = reference.trim_start_matches('#');
                    assert!(document.pointer(pointer).is_some(), "{reference}");
                }
                fields.values().for_each(|value| look(document, value));
            }
            Value::Array(values) => values.iter().for_each(|value| look(document, value)),
            _ => {}
        }
    }
    let document = described();
    look(&document, &document);
}

async fn every_operation_that_is_described_is_there(server: &mut Server) {
    for Operation { path, method, described, .. } in operations(&described()) {
        let path = format!("/api/v1{path}").replace("{id}", "01920000-7000-8000-0000-00000000002a");
        // A token that is no good is refused wherever one is read: before anything is looked for.
        let answer = server.ask(method.clone(), &path).token("nonsense").await;
        if described.get("security").is_some() {
            assert_eq!(answer.status, 401, "{method} {path} {}", answer.body);
        } else if path.contains("/callbacks/") {
            // Who does not know the address is not told that there is one.
            answer.is_problem(404, "not_found");
        } else {
            assert!(!matches!(answer.status, 404 | 405 | 500..), "{method} {path}");
        }
        let status = answer.status.to_string();
        assert!(described["responses"].get(&status).is_some(), "{method} {path}: {status}");
    }
}

async fn the_page_loads_from_this_server_alone(server: &mut Server) {
    let served = server.get("/api/openapi.json").await.expect(200);
    assert_eq!(served, described());
    let page = server.get("/api/docs").await;
    page.expect(200);
    for file in ["swagger-ui.css", "index.css", "swagger-ui-bundle.js", "swagger-initializer.js"] {
        server.get(&format!("/api/docs/{file}")).await.expect(200);
    }
    server.get("/api/docs/nothing.js").await.is_problem(404, "not_found");
}
