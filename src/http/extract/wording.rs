//! Errors of the JSON reader in words for people who write clients: which field, and what it
//! must be. Values are never repeated: they may be passwords.

use crate::http::problem::FieldError;
use serde_path_to_error::{Path, Segment};
use std::borrow::Cow;

/// Fields that hold an amount of money: the last word of their names.
const AMOUNTS: &[&str] = &["amount", "price_per_night", "price", "fee"];

/// What kind of number a type of the code is, with its bounds.
const NUMBERS: &[(&str, &str)] = &[
    ("u8", "from 0 to 255"),
    ("u16", "from 0 to 65535"),
    ("u32", "from 0 to 4294967295"),
    ("u64", "of at least 0"),
    ("usize", "of at least 0"),
    ("i8", "from -128 to 127"),
    ("i16", "from -32768 to 32767"),
    ("i32", "from -2147483648 to 2147483647"),
    ("i64", "of at most 18 digits"),
];

/// Says where the reader stopped and why.
pub(super) fn field_error(path: &Path, error: &serde_json::Error) -> FieldError {
    let mut pointer = String::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => push_segment(&mut pointer, &index.to_string()),
            Segment::Map { key } => push_segment(&mut pointer, key),
            Segment::Enum { .. } | Segment::Unknown => {}
        }
    }
    let text = error.to_string();
    let text = text.rsplit_once(" at line ").map_or(text.as_str(), |(message, _)| message);
    let detail = if let Some(name) = named(text, "missing field `") {
        push_segment(&mut pointer, name);
        "is required".into()
    } else if let Some(name) = named(text, "duplicate field `") {
        push_segment(&mut pointer, name);
        "must be sent once".into()
    } else if text.starts_with("unknown field `") {
        // The path ends at the field itself already, and not at the object that has it.
        unknown(text)
    } else if let Some((_, expected)) = text.rsplit_once(", expected ") {
        must_be(expected, pointer.rsplit('/').next().unwrap_or_default())
    } else if text.contains("surrogate") || text.contains("hex escape") || text.contains("unicode")
    {
        "must be valid Unicode".into()
    } else if text == "number out of range" {
        "must be a smaller number".into()
    } else {
        Cow::Owned(text.to_owned())
    };
    FieldError::new(pointer, detail)
}

/// The JSON pointer to a field of the outermost object.
pub(in crate::http) fn pointer_to(name: &str) -> String {
    let mut pointer = String::new();
    push_segment(&mut pointer, name);
    pointer
}

/// Appends a segment to a JSON pointer (RFC 6901, section 3).
pub(super) fn push_segment(pointer: &mut String, segment: &str) {
    pointer.push('/');
    pointer.push_str(&segment.replace('~', "~0").replace('/', "~1"));
}

/// The name in backquotes after these words.
fn named<'a>(text: &'a str, words: &str) -> Option<&'a str> {
    let rest = text.strip_prefix(words)?;
    Some(rest.split_once("`, expected ").or_else(|| rest.rsplit_once('`'))?.0)
}

/// The reader lists the known fields after the unknown one.
fn unknown(text: &str) -> Cow<'static, str> {
    match text.split_once("`, expected ") {
        Some((_, known)) => {
            let known = known.strip_prefix("one of ").unwrap_or(known).replace('`', "");
            format!("is not a known field: there are {known}").into()
        }
        None => "is not a known field".into(),
    }
}

/// What the field must be, from the name of the type that was expected.
fn must_be(expected: &str, field: &str) -> Cow<'static, str> {
    if let Some((_, bounds)) = NUMBERS.iter().find(|(name, _)| *name == expected) {
        let is_amount = AMOUNTS.iter().any(|name| {
            field.strip_suffix(name).is_some_and(|rest| rest.is_empty() || rest.ends_with('_'))
        });
        return if is_amount {
            "must be a whole number of minor units, without quotes or a fraction: 12000 stands \
             for 120.00 USD, and for 12000 JPY"
                .into()
        } else {
            format!("must be a whole number {bounds}, without quotes or a fraction").into()
        };
    }
    match expected {
        "a string" | "a borrowed string" | "string" => "must be a string".into(),
        "a boolean" => "must be true or false".into(),
        "a sequence" => "must be an array".into(),
        "f32" | "f64" => "must be a number".into(),
        _ if expected.starts_with("struct ") || expected == "a map" => "must be an object".into(),
        _ => format!("must be {}", expected.replace('`', "")).into(),
    }
}
