//! The OpenAPI document of the REST surface (OpenAPI 3.1), made from the handlers and their types.
//!
//! A handler says what is its own: its address, its parameters, what it takes and gives. What all
//! routes have in common (how one signs in, which problems may come, which headers there are) is
//! added here by rule, so that it is said everywhere and in the same words.

use super::problem::{Code, Problem};
use super::{
    accounts, bookings, calendar_edits, calendars, examples, export, live, payments, properties,
    quotes, reviews, rules, search, sessions, webhooks,
};
use actix_web::http::header;
use actix_web::{HttpResponse, web};
use serde_json::{Map, Value, json};
use std::sync::{Arc, LazyLock};
use utoipa::{IntoParams, OpenApi};
use utoipa_swagger_ui::Config;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Vacancy",
        description = "A real-time booking engine for short stays. Amounts are integers in minor \
            units beside a currency, dates are YYYY-MM-DD, instants RFC 3339 in UTC. Every answer \
            that is no success is a problem document (RFC 9457) with a stable code: see \
            /docs/errors. Every path answers without the prefix /api/v1 too.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
    ),
    servers((url = "/api/v1")),
    paths(
        accounts::change,
        accounts::change_own,
        accounts::delete,
        accounts::delete_own,
        accounts::list,
        accounts::read,
        accounts::read_own,
        accounts::register,
        bookings::accept,
        bookings::cancel,
        bookings::cancellation,
        bookings::decline,
        bookings::no_show,
        bookings::create,
        bookings::create_anywhere,
        bookings::list,
        bookings::read,
        bookings::update,
        calendars::events,
        calendar_edits::create,
        calendar_edits::delete,
        calendar_edits::edit,
        calendar_edits::list,
        calendars::read,
        live::stream,
        export::read,
        payments::create,
        payments::list,
        payments::read,
        payments::refund,
        properties::amenities,
        properties::archive,
        properties::create,
        properties::read,
        properties::update,
        rules::read,
        rules::update,
        quotes::create,
        quotes::read,
        reviews::change,
        reviews::create,
        reviews::delete,
        reviews::list,
        reviews::read,
        reviews::reply,
        search::list,
        sessions::forgot,
        sessions::login,
        sessions::logout,
        sessions::refresh,
        sessions::reset,
        sessions::verify,
        webhooks::stripe,
    ),
)]
struct Api;

/// Which part of a list.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it stands for parameters that are read one by one")]
pub(super) struct PageParams {
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<u8>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// The document as it is served: made once.
static DOCUMENT: LazyLock<String> =
    LazyLock::new(|| serde_json::to_string_pretty(&whole()).unwrap_or_default());

/// The document as JSON.
pub fn text() -> &'static str {
    DOCUMENT.as_str()
}

/// `GET /api/openapi.json`.
pub(super) async fn document() -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "application/json"))
        .insert_header((header::CACHE_CONTROL, "no-cache"))
        .body(text())
}

/// `GET /api/docs`: the document as a page to try things on. Everything it loads is ours.
pub(super) async fn page() -> HttpResponse {
    HttpResponse::Ok().content_type("text/html; charset=utf-8").body(PAGE)
}

const PAGE: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
     <meta name=\"viewport\" content=\"width=device-width\"><title>Vacancy's REST interface</title>\
     <link rel=\"stylesheet\" href=\"/api/docs/swagger-ui.css\">\
     <link rel=\"stylesheet\" href=\"/api/docs/index.css\">\
     <link rel=\"icon\" href=\"/api/docs/favicon-32x32.png\"><div id=\"swagger-ui\"></div>\
     <script src=\"/api/docs/swagger-ui-bundle.js\"></script>\
     <script src=\"/api/docs/swagger-ui-standalone-preset.js\"></script>\
     <script src=\"/api/docs/swagger-initializer.js\"></script></html>\n";

/// A file of that page.
pub(super) async fn file(path: web::Path<String>) -> Result<HttpResponse, Problem> {
    let config = Arc::new(Config::new(["/api/openapi.json"]).use_base_layout());
    match utoipa_swagger_ui::serve(&path, config) {
        Ok(Some(file)) => {
            Ok(HttpResponse::Ok().content_type(file.content_type).body(file.bytes.into_owned()))
        }
        Ok(None) => Err(Problem::new(Code::NotFound)),
        Err(error) => Err(Problem::internal(error)),
    }
}

/// Problems that any request may meet, with when.
const ALWAYS: [(&str, &str); 7] = [
    ("400", "The request cannot be read."),
    ("408", "The request did not arrive in time."),
    ("414", "The address is too long."),
    ("429", "Too many requests: Retry-After says when there is room again."),
    ("431", "The headers are too large."),
    ("500", "The server failed."),
    ("503", "Too busy, or the database does not answer: try again after Retry-After."),
];
const SIGNED: [(&str, &str); 2] =
    [("401", "No valid access token."), ("403", "The caller's role does not allow this.")];
const PROVING: [(&str, &str); 1] = [("401", "What should prove who asks does not.")];
const NAMED: [(&str, &str); 1] = [("404", "There is no such thing, or it is not the caller's.")];
const WITH_BODY: [(&str, &str); 3] = [
    ("413", "The body is too large."),
    ("415", "The body is not sent as application/json."),
    ("507", "The storage is full."),
];
const JUDGED: [(&str, &str); 1] =
    [("422", "A field, a parameter or a header is not valid: errors names it.")];
