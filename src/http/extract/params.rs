//! Query parameters: each is taken by its name, and what is left over is refused by its name.
//!
//! A misspelt filter must not answer with the unfiltered list, so a route ends with
//! [`Params::end`]; [`Page`] as an extractor does so for routes that take nothing else.

use super::wording;
use crate::http::cursor::{Cursor, ListId};
use crate::http::problem::{FieldError, Problem};
use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use domain::Night;
use sha2::{Digest, Sha256};
use std::fmt::Display;
use std::future::{Ready, ready};
use std::str::FromStr;
use uuid::Uuid;

/// The parameters that nobody has taken yet.
#[derive(Debug)]
pub struct Params {
    left: Vec<(String, String)>,
    list: ListId,
}

/// The parameters that say which part of a list, and not which list.
const OF_A_PAGE: [&str; 2] = ["cursor", "limit"];

impl Params {
    /// Reads the query of an address. A name that comes twice is refused, and so are NUL and bytes
    /// that are no UTF-8.
    pub fn parse(query: &str) -> Result<Self, Problem> {
        let mut pairs: Vec<(String, String)> = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let refused = |detail| Err(Problem::field(wording::pointer_to(name), detail));
            let (Some(name), Some(value)) = (decoded(name), decoded(value)) else {
                return refused("must be valid Unicode");
            };
            if pairs.iter().any(|(before, _)| *before == name) {
                return refused("must be sent once");
            }
            if value.contains('\0') {
                return refused("must not contain NUL");
            }
            pairs.push((name, value));
        }
        let mut which: Vec<_> =
            pairs.iter().filter(|(name, _)| !OF_A_PAGE.contains(&name.as_str())).collect();
        which.sort_unstable();
        let [a, b, c, d, e, f, g, h, ..]: [u8; 32] = Sha256::digest(format!("{which:?}")).into();
        Ok(Self { left: pairs, list: [a, b, c, d, e, f, g, h] })
    }

    /// What tells the list that these parameters ask for from others at the same address; `cursor`
    /// and `limit` make no difference.
    pub const fn list(&self) -> ListId {
        self.list
    }

    /// Takes the text of a parameter.
    pub fn text(&mut self, name: &str) -> Option<String> {
        let index = self.left.iter().position(|(present, _)| present == name)?;
        Some(self.left.swap_remove(index).1)
    }

    /// Takes a parameter and reads it; the type's own error follows the name in the refusal.
    pub fn take<T: FromStr<Err: Display>>(
        &mut self,
        name: &'static str,
    ) -> Result<Option<T>, Problem> {
        let Some(text) = self.text(name) else { return Ok(None) };
        match text.parse() {
            Ok(value) => Ok(Some(value)),
            Err(error) => Err(Problem::field(wording::pointer_to(name), error.to_string())),
        }
    }

    /// Takes an id, in the one form in which ids are written.
    pub fn id(&mut self, name: &'static str) -> Result<Option<Uuid>, Problem> {
        Ok(self.take::<Id>(name)?.map(|id| id.0))
    }

    /// Takes `limit` and `cursor`, which must be one of this very list.
    pub fn page(&mut self) -> Result<Page, Problem> {
        let cursor: Option<Cursor> = self.take("cursor")?;
        if cursor.is_some_and(|cursor| cursor.list != self.list) {
            let detail = "belongs to a list with other parameters: begin at its first page";
            return Err(Problem::field("/cursor", detail));
        }
        let limit = self.take::<Limit>("limit")?.map_or(Page::DEFAULT_LIMIT, |limit| limit.0);
        Ok(Page { limit, cursor })
    }

    /// Takes `from` and `to`.
    pub fn dates(&mut self) -> Result<Dates, Problem> {
        let dates = Dates { from: self.take("from")?, to: self.take("to")? };
        match (dates.from, dates.to) {
            (Some(from), Some(to)) if to <= from => {
                Err(Problem::field("/to", "must be after from"))
            }
            _ => Ok(dates),
        }
    }

    /// Refuses what is left.
    pub fn end(self) -> Result<(), Problem> {
        let unknown = |(name, _): &(String, String)| {
            FieldError::new(wording::pointer_to(name), "is not a known parameter")
        };
        let errors: Vec<_> = self.left.iter().map(unknown).collect();
        if errors.is_empty() { Ok(()) } else { Err(Problem::fields(errors)) }
    }
}

impl FromRequest for Params {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::parse(request.query_string()))
    }
}

/// The text behind the escapes of a query (WHATWG URL Standard, section 5.1); nothing where that is
/// no UTF-8. What begins like an escape and is none stands for itself.
fn decoded(text: &str) -> Option<String> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let escaped = match rest {
            [b'%', high, low, ..] => digit(*high).zip(digit(*low)),
            _ => None,
        };
        if let Some((high, low)) = escaped {
            bytes.push(high << 4 | low);
            rest = &rest[3..];
        } else {
            bytes.push(if *first == b'+' { b' ' } else { *first });
            rest = tail;
        }
    }
    String::from_utf8(bytes).ok()
}

/// Which part of a list: at most `limit` rows after the one that `cursor` names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// 1 to [`Page::MAX_LIMIT`].
    pub limit: usize,
    pub cursor: Option<Cursor>,
}

impl Page {
    pub const DEFAULT_LIMIT: usize = 20;
    pub const MAX_LIMIT: usize = 100;
}

impl FromRequest for Page {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Params::parse(request.query_string()).and_then(|mut params| {
            let page = params.page()?;
            params.end()?;
            Ok(page)
        }))
    }
}

/// A range of nights `[from, to)`, either end of which the route may have to supply. Where both
/// are given, `from` is before `to`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dates {
    pub from: Option<Night>,
    pub to: Option<Night>,
}

