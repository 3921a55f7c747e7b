//! `PUT` takes what `GET` returned: fields that cannot change may be there if they are as they
//! are, absent fields stay as they are, and a field that `GET` does not show is refused.

use super::extract::parse;
use super::problem::{FieldError, Problem};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// How often a change is laid over what somebody else has made of the thing meanwhile.
pub(super) const ATTEMPTS: usize = 5;

/// What the body makes of the thing that `view` shows, without the fields that cannot change.
/// All fields that are wrong for a reason of this kind are named at once.
pub(super) fn merged<T: DeserializeOwned>(
    view: &impl Serialize,
    body: Map<String, Value>,
    read_only: &[&str],
) -> Result<T, Problem> {
    let view = serde_json::to_value(view).map_err(Problem::internal)?;
    let Value::Object(mut whole) = view else {
        return Err(Problem::internal("what GET shows is no object"));
    };
    let mut errors = Vec::new();
    for (name, value) in body {
        let is_read_only = read_only.contains(&name.as_str());
        match whole.get(&name) {
            None => errors.push(FieldError::new(pointer(&name), "is not a known field")),
            Some(now) if is_read_only && *now != value => {
                errors.push(FieldError::new(pointer(&name), "cannot be changed"));
            }
            Some(_) => {
                whole.insert(name, value);
            }
        }
    }
    if !errors.is_empty() {
        return Err(Problem::fields(errors));
    }
    whole.retain(|name, _| !read_only.contains(&name.as_str()));
    parse(&serde_json::to_vec(&whole).map_err(Problem::internal)?)
}

fn pointer(name: &str) -> String {
    format!("/{}", name.replace('~', "~0").replace('/', "~1"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[derive(serde::Deserialize, Debug, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Input {
        name: String,
        size: Option<u8>,
    }

    fn put(body: Value) -> Result<Input, Value> {
        let view = json!({"id": 7, "name": "old", "size": 3, "tags": []});
        let Value::Object(body) = body else { panic!("an object") };
        merged(&view, body, &["id", "tags"]).map_err(|problem| {
            serde_json::from_slice(&problem.document()).expect("a problem document")
        })
    }

    #[test]
    fn what_get_returned_is_taken_and_absent_fields_stay() {
        let same = Input { name: "old".into(), size: Some(3) };
        let whole = json!({"id": 7, "name": "old", "size": 3, "tags": []});
        assert_eq!(put(whole), Ok(same));
        let changed = Input { name: "new".into(), size: Some(3) };
        assert_eq!(put(json!({"name": "new"})), Ok(changed));
        assert_eq!(put(json!({"size": null})), Ok(Input { name: "old".into(), size: None }));
    }

    #[test]
    fn what_cannot_change_or_is_unknown_is_named() {
        let refusal = put(json!({"id": 8, "tags": [1], "colour": "red"})).expect_err("a refusal");
        let pointers: Vec<&str> = refusal["errors"]
            .as_array()
            .expect("errors")
            .iter()
            .filter_map(|error| error["pointer"].as_str())
            .collect();
        assert_eq!(pointers, ["/colour", "/id", "/tags"]);
        let refusal = put(json!({"size": "large"})).expect_err("a refusal");
        assert_eq!(refusal["errors"][0]["pointer"], "/size");
    }
}
