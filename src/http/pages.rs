//! The booking site and the widget's files. Files are embedded in the binary; their names carry no
//! hash, so browsers ask each time and mostly hear 304.

use super::headers::ETag;
use super::problem::{CODES, Code, Problem};
use crate::demo;
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;

#[derive(rust_embed::Embed)]
#[folder = "widget/"]
#[include = "*.js"]
#[include = "demo/*"]
#[exclude = "test/*"]
struct Files;

#[derive(Serialize)]
struct DemoAccounts {
    guest: DemoAccount,
    host: DemoAccount,
}

#[derive(Serialize)]
struct DemoAccount {
    email: &'static str,
    password: &'static str,
}

/// The pages of the site: `/`, `/stay/{id}`, `/trips` and `/host`. They are one document, whose
/// script reads the address, so that who is signed in stays so from page to page with tokens that
/// only the page's memory holds.
pub(super) async fn site(request: HttpRequest) -> Result<HttpResponse, Problem> {
    file(&request, "demo/index.html")
}

pub(super) async fn widget(
    request: HttpRequest,
    path: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let mut response = file(&request, &path)?;
    // Module scripts are fetched with CORS, and the widget is made for other people's pages.
    let any = header::HeaderValue::from_static("*");
    response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, any);
    Ok(response)
}

pub(super) async fn demo_accounts() -> HttpResponse {
    let known = |account: demo::DemoAccount| DemoAccount {
        email: account.email,
        password: account.password,
    };
    HttpResponse::Ok().json(DemoAccounts { guest: known(demo::GUEST), host: known(demo::HOST) })
}

/// The page that the `type` of every problem points to.
pub(super) async fn errors() -> HttpResponse {
    let mut page = String::from(ERRORS_HEAD);
    for code in CODES {
        let (name, status) = (code.name, code.status.as_u16());
        let (title, meaning) = (code.title, code.meaning);
        page += &format!("<dt id=\"{name}\"><code>{name}</code> {status} {title}</dt>");
        page += &format!("<dd>{meaning}</dd>\n");
    }
    page += "</dl></main></html>\n";
    HttpResponse::Ok().content_type("text/html; charset=utf-8").body(page)
}

/// The texts of the table are our own and hold no markup.
const ERRORS_HEAD: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
     <meta name=\"viewport\" content=\"width=device-width\"><title>Errors of Vacancy</title>\
     <link rel=\"stylesheet\" href=\"/widget/demo/errors.css\">\
     <main><h1>Errors</h1><p>Every problem document has one of these codes.</p><dl>\n";

fn file(request: &HttpRequest, path: &str) -> Result<HttpResponse, Problem> {
    let file = Files::get(path).ok_or_else(|| Problem::new(Code::NotFound))?;
    let hash: String =
        file.metadata.sha256_hash()[..8].iter().map(|byte| format!("{byte:02x}")).collect();
    let etag = ETag::of("file", hash);
    let mut response = if etag.is_known_to(request.headers()) {
        HttpResponse::NotModified()
    } else {
        HttpResponse::Ok()
    };
    response
        .insert_header((header::ETAG, etag.header()?))
        .insert_header((header::CACHE_CONTROL, "no-cache"));
    if etag.is_known_to(request.headers()) {
        return Ok(response.finish());
    }
    let kind = file.metadata.mimetype();
    let kind =
        if kind.starts_with("text/") { format!("{kind}; charset=utf-8") } else { kind.to_owned() };
    let body = if path.ends_with(".js") { without_comments(&file.data) } else { file.data.into() };
    Ok(response.insert_header((header::CONTENT_TYPE, kind)).body(body))
}

/// A module without the lines that are comments: people read the source, browsers only carry it.
/// Empty lines stay in their place, so that what a browser says of a line is true of the source.
fn without_comments(module: &[u8]) -> Vec<u8> {
    let mut inside = false;
    let lines = module.split(|byte| *byte == b'\n').map(|line| {
        let text = line.trim_ascii();
        let end = text.windows(2).position(|two| two == b"*/").map(|at| at + 2);
        // One that ends before its line does has code behind it, and stays as it is.
        let begins = text.starts_with(b"/*") && end.is_none_or(|end| end == text.len());
        let is_comment = inside || begins || text.starts_with(b"//");
        inside = (inside || begins) && end.is_none();
        if is_comment { &[] } else { line }
    });
    lines.collect::<Vec<_>>().join(&b'\n')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_travels_without_its_comments_and_keeps_its_lines() {
        let source = "// Why.\nlet url = \"http://x\"; // here\n\n/** What,\n * and\n */\n\
                      const CSS = `\n* { margin: 0; }\n  /* not a star */\n`;\n/* in */ go();\n";
        let carried = "\nlet url = \"http://x\"; // here\n\n\n\n\n\
                       const CSS = `\n* { margin: 0; }\n\n`;\n/* in */ go();\n";
        assert_eq!(without_comments(source.as_bytes()), carried.as_bytes());
    }
}