/// The id of something.
struct Id(Uuid);

impl FromStr for Id {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        let hyphenated = uuid::fmt::Hyphenated::LENGTH == text.len();
        let id = Uuid::try_parse(text).ok().filter(|_| hyphenated);
        id.map(Self).ok_or("must be an id, like 01920000-7000-8000-0000-00000000002a")
    }
}

/// The number of rows of a page.
struct Limit(usize);

impl FromStr for Limit {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        let limit = text.parse().ok().filter(|limit| (1..=Page::MAX_LIMIT).contains(limit));
        limit.map(Self).ok_or("must be a whole number from 1 to 100")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    async fn asked<T: FromRequest<Error = Problem>>(query: &str) -> Result<T, String> {
        let request = TestRequest::with_uri(&format!("/list?{query}")).to_http_request();
        T::extract(&request)
            .await
            .map_err(|problem| String::from_utf8_lossy(&problem.document()).into_owned())
    }

    #[actix_web::test]
    async fn a_page_has_20_rows_unless_asked_for_1_to_100() {
        let list = Params::parse("").expect("no parameters").list();
        let cursor = Cursor { key: 5, id: Uuid::from_u128(6), list };
        for (query, limit, expected) in [
            (String::new(), 20, None),
            ("limit=1".to_owned(), 1, None),
            (format!("cursor={cursor}&limit=100"), 100, Some(cursor)),
        ] {
            let page: Page = asked(&query).await.expect("a page");
            assert_eq!(page, Page { limit, cursor: expected }, "{query}");
        }
    }

    #[actix_web::test]
    async fn bad_parameters_are_refused_by_name() {
        for (query, pointer) in [
            ("limit=0", "/limit"),
            ("limit=101", "/limit"),
            ("limit=-1", "/limit"),
            ("limit=ten", "/limit"),
            ("limit=", "/limit"),
            ("limit=99999999999999999999", "/limit"),
            ("limit=5&limit=6", "/limit"),
            ("cursor=x", "/cursor"),
            ("cursor=%00", "/cursor"),
            ("cursor=%ff", "/cursor"),
            ("cursor=%c3&limit=5", "/cursor"),
            ("%ff=5", "/%ff"),
            ("limitt=5", "/limitt"),
        ] {
            let refusal = asked::<Page>(query).await.expect_err("a refusal");
            assert!(refusal.contains(&format!("\"pointer\":\"{pointer}\"")), "{query} {refusal}");
        }
    }

    #[actix_web::test]
    async fn a_cursor_is_good_for_the_list_that_gave_it_and_for_no_other() {
        let list = Params::parse("city=K%C3%B6ln&guests=2&limit=5").expect("parameters").list();
        let cursor = Cursor { key: 5, id: Uuid::from_u128(6), list };
        let page = |query: &str| {
            Params::parse(&format!("{query}&cursor={cursor}")).expect("parameters").page()
        };
        for query in ["guests=2&city=K%c3%b6ln", "city=K\u{f6}ln&guests=2&limit=7"] {
            assert_eq!(page(query).ok().and_then(|page| page.cursor), Some(cursor), "{query}");
        }
        for query in
            ["", "guests=2", "guests=3&city=K%C3%B6ln", "guests=2&city=K%C3%B6ln&sort=price"]
        {
            let refused = page(query).expect_err("another list").document();
            assert!(String::from_utf8_lossy(&refused).contains("\"/cursor\""), "{query}");
        }
    }

    #[actix_web::test]
    async fn a_text_is_what_stands_behind_its_escapes() {
        for (query, text) in [
            ("city=S%C3%A3o+Paulo", "S\u{e3}o Paulo"),
            ("c%69ty=%2B%26%3d", "+&="),
            ("&city=a=b&&", "a=b"),
            ("city=100%&", "100%"),
            ("city=%zz%4", "%zz%4"),
            ("city", ""),
        ] {
            let mut params: Params = asked(query).await.expect("parameters");
            assert_eq!(params.text("city").as_deref(), Some(text), "{query}");
            assert!(params.end().is_ok(), "{query}");
        }
    }

    #[actix_web::test]
    async fn dates_are_read_and_must_not_be_reversed() {
        let dates = |query: &str| Params::parse(query).and_then(|mut params| params.dates());
        let read = dates("from=2026-12-01&to=2027-01-01").expect("dates");
        assert_eq!(read.from.map(|night| night.to_string()).as_deref(), Some("2026-12-01"));
        assert_eq!(dates("").expect("no dates"), Dates { from: None, to: None });
        for (query, pointer) in [
            ("from=2026-12-02&to=2026-12-02", "/to"),
            ("from=2026-12-02&to=2026-12-01", "/to"),
            ("from=2026-02-30", "/from"),
            ("to=9999-12-31", "/to"),
            ("to=0001-01-01", "/to"),
            ("from=2026-12-01T00:00:00Z", "/from"),
        ] {
            let refusal = dates(query).expect_err("a refusal").document();
            let refusal = String::from_utf8_lossy(&refusal);
            assert!(refusal.contains(&format!("\"pointer\":\"{pointer}\"")), "{query} {refusal}");
        }
    }

    #[actix_web::test]
    async fn a_route_takes_what_it_knows_and_refuses_the_rest() {
        let mut params: Params = asked("as=host&after=42&status=").await.expect("parameters");
        assert_eq!(params.text("as").as_deref(), Some("host"));
        assert_eq!(params.take::<u64>("after").map_err(|_| ()), Ok(Some(42)));
        assert_eq!(params.take::<u64>("limit").map_err(|_| ()), Ok(None));
        assert!(params.end().is_err());
    }
}
