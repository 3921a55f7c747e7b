//! Lists: a page of what there is, the newest first.
//! Source: <https://docs.stripe.com/api/pagination>.

use super::call::Answer;
use super::form::Form;
use super::refusal::Refusal;
use crate::shelf::{Record, Shelf};
use serde_json::{Value, json};

/// What every list may be asked.
pub(super) const PARAMETERS: [&str; 5] =
    ["created", "ending_before", "expand", "limit", "starting_after"];

const MOST_ON_A_PAGE: i64 = 100;
const USUALLY_ON_A_PAGE: i64 = 10;

/// A page of those that are wanted, as they are shown.
pub(super) fn page<T: Record, const MOST: usize>(
    form: &Form,
    path: &str,
    shelf: &Shelf<T, MOST>,
    is_wanted: impl Fn(&T) -> bool,
    show: impl Fn(&T) -> Value,
) -> Answer {
    let limit = form.integer(&["limit"])?.unwrap_or(USUALLY_ON_A_PAGE);
    if !(1..=MOST_ON_A_PAGE).contains(&limit) {
        return Err(Refusal::parameter("", "limit", "A limit is from 1 to 100"));
    }
    let is_in_time = created(form)?;
    let after = cursor(form, shelf, "starting_after")?;
    let before = cursor(form, shelf, "ending_before")?;
    let is_before = |id: &str| before.is_none_or(|before| before != id);
    let mut wanted: Vec<_> = shelf
        .iter()
        .rev()
        .skip_while(|record| after.is_some_and(|after| after != record.id()))
        .skip(usize::from(after.is_some()))
        .take_while(|record| is_before(record.id()))
        .filter(|record| is_in_time(record.created()) && is_wanted(record))
        .collect();
    let limit = usize::try_from(limit).unwrap_or_default();
    let has_more = wanted.len() > limit;
    // The page before an element is the one that ends there.
    let from = if before.is_some() { wanted.len().saturating_sub(limit) } else { 0 };
    let data: Vec<_> = wanted.drain(from..).take(limit).map(show).collect();
    Ok(json!({ "object": "list", "data": data, "has_more": has_more, "url": path }))
}

fn cursor<'a, T: Record, const MOST: usize>(
    form: &'a Form,
    shelf: &Shelf<T, MOST>,
    name: &str,
) -> Result<Option<&'a str>, Refusal> {
    match form.text(name) {
        Some(id) if shelf.get(id).is_none() => {
            let refusal =
                Refusal::parameter("resource_missing", name, &format!("No such id: {id}"));
            Err(refusal)
        }
        cursor => Ok(cursor),
    }
}

/// Whether a time in Unix seconds is one that `created` or `created[gte]` and the like allow.
fn created(form: &Form) -> Result<impl Fn(i64) -> bool + use<>, Refusal> {
    let bound = |name| form.integer(&["created", name]);
    let (gt, gte, lt, lte) = (bound("gt")?, bound("gte")?, bound("lt")?, bound("lte")?);
    let exact = form.integer(&["created"])?;
    Ok(move |at: i64| {
        gt.is_none_or(|bound| at > bound)
            && gte.is_none_or(|bound| at >= bound)
            && lt.is_none_or(|bound| at < bound)
            && lte.is_none_or(|bound| at <= bound)
            && exact.is_none_or(|exact| at == exact)
    })
}
