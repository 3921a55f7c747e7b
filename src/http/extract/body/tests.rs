//! What becomes of bodies: each kind of mistake, its code and the field that is named.

use super::*;
use actix_web::test::TestRequest;
use serde::Deserialize;
use serde_json::json;

#[derive(Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
struct Room {
    title: String,
    price_per_night: i64,
    #[serde(default)]
    max_guests: u16,
    #[serde(default)]
    amenities: Vec<String>,
    #[serde(default)]
    place: Place,
}

#[derive(Debug, Default, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
struct Place {
    city: String,
    #[serde(rename = "a/b~c")]
    odd: Option<bool>,
}

fn request(body: impl Into<web::Bytes>) -> TestRequest {
    TestRequest::post().insert_header(("content-type", "application/json")).set_payload(body)
}

async fn read_from(request: TestRequest) -> Result<Room, Value> {
    let (request, mut payload) = request.to_http_parts();
    match Body::<Room>::from_request(&request, &mut payload).await {
        Ok(Body(room)) => Ok(room),
        Err(problem) => Err(serde_json::from_slice(&problem.document()).expect("a document")),
    }
}

/// Asserts the code, the pointer and a part of the detail of the refusal of this body.
async fn refused(body: &str, code: &str, pointer: &str, detail: &str) {
    let document = read_from(request(body.to_owned())).await.expect_err("a refusal");
    assert_eq!(document["code"], code, "{body}: {document}");
    let shown = match code {
        "invalid_field" => {
            assert_eq!(document["errors"][0]["pointer"], pointer, "{body}: {document}");
            &document["errors"][0]["detail"]
        }
        _ => &document["detail"],
    };
    assert!(shown.as_str().is_some_and(|shown| shown.contains(detail)), "{body}: {document}");
}

#[actix_web::test]
async fn a_good_body_is_read_whatever_its_spacing_and_charset() {
    let body = r#" { "title": "Hütte \u00e4", "price_per_night": 12000 } "#;
    for kind in ["application/json", "Application/JSON; charset=UTF-8", "application/json;v=1"] {
        let request = TestRequest::post().insert_header(("content-type", kind)).set_payload(body);
        let room = read_from(request).await.expect("a room");
        assert_eq!((room.title.as_str(), room.price_per_night), ("Hütte ä", 12000), "{kind}");
    }
}

#[actix_web::test]
async fn other_types_of_body_are_415() {
    for (name, value) in [
        ("content-type", "text/plain"),
        ("content-type", "application/x-www-form-urlencoded"),
        ("content-type", "application/json; charset=latin1"),
        ("content-type", "application/jsonp"),
        ("content-type", ""),
        ("content-encoding", "gzip"),
    ] {
        let mut request = request("{}");
        request = request.insert_header((name, value));
        let document = read_from(request).await.expect_err("a refusal");
        assert_eq!(document["code"], "unsupported_media_type", "{name} {value}");
    }
    let bare = TestRequest::post().set_payload("{}");
    let document = read_from(bare).await.expect_err("a refusal");
    assert_eq!(document["status"], 415);
}

