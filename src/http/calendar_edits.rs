//! `PATCH /properties/{id}/calendar` and `/properties/{id}/blocks`: prices, restrictions and blocks
//! of single nights.

use super::calendars::Range;
use super::extract::{BlockPath, Body, IdempotencyKey, Params, PropertyPath, Signed};
use super::headers::ETag;
use super::problem::{Code, FieldError, Problem};
use crate::auth::Caller;
use crate::engine::{EditedCalendar, Engine, Error};
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use domain::block::{Block, Reason};
use domain::edit::{CalendarEdit, Set, TermsEdit};
use domain::refusal::Refusal;
use domain::{BlockId, Night, PropertyId, Stay};
use serde::{Deserialize, Deserializer, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use utoipa::ToSchema;
use uuid::Uuid;

/// Edits of single nights: all of them or none, as one event.
#[derive(Deserialize, ToSchema)]
#[schema(as = CalendarEdit)]
#[serde(deny_unknown_fields)]
pub(super) struct Input {
    /// Later entries lie over earlier ones.
    #[serde(default)]
    terms: Vec<TermsInput>,
    #[serde(default)]
    blocks: Vec<BlockInput>,
    /// The ids of blocks that end.
    #[serde(default)]
    unblock: Vec<Uuid>,
    /// What becomes of blocks over bookings: they are refused, or go around.
    #[serde(default)]
    mode: Mode,
}

#[derive(Clone, Copy, Default, Deserialize, ToSchema)]
#[schema(as = BlockMode)]
#[serde(rename_all = "snake_case")]
enum Mode {
    #[default]
    Refuse,
    Around,
}

/// Terms for the nights `[from, to)`, or for some weekdays of them. Null takes a date's own term
/// away, so that the rules hold again; what is absent stays as it is.
#[derive(Deserialize, ToSchema)]
#[schema(as = TermsEdit)]
#[serde(deny_unknown_fields)]
struct TermsInput {
    #[schema(format = Date)]
    from: String,
    #[schema(format = Date)]
    to: String,
    weekdays: Option<Vec<Weekday>>,
    #[serde(default, deserialize_with = "sent")]
    #[schema(value_type = Option<i64>, required = false)]
    price: Option<Option<i64>>,
    #[serde(default, deserialize_with = "sent")]
    #[schema(value_type = Option<u16>, required = false)]
    min_nights: Option<Option<u16>>,
    #[serde(default, deserialize_with = "sent")]
    #[schema(value_type = Option<u16>, required = false)]
    max_nights: Option<Option<u16>>,
    #[serde(default, deserialize_with = "sent")]
    #[schema(value_type = Option<bool>, required = false)]
    closed_to_arrival: Option<Option<bool>>,
    #[serde(default, deserialize_with = "sent")]
    #[schema(value_type = Option<bool>, required = false)]
    closed_to_departure: Option<Option<bool>>,
}

#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Weekday {
    Mon,
    Tue,
    Wed,
    Thu,
    Fri,
    Sat,
    Sun,
}

/// Nights `[from, to)` that nobody can book.
#[derive(Deserialize, ToSchema)]
#[schema(as = NewBlock)]
#[serde(deny_unknown_fields)]
pub(super) struct BlockInput {
    #[schema(format = Date)]
    from: String,
    #[schema(format = Date)]
    to: String,
    /// owner, maintenance, preparation, external or other.
    reason: String,
    /// For the host's eyes only.
    note: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Block)]
struct BlockView {
    id: Uuid,
    #[schema(format = Date)]
    from: String,
    #[schema(format = Date)]
    to: String,
    reason: &'static str,
    note: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Blocks)]
struct List {
    data: Vec<BlockView>,
}

/// What an edit did, or would do.
#[derive(Serialize, ToSchema)]
#[schema(as = EditedCalendar)]
struct View<'a> {
    property: Uuid,
    epoch: &'a str,
    seq: i64,
    /// Whether this only says what would change.
    dry_run: bool,
    changes: Vec<Range>,
    digests: BTreeMap<String, String>,
    /// The blocks that were made: with the mode `around`, the pieces between bookings.
    blocked: Vec<BlockView>,
    unblocked: Vec<Uuid>,
}

/// Absent, null and a value are three things.
fn sent<'de, D, T>(reader: D) -> Result<Option<Option<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::deserialize(reader).map(Some)
}

