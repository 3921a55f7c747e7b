//! The interface as its document describes it: the operations with their examples.

use super::{Answer, Server};
use reqwest::Method;
use serde_json::{Map, Value};

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];
const CONTENT: &str = "content/application~1json";

/// One operation of the document.
#[derive(Clone, Debug)]
pub(crate) struct Operation {
    /// Its operationId.
    pub(crate) name: String,
    pub(crate) method: Method,
    /// Without a base, with `{id}` where an id goes.
    pub(crate) path: String,
    pub(crate) described: Value,
}

/// All operations of a document.
pub(crate) fn operations(document: &Value) -> Vec<Operation> {
    let mut all = Vec::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for method in METHODS {
            let Some(described) = item.get(method) else { continue };
            all.push(Operation {
                name: described["operationId"].as_str().expect("an operationId").to_owned(),
                method: method.to_uppercase().parse().expect("a method"),
                path: path.clone(),
                described: described.clone(),
            });
        }
    }
    assert!(!all.is_empty());
    all
}

impl Server {
    /// All operations of the document that is served.
    pub(crate) async fn operations(&self) -> Vec<Operation> {
        operations(&self.get("/api/openapi.json").await.expect(200))
    }
}

impl Operation {
    /// The content of the body that it takes: its schema and its example.
    pub(crate) fn body(&self) -> Option<&Value> {
        self.described.pointer(&format!("/requestBody/{CONTENT}"))
    }

    /// The content of its answer of this status.
    pub(crate) fn answer(&self, status: &str) -> Option<&Value> {
        self.described.pointer(&format!("/responses/{status}/{CONTENT}"))
    }

    /// The statuses that it may answer with.
    pub(crate) fn statuses(&self) -> impl Iterator<Item = &str> {
        self.described["responses"].as_object().expect("answers").keys().map(String::as_str)
    }

    /// Whether it is about one thing that has versions.
    pub(crate) fn is_tagged(&self) -> bool {
        self.statuses().any(|status| status == "304")
    }

    /// Asserts that an answer has the form that the document's example shows.
    #[track_caller]
    pub(crate) fn is_shown_by(&self, answer: &Answer) {
        let name = &self.name;
        if answer.header("content-type") == "text/event-stream" {
            // What its events say is described elsewhere.
            return;
        }
        let Some(content) = self.answer(&answer.status.to_string()) else {
            assert_eq!(answer.body, Value::Null, "{name} is described without a body");
            return;
        };
        let (example, shown) = (&content["example"], &answer.body);
        assert!(same_shape(example, shown), "{name}: the example is\n{example}, but\n{shown}");
        let rows = shown.get("data").and_then(Value::as_array);
        assert!(rows.is_none_or(|rows| !rows.is_empty()), "{name} has nothing to compare");
    }
}

/// Whether two documents have the same fields with the same kinds of values, whatever they are; null
/// stands for any kind.
fn same_shape(example: &Value, shown: &Value) -> bool {
    match (example, shown) {
        (Value::Null, _) | (_, Value::Null) => true,
        (Value::Object(example), Value::Object(shown)) => {
            // Names have no digits; what has some is a month.
            let names = |fields: &Map<String, Value>| -> Vec<String> {
                let is_name = |key: &&String| !key.contains(|c: char| c.is_ascii_digit());
                fields.keys().filter(is_name).cloned().collect()
            };
            names(example) == names(shown)
                && shown.iter().all(|(name, shown)| {
                    example.get(name).is_none_or(|example| same_shape(example, shown))
                })
        }
        (Value::Array(examples), Value::Array(shown)) => {
            shown.iter().all(|shown| examples.iter().any(|example| same_shape(example, shown)))
        }
        (Value::Number(example), Value::Number(shown)) => example.is_f64() == shown.is_f64(),
        (Value::String(_), Value::String(_)) | (Value::Bool(_), Value::Bool(_)) => true,
        _ => false,
    }
}