const MOVING: [(&str, &str); 1] = [("409", "The state of things does not allow this.")];
const ON_A_VERSION: [(&str, &str); 1] = [("412", "It is not in the version that If-Match names.")];

/// The document with what all operations have in common.
fn whole() -> Value {
    let mut document = serde_json::to_value(Api::openapi()).unwrap_or_default();
    document["components"]["securitySchemes"] =
        json!({"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}});
    document["components"]["schemas"]["Problem"] = problem();
    let mut edited = Vec::new();
    let paths = document["paths"].as_object_mut().into_iter().flatten();
    for (path, item) in paths {
        for (method, operation) in item.as_object_mut().into_iter().flatten() {
            if method == "put" {
                edited.extend(take_part(&mut operation["requestBody"]));
            }
            exemplify(operation);
            if let Value::Object(operation) = operation {
                complete(path, method, operation);
            }
        }
    }
    for name in edited {
        let schemas = &mut document["components"]["schemas"];
        let mut part = schemas[&name].clone();
        part.as_object_mut().and_then(|part| part.remove("required"));
        schemas[format!("{name}{PART}")] = part;
    }
    document
}

/// The name of a schema whose fields may all be absent.
const PART: &str = "Part";

/// `PUT` takes what `GET` gave, or a part of it: makes the body so, and gives the schema's name.
fn take_part(body: &mut Value) -> Option<String> {
    let schema = &mut body["content"]["application/json"]["schema"]["$ref"];
    let name = schema.as_str()?.rsplit('/').next()?.to_owned();
    *schema = Value::from(format!("#/components/schemas/{name}{PART}"));
    Some(name)
}

/// Shows the body that an operation takes, and what it answers where it is done.
fn exemplify(operation: &mut Value) {
    let name = operation["operationId"].as_str().unwrap_or_default().to_owned();
    if let Some(content) = operation.pointer_mut("/requestBody/content/application~1json") {
        show(content, examples::body);
    }
    for (status, answer) in operation["responses"].as_object_mut().into_iter().flatten() {
        if let Some(content) = answer.pointer_mut("/content/application~1json") {
            show(content, |schema| examples::answer(&name, status, schema));
        }
    }
}

/// Puts the example beside the schema of some content.
fn show(content: &mut Value, example: impl FnOnce(&str) -> Option<Value>) {
    let schema = content["schema"]["$ref"].as_str().and_then(|path| path.rsplit('/').next());
    if let Some(example) = schema.and_then(example) {
        content["example"] = example;
    }
}

/// Says of an operation what follows from its kind.
fn complete(path: &str, method: &str, operation: &mut Map<String, Value>) {
    let mut may = ALWAYS.to_vec();
    let asks = |place: &str| {
        let parameters = operation.get("parameters").and_then(Value::as_array);
        parameters.into_iter().flatten().any(|parameter| parameter["in"] == place)
    };
    let is_keyed =
        method == "post" && !["auth", "webhooks"].map(Value::from).contains(&operation["tags"][0]);
    let changes = matches!(method, "put" | "patch" | "delete") && !path.ends_with("{block}");
    if operation.contains_key("security") {
        may.extend(SIGNED);
    }
    if operation["tags"][0] == "auth" {
        may.extend(PROVING);
    }
    // Bodies and parameters name things as well, and the caller's own account may be gone.
    if path.contains('{') || operation.contains_key("security") {
        may.extend(NAMED);
    }
    if operation.contains_key("requestBody") {
        may.extend(WITH_BODY);
    }
    if method != "get" || asks("query") {
        may.extend(JUDGED);
    }
    if method != "get" {
        may.extend(MOVING);
    }
    if changes {
        may.extend(ON_A_VERSION);
    }
    for (status, description) in may {
        let answer = json!({
            "description": description,
            "content": {"application/problem+json": {
                "schema": {"$ref": "#/components/schemas/Problem"},
            }},
        });
        operation["responses"][status] = answer;
    }
    let mut header = |name: &str, description: &str| {
        let parameter = json!({
            "name": name, "in": "header", "required": false, "description": description,
            "schema": {"type": "string"},
        });
        let parameters = operation.entry("parameters").or_insert_with(|| json!([]));
        parameters.as_array_mut().into_iter().for_each(|all| all.push(parameter.clone()));
    };
    if is_keyed {
        header(
            "Idempotency-Key",
            "One key, one effect: sent again within 24 hours, the request \
            is answered as before.",
        );
    }
    if changes {
        header("If-Match", "The change is made on this version only.");
    }
}

/// The schema of problem documents.
fn problem() -> Value {
    let text = json!({"type": "string"});
    json!({
        "type": "object",
        "description": "Why a request was not done (RFC 9457).",
        "required": ["type", "title", "status", "detail", "code"],
        "properties": {
            "type": {"type": "string", "description": "The code's paragraph in our documents."},
            "title": text,
            "status": {"type": "integer"},
            "detail": text,
            "code": {"type": "string", "description": "Stable: clients may branch on it."},
            "errors": {"type": "array", "items": {
                "type": "object",
                "required": ["pointer", "detail"],
                "properties": {"pointer": text, "detail": text},
            }},
            "reasons": {"type": "array", "items": {"type": "object"}},
            "alternatives": {"type": "array", "items": {"type": "object"}},
            "pending": {"type": "array", "items": {
                "type": "object",
                "required": ["id", "expires_at"],
                "properties": {"id": text, "expires_at": text},
            }},
            "request_id": text,
        },
    })
}
