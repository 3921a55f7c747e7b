//! The messages of live calendars as their document describes them.

use jsonschema::Validator;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::LazyLock;

const DOCUMENT: &str = include_str!("../../../docs/reference/asyncapi.json");

/// What judges each message, by its type.
static JUDGES: LazyLock<BTreeMap<String, Validator>> = LazyLock::new(|| {
    let document: Value = serde_json::from_str(DOCUMENT).expect("a document");
    let messages = document["components"]["messages"].as_object().expect("messages");
    let judge = |message: &Value| {
        let schema = json!({
            "$ref": message["payload"]["$ref"], "components": document["components"],
        });
        let options = jsonschema::options().should_validate_formats(true);
        options.build(&schema).expect("a schema")
    };
    let named = messages
        .values()
        .map(|message| (message["name"].as_str().expect("a name").to_owned(), judge(message)));
    named.collect()
});

/// Asserts that a message is one that the document describes.
#[track_caller]
pub(crate) fn is_described(message: &Value) {
    let kind = message["type"].as_str().unwrap_or_default();
    let judge = JUDGES.get(kind).unwrap_or_else(|| panic!("nobody describes {message}"));
    let faults: Vec<String> = judge
        .iter_errors(message)
        .map(|fault| format!("{fault} at {}", fault.instance_path()))
        .collect();
    assert!(faults.is_empty(), "{faults:?} in {message}");
}