/// Edits prices, restrictions and blocks of any nights within 730 days. With `dry_run=true` it only
/// says what would change.
#[utoipa::path(
    patch, path = "/properties/{id}/calendar", operation_id = "edit_calendar", tag = "calendars",
    security(("bearer" = [])),
    params(
        ("id" = Uuid, Path),
        ("dry_run" = Option<bool>, Query, description = "Change nothing."),
    ),
    request_body = Input,
    responses((status = 200, description = "What changed, or would.", body = View)),
)]
pub(super) async fn edit(
    engine: web::Data<Engine>,
    Signed(caller): Signed,
    PropertyPath(id): PropertyPath,
    request: HttpRequest,
    mut params: Params,
    Body(input): Body<Input>,
) -> Result<HttpResponse, Problem> {
    let dry_run = params.take("dry_run")?.unwrap_or(false);
    params.end()?;
    let mut edit = input.read(|| BlockId(engine.ids.fresh()))?;
    if request.headers().contains_key(header::IF_MATCH) {
        let seen = engine.calendar(Some(&caller), id).await?;
        let seq = seen.snapshot.head.seq;
        ETag::of(&seen.epoch, seq).require_match(request.headers())?;
        edit.seen = Some(seq);
    }
    let edited = engine.edit_calendar(&caller, id, edit, dry_run).await?;
    let EditedCalendar { epoch, seq, edited, notes, public } = &edited;
    let note = |block: &Block| {
        let noted = notes.iter().find(|(id, _)| *id == block.id);
        noted.map(|(_, note)| note.clone())
    };
    let view = View {
        property: id.0,
        epoch,
        seq: *seq,
        dry_run,
        changes: Range::all(&public.changes, &public.offers),
        digests: public.digests.iter().map(|(m, d)| (m.to_string(), d.to_string())).collect(),
        blocked: edited.blocked.iter().map(|block| BlockView::of(block, note(block))).collect(),
        unblocked: edited.unblocked.iter().map(|id| id.0).collect(),
    };
    let tag = ETag::of(epoch, seq).header()?;
    Ok(HttpResponse::Ok().insert_header((header::ETAG, tag)).json(view))
}

/// The blocks that hold a night from today on, or from another date on, for the host.
#[utoipa::path(
    get, path = "/properties/{id}/blocks", operation_id = "list_blocks", tag = "calendars",
    security(("bearer" = [])),
    params(
        ("id" = Uuid, Path),
        ("from" = Option<String>, Query, format = Date, description = "1970-01-01 if absent."),
    ),
    responses((status = 200, description = "The blocks, at most 1000.", body = List)),
)]
pub(super) async fn list(
    engine: web::Data<Engine>,
    Signed(caller): Signed,
    PropertyPath(id): PropertyPath,
    mut params: Params,
) -> Result<HttpResponse, Problem> {
    let from = params.take("from")?.unwrap_or(Night::MIN);
    params.end()?;
    let blocks = engine.blocks(&caller, id, from).await?;
    let data = blocks.into_iter().map(|(block, note)| BlockView::of(&block, note)).collect();
    Ok(HttpResponse::Ok().json(List { data }))
}

/// Blocks nights. Over bookings this is refused.
#[utoipa::path(
    post, path = "/properties/{id}/blocks", operation_id = "create_block", tag = "calendars",
    security(("bearer" = [])), params(("id" = Uuid, Path)), request_body = BlockInput,
    responses((status = 201, description = "The block.", body = BlockView)),
)]
pub(super) async fn create(
    engine: web::Data<Engine>,
    Signed(caller): Signed,
    PropertyPath(property): PropertyPath,
    IdempotencyKey(key): IdempotencyKey,
    Body(input): Body<BlockInput>,
) -> Result<HttpResponse, Problem> {
    // A repeated request names the block that it made before, which is there once.
    let id = key.map_or_else(|| engine.ids.fresh(), |key| id_of(&caller, property, &key));
    let block = input.read("", BlockId(id)).map_err(Problem::fields)?;
    let edit = CalendarEdit { blocks: vec![block.clone()], ..CalendarEdit::default() };
    let is_replayed = match engine.edit_calendar(&caller, property, edit, false).await {
        Ok(_) => false,
        Err(Error::Refused(Refusal::KnownBlock(known))) => {
            if !engine.blocks(&caller, property, Night::MIN).await?.contains(&block) {
                return Err(Refusal::KnownBlock(known).into());
            }
            true
        }
        Err(error) => return Err(error.into()),
    };
    let location = format!("/api/v1/properties/{property}/blocks/{id}");
    let mut response = HttpResponse::Created()
        .insert_header((header::LOCATION, location))
        .json(BlockView::of(&block.0, block.1));
    super::mark_replayed(&mut response, is_replayed);
    Ok(response)
}