#[actix_web::test]
async fn a_body_of_more_than_64_kib_is_413_announced_or_not() {
    let body = |length: usize| {
        let frame = r#"{"title":"","price_per_night":1}"#;
        frame.replace(r#""""#, &format!("\"{}\"", "x".repeat(length - frame.len())))
    };
    assert!(read_from(request(body(MAX_BODY_BYTES))).await.is_ok());
    let unannounced = request(body(MAX_BODY_BYTES + 1));
    let document = read_from(unannounced).await.expect_err("a refusal");
    assert_eq!(document["status"], 413);
    let announced = request("{}").insert_header(("content-length", "70000"));
    let document = read_from(announced).await.expect_err("a refusal");
    assert_eq!(document["status"], 413);
}

#[actix_web::test]
async fn broken_json_is_400() {
    for body in [
        "{",
        "nonsense",
        "{\"title\":\"x\",}",
        "{'title':'x'}",
        "{\"title\":\"x\",\"price_per_night\":1} trailing",
        "{\"title\":\"x\",\"price_per_night\":01}",
        "{\"title\":\"raw\u{0}nul\",\"price_per_night\":1}",
        "{\"status\":1, broken",
    ] {
        refused(body, "invalid_json", "", "line 1").await;
    }
    refused("", "invalid_json", "", "empty").await;
    refused(" \n", "invalid_json", "", "empty").await;
    let deep = format!("{{\"amenities\":{}", "[".repeat(60_000));
    refused(&deep, "invalid_json", "", "cannot be read").await;
}

#[actix_web::test]
async fn fields_that_are_missing_unknown_or_sent_twice_are_named() {
    for (body, pointer, detail) in [
        (r#"{"title":"x"}"#, "/price_per_night", "is required"),
        (r#"{"title":"x","price_per_night":1,"status":"x"}"#, "/status", "not a known field"),
        (r#"{"title":"x","price_per_night":1,"status":"x"}"#, "/status", "title, price_per_night"),
        (r#"{"title":"x","title":"y","price_per_night":1}"#, "/title", "sent once"),
        (r#"{"title":"x","price_per_night":1,"place":{}}"#, "/place/city", "is required"),
        (r#"{"place":{"city":"x","town":1}}"#, "/place/town", "not a known field"),
        (r#"{"place":{"city":"x","city":"x"}}"#, "/place/city", "sent once"),
        (r#"{"place":{"city":"x","a/b~c":1}}"#, "/place/a~1b~0c", "true or false"),
        (r#"{"a`b":1}"#, "/a`b", "not a known field"),
    ] {
        refused(body, "invalid_field", pointer, detail).await;
    }
}

#[actix_web::test]
async fn wrong_types_are_told_the_right_form() {
    for (body, pointer, detail) in [
        (r#"{"price_per_night":"120.00"}"#, "/price_per_night", "12000 stands for 120.00 USD"),
        (r#"{"price_per_night":120.5}"#, "/price_per_night", "12000 stands for 120.00 USD"),
        (r#"{"price_per_night":1e30}"#, "/price_per_night", "12000 stands for 120.00 USD"),
        (r#"{"price_per_night":99999999999999999999}"#, "/price_per_night", "minor units"),
        (r#"{"price_per_night":1e999}"#, "/price_per_night", "smaller"),
        (r#"{"max_guests":"2"}"#, "/max_guests", "a whole number from 0 to 65535"),
        (r#"{"max_guests":-1}"#, "/max_guests", "a whole number from 0 to 65535"),
        (r#"{"max_guests":70000}"#, "/max_guests", "a whole number from 0 to 65535"),
        (r#"{"title":5}"#, "/title", "must be a string"),
        (r#"{"title":null}"#, "/title", "must be a string"),
        (r#"{"amenities":"wifi"}"#, "/amenities", "must be an array"),
        (r#"{"amenities":["wifi",7]}"#, "/amenities/1", "must be a string"),
        (r#"{"place":"here"}"#, "/place", "must be an object"),
        (r#"{"title":"\ud800"}"#, "/title", "valid Unicode"),
        (r#""text""#, "", "must be an object"),
        ("5", "", "must be an object"),
        ("null", "", "must be an object"),
    ] {
        refused(body, "invalid_field", pointer, detail).await;
    }
    let document = read_from(request("{\"title\":\"a\",\"price_per_night\":\"hunter2\"}")).await;
    assert!(!document.expect_err("a refusal").to_string().contains("hunter2"));
}

#[actix_web::test]
async fn nul_is_refused_wherever_it_stands() {
    for (body, pointer) in [
        (r#"{"title":"a\u0000b","price_per_night":1}"#, "/title"),
        (r#"{"title":"x","amenities":["a","\u0000"]}"#, "/amenities/1"),
        (r#"{"place":{"city":"\\\u0000"}}"#, "/place/city"),
        ("{\"a\\u0000\":1}", "/a\u{0}"),
        (r#""\u0000""#, ""),
    ] {
        refused(body, "invalid_field", pointer, "NUL").await;
    }
    let escaped = r#"{"title":"a\\u0000b","price_per_night":1}"#;
    let room = read_from(request(escaped)).await.expect("a backslash and five letters");
    assert_eq!(room.title, "a\\u0000b");
}

#[actix_web::test]
async fn bytes_that_are_no_utf8_are_refused() {
    let body = web::Bytes::from_static(b"{\"title\":\"\xff\",\"price_per_night\":1}");
    let document = read_from(request(body)).await.expect_err("a refusal");
    assert_eq!(document["errors"][0]["pointer"], json!("/title"), "{document}");
}
