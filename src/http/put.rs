//! `PUT` takes what `GET` returned: fields that cannot change may be there if they are as they
//! are, absent fields stay as they are, and a field that `GET` does not show is refused.

use super::extract::{parse, pointer_to};
use super::problem::{Code, FieldError, Problem};
use crate::engine;
use domain::refusal::Refusal;
use serde::de::{DeserializeOwned, Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Number, Value};
use std::fmt;

/// The fields that a body sent, each once: JSON itself does not say which of two would count.
#[derive(Clone, Debug)]
pub(super) struct Sent(Map<String, Value>);

/// How often a change is laid over what somebody else has made of the thing meanwhile. One of those
/// that come at once succeeds each time, so this is how many of them all succeed.
const ATTEMPTS: usize = 20;

/// Lays a change over a thing as it is now, and again over what it has become where somebody else
/// was faster. The inner result is the engine's: its refusal `Stale` says so.
pub(super) async fn on_newest<T>(
    lay: impl AsyncFn() -> Result<Result<T, engine::Error>, Problem>,
) -> Result<T, Problem> {
    for _ in 0..ATTEMPTS {
        match lay().await? {
            Err(engine::Error::Refused(Refusal::Stale)) => {}
            done => return Ok(done?),
        }
    }
    Err(Problem::new(Code::Overloaded))
}

/// What the body makes of the thing that `view` shows, without the fields that cannot change.
/// All fields that are wrong for a reason of this kind are named at once.
pub(super) fn merged<T: DeserializeOwned>(
    view: &impl Serialize,
    Sent(body): &Sent,
    read_only: &[&str],
) -> Result<T, Problem> {
    let view = serde_json::to_value(view).map_err(Problem::internal)?;
    let Value::Object(mut whole) = view else {
        return Err(Problem::internal("what GET shows is no object"));
    };
    let mut errors = Vec::new();
    for (name, value) in body {
        let is_read_only = read_only.contains(&name.as_str());
        match whole.get_mut(name) {
            None => errors.push(FieldError::new(pointer_to(name), "is not a known field")),
            Some(now) if !is_read_only => now.clone_from(value),
            Some(now) if is_same(now, value) => {}
            Some(_) => errors.push(FieldError::new(
                pointer_to(name),
                "cannot be changed: leave it out, or send it as it is",
            )),
        }
    }
    if !errors.is_empty() {
        return Err(Problem::fields(errors));
    }
    whole.retain(|name, _| !read_only.contains(&name.as_str()));
    parse(&serde_json::to_vec(&whole).map_err(Problem::internal)?)
}

/// Whether two values say the same. Many clients have one type of numbers and write 5.0 as 5.
fn is_same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => {
            one == other || one.as_f64() == other.as_f64()
        }
        _ => one == other,
    }
}

impl<'de> Deserialize<'de> for Sent {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        reader.deserialize_map(Fields).map(Self)
    }
}

/// Reads an object.
struct Fields;

/// Any value, in whose objects every field stands once.
struct Once(Value);

impl<'de> Visitor<'de> for Fields {
    type Value = Map<String, Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut fields = Map::new();
        while let Some((name, Once(value))) = map.next_entry::<String, Once>()? {
            if fields.contains_key(&name) {
                return Err(A::Error::custom(format_args!("duplicate field `{name}`")));
            }
            fields.insert(name, value);
        }
        Ok(fields)
    }
}

impl<'de> Deserialize<'de> for Once {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        reader.deserialize_any(Anything).map(Self)
    }
}

/// Reads any value.
struct Anything;

impl<'de> Visitor<'de> for Anything {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Value, E> {
        Ok(truth.into())
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Value, E> {
        let number = Number::from_f64(number).ok_or_else(|| E::custom("number out of range"))?;
        Ok(number.into())
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<Value, A::Error> {
        let mut all = Vec::new();
        while let Some(Once(value)) = values.next_element()? {
            all.push(value);
        }
        Ok(Value::Array(all))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Value, A::Error> {
        Fields.visit_map(map).map(Value::Object)
    }
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

    fn put(body: &str) -> Result<Input, Value> {
        let view = json!({"id": 7, "name": "old", "size": 3, "tags": [], "stars": 5.0});
        let read_only = ["id", "tags", "stars"];
        let input = parse(body.as_bytes()).and_then(|body| merged(&view, &body, &read_only));
        input.map_err(|problem| {
            serde_json::from_slice(&problem.document()).expect("a problem document")
        })
    }

    /// The fields that the refusal of a body names.
    fn refused(body: &str) -> Vec<String> {
        let refusal = put(body).expect_err("a refusal");
        let errors = refusal["errors"].as_array().into_iter().flatten();
        errors.filter_map(|error| error["pointer"].as_str()).map(str::to_owned).collect()
    }

    #[test]
    fn what_get_returned_is_taken_and_absent_fields_stay() {
        let input = |name: &str, size| Ok(Input { name: name.into(), size });
        let whole = r#"{"id": 7, "name": "old", "size": 3, "tags": [], "stars": 5.0}"#;
        assert_eq!(put(whole), input("old", Some(3)));
        assert_eq!(put(r#"{"name": "new"}"#), input("new", Some(3)));
        assert_eq!(put(r#"{"size": null}"#), input("old", None));
        assert_eq!(put(r#"{"stars": 5}"#), input("old", Some(3)));
        assert_eq!(put("{}"), input("old", Some(3)));
    }

    #[test]
    fn what_cannot_change_or_is_unknown_is_named() {
        let body = r#"{"id": 8, "tags": [1], "colour": "red", "stars": 4, "a/b": 1}"#;
        assert_eq!(refused(body), ["/a~1b", "/colour", "/id", "/stars", "/tags"]);
        assert_eq!(refused(r#"{"size": "large"}"#), ["/size"]);
        assert_eq!(refused(r#"{"name": null}"#), ["/name"]);
        assert_eq!(refused("[]"), [""]);
    }

    #[test]
    fn a_field_that_comes_twice_is_named_also_deep_inside() {
        for (body, pointer) in [
            (r#"{"name": "a", "name": "b"}"#, "/name"),
            (r#"{"id": 7, "id": 7}"#, "/id"),
            (r#"{"tags": [0, {"x": 1, "x": 1}]}"#, "/tags/1/x"),
            (r#"{"tags": {"tags": 1, "tags": 1}}"#, "/tags/tags"),
        ] {
            assert_eq!(refused(body), [pointer], "{body}");
        }
    }
}