/// Ends a block. A night is open again when the last block over it has ended.
#[utoipa::path(
    delete, path = "/properties/{id}/blocks/{block}", operation_id = "delete_block",
    tag = "calendars", security(("bearer" = [])),
    params(("id" = Uuid, Path), ("block" = Uuid, Path)),
    responses((status = 204, description = "It has ended.")),
)]
pub(super) async fn delete(
    engine: web::Data<Engine>,
    Signed(caller): Signed,
    PropertyPath(property): PropertyPath,
    BlockPath(block): BlockPath,
) -> Result<HttpResponse, Problem> {
    let edit = CalendarEdit { unblock: vec![block], ..CalendarEdit::default() };
    match engine.edit_calendar(&caller, property, edit, false).await {
        Ok(_) => Ok(HttpResponse::NoContent().finish()),
        Err(Error::Refused(Refusal::UnknownBlock(_))) => Err(Problem::new(Code::NotFound)),
        Err(error) => Err(error.into()),
    }
}

/// The id of the block that a caller makes under a key.
fn id_of(caller: &Caller, property: PropertyId, key: &str) -> Uuid {
    let hash = Sha256::digest(format!("block {} {property} {key}", caller.id).as_bytes());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash[..16]);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

impl BlockView {
    fn of(block: &Block, note: Option<String>) -> Self {
        Self {
            id: block.id.0,
            from: block.nights.check_in().to_string(),
            to: block.nights.check_out().to_string(),
            reason: block.reason.name(),
            note,
        }
    }
}

impl Input {
    /// The edit that the body says; names every field that cannot be read.
    fn read(self, fresh: impl Fn() -> BlockId) -> Result<CalendarEdit, Problem> {
        let mut errors = Vec::new();
        let mut edit = CalendarEdit {
            unblock: self.unblock.into_iter().map(BlockId).collect(),
            around: matches!(self.mode, Mode::Around),
            ..CalendarEdit::default()
        };
        for (at, terms) in self.terms.into_iter().enumerate() {
            match terms.read(&format!("/terms/{at}")) {
                Ok(terms) => edit.terms.push(terms),
                Err(wrong) => errors.extend(wrong),
            }
        }
        for (at, block) in self.blocks.into_iter().enumerate() {
            match block.read(&format!("/blocks/{at}"), fresh()) {
                Ok(block) => edit.blocks.push(block),
                Err(wrong) => errors.extend(wrong),
            }
        }
        if errors.is_empty() { Ok(edit) } else { Err(Problem::fields(errors)) }
    }
}

impl TermsInput {
    fn read(self, at: &str) -> Result<TermsEdit, Vec<FieldError>> {
        fn set<T>(sent: Option<Option<T>>) -> Set<T> {
            match sent {
                None => Set::Keep,
                Some(None) => Set::Clear,
                Some(Some(value)) => Set::To(value),
            }
        }
        let weekdays = self.weekdays.map_or([true; 7], |named| {
            let mut weekdays = [false; 7];
            for day in named {
                weekdays[day as usize] = true;
            }
            weekdays
        });
        Ok(TermsEdit {
            nights: nights(&self.from, &self.to, at)?,
            weekdays,
            price: set(self.price),
            min_nights: set(self.min_nights),
            max_nights: set(self.max_nights),
            closed_to_arrival: set(self.closed_to_arrival),
            closed_to_departure: set(self.closed_to_departure),
        })
    }
}

impl BlockInput {
    fn read(self, at: &str, id: BlockId) -> Result<(Block, Option<String>), Vec<FieldError>> {
        let reason = self
            .reason
            .parse::<Reason>()
            .map_err(|unknown| vec![FieldError::new(format!("{at}/reason"), unknown.to_string())]);
        match (nights(&self.from, &self.to, at), reason) {
            (Ok(nights), Ok(reason)) => Ok((Block { id, nights, reason }, self.note)),
            (nights, reason) => {
                Err(nights.err().into_iter().chain(reason.err()).flatten().collect())
            }
        }
    }
}

/// Reads `[from, to)`, below a pointer.
fn nights(from: &str, to: &str, at: &str) -> Result<Stay, Vec<FieldError>> {
    let mut errors = Vec::new();
    let mut date = |name: &str, text: &str| {
        let date = text.parse::<Night>();
        date.map_err(|why| errors.push(FieldError::new(format!("{at}/{name}"), why.to_string())))
            .ok()
    };
    let (from, to) = (date("from", from), date("to", to));
    match from.zip(to).map(|(from, to)| Stay::new(from, to)) {
        Some(Ok(nights)) => Ok(nights),
        Some(Err(_)) => {
            Err(vec![FieldError::new(format!("{at}/to"), "must be 1 to 730 days after from")])
        }
        None => Err(errors),
    }
}
