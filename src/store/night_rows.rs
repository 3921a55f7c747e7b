//! What single dates say and which nights are blocked: the rows of both databases, and what the
//! commit writes of them. Hosts edit calendars seldom, so neither database's usual statements carry
//! these parts.

use super::commit::Rows;
use super::commit_postgres::{Statement, column, place};
use super::commit_sqlite::{hex, send};
use super::{Store, StoreError, read};
use domain::block::{Block, Blocks};
use domain::group::CalendarRows;
use domain::rules::{Overrides, Terms};
use domain::{BlockId, Night, PropertyId, Stay};
use serde::Serialize;
use sqlx::FromRow;
use sqlx::sqlite::SqliteConnection;
use uuid::Uuid;

pub(super) const TERMS: &str = "select * from night_terms where property_id = $1 order by night";

pub(super) const BLOCKS: &str = "select * from block where property_id = $1 order by block_id";

/// What one date says of its own.
#[derive(Clone, Debug, FromRow)]
pub(super) struct TermsRow {
    night: i32,
    price: Option<i64>,
    min_nights: Option<i32>,
    max_nights: Option<i32>,
    closed_to_arrival: Option<bool>,
    closed_to_departure: Option<bool>,
}

/// A block, with the note that only its host sees.
#[derive(Clone, Debug, FromRow)]
pub(super) struct BlockRow {
    block_id: Uuid,
    from_night: i32,
    to_night: i32,
    reason: String,
    note: Option<String>,
}

const BLOCKS_FROM: &str = "select * from block where property_id = $1 and to_night > $2 \
     order by from_night, block_id";

impl Store {
    /// The blocks of a property that hold a night from this one on, each with its note.
    pub async fn blocks(
        &self,
        property: PropertyId,
        from: Night,
    ) -> Result<Vec<(Block, Option<String>)>, StoreError> {
        let store = self.clone();
        self.spawn(async move {
            let rows: Vec<BlockRow> = read!(store, |on| {
                let rows = sqlx::query_as(BLOCKS_FROM).bind(property.0).bind(from.days());
                rows.fetch_all(on).await?
            });
            rows.into_iter().map(|row| Ok((row.block()?, row.note))).collect()
        })
        .await
    }
}

/// The overrides of a property from its rows.
pub(super) fn overrides(rows: Vec<TermsRow>) -> Result<Overrides, StoreError> {
    rows.into_iter().map(TermsRow::terms).collect()
}

/// The blocks of a property from its rows.
pub(super) fn blocks(rows: &[BlockRow]) -> Result<Blocks, StoreError> {
    rows.iter().map(|row| row.block().map(|block| (block.id, block))).collect()
}

impl TermsRow {
    fn terms(self) -> Result<(Night, Terms), StoreError> {
        const CORRUPT: StoreError = StoreError::Corrupt("night_terms");
        let length = |nights: Option<i32>| {
            nights.map(|nights| u16::try_from(nights).map_err(|_| CORRUPT)).transpose()
        };
        let terms = Terms {
            price: self.price,
            min_nights: length(self.min_nights)?,
            max_nights: length(self.max_nights)?,
            closed_to_arrival: self.closed_to_arrival,
            closed_to_departure: self.closed_to_departure,
        };
        Ok((Night::from_days(self.night).ok_or(CORRUPT)?, terms))
    }
}

impl BlockRow {
    pub(super) fn block(&self) -> Result<Block, StoreError> {
        const CORRUPT: StoreError = StoreError::Corrupt("block");
        let night = |days| Night::from_days(days).ok_or(CORRUPT);
        Ok(Block {
            id: BlockId(self.block_id),
            nights: Stay::new(night(self.from_night)?, night(self.to_night)?)
                .map_err(|_| CORRUPT)?,
            reason: self.reason.parse().map_err(|_| CORRUPT)?,
        })
    }
}

/// The part of PostgreSQL's statement; its numbers follow those of the parts before it.
macro_rules! nights_edited {
    () => {
        ", silenced as (
    delete from night_terms as terms
    using unnest($112::int[], $113::int[]) as row (run, night)
    where (select runs from gate)[row.run] and terms.property_id = ($1::uuid[])[row.run]
        and terms.night = row.night
), said as (
    insert into night_terms (property_id, night, price, min_nights, max_nights,
        closed_to_arrival, closed_to_departure)
    select ($1::uuid[])[row.run], row.night, row.price, row.min_nights, row.max_nights,
        row.closed_to_arrival, row.closed_to_departure
    from unnest($114::int[], $115::int[], $116::bigint[], $117::int[], $118::int[],
        $119::boolean[], $120::boolean[])
        as row (run, night, price, min_nights, max_nights, closed_to_arrival, closed_to_departure)
    where (select runs from gate)[row.run]
    on conflict (property_id, night) do update
    set price = excluded.price, min_nights = excluded.min_nights,
        max_nights = excluded.max_nights, closed_to_arrival = excluded.closed_to_arrival,
        closed_to_departure = excluded.closed_to_departure
), unblocked as (
    delete from block
    using unnest($121::int[], $122::uuid[]) as row (run, block_id)
    where (select runs from gate)[row.run] and block.property_id = ($1::uuid[])[row.run]
        and block.block_id = row.block_id
), blocked as (
    insert into block (property_id, block_id, from_night, to_night, reason, note)
    select ($1::uuid[])[row.run], row.block_id, row.from_night, row.to_night, row.reason, row.note
    from unnest($123::int[], $124::uuid[], $125::int[], $126::int[], $127::text[], $128::text[])
        as row (run, block_id, from_night, to_night, reason, note)
    where (select runs from gate)[row.run]
)"
    };
}

pub(super) use nights_edited;

/// The rows of a batch's edits, each with the place of its run.
struct Nights<'a> {
    silenced: Vec<(usize, Night)>,
    said: Vec<(usize, Night, Terms)>,
    unblocked: Vec<(usize, BlockId)>,
    blocked: Vec<(usize, Block, Option<&'a str>)>,
}

impl<'a> Nights<'a> {
    fn of(rows: &Rows<'a>) -> Self {
        let mut nights = Self {
            silenced: Vec::new(),
            said: Vec::new(),
            unblocked: Vec::new(),
            blocked: Vec::new(),
        };
        for (run, CalendarRows { edited, notes }) in &rows.nights {
            for (night, terms) in &edited.terms {
                if terms.is_empty() {
                    nights.silenced.push((*run, *night));
                } else {
                    nights.said.push((*run, *night, *terms));
                }
            }
            nights.unblocked.extend(edited.unblocked.iter().map(|id| (*run, *id)));
            nights.blocked.extend(edited.blocked.iter().map(|block| {
                let note = notes.iter().find(|(id, _)| *id == block.id);
                (*run, *block, note.map(|(_, note)| note.as_str()))
            }));
        }
        nights
    }
}

/// Binds the values of [`nights_edited`].
pub(super) fn bind<'q>(statement: Statement<'q>, rows: &Rows<'_>) -> Statement<'q> {
    let Nights { silenced, said, unblocked, blocked } = Nights::of(rows);
    statement
        .bind(column(&silenced, |(run, _)| place(*run)))
        .bind(column(&silenced, |(_, night)| night.days()))
        .bind(column(&said, |(run, ..)| place(*run)))
        .bind(column(&said, |(_, night, _)| night.days()))
        .bind(column(&said, |(.., terms)| terms.price))
        .bind(column(&said, |(.., terms)| terms.min_nights.map(i32::from)))
        .bind(column(&said, |(.., terms)| terms.max_nights.map(i32::from)))
        .bind(column(&said, |(.., terms)| terms.closed_to_arrival))
        .bind(column(&said, |(.., terms)| terms.closed_to_departure))
        .bind(column(&unblocked, |(run, _)| place(*run)))
        .bind(column(&unblocked, |(_, id)| id.0))
        .bind(column(&blocked, |(run, ..)| place(*run)))
        .bind(column(&blocked, |(_, block, _)| block.id.0))
        .bind(column(&blocked, |(_, block, _)| block.nights.check_in().days()))
        .bind(column(&blocked, |(_, block, _)| block.nights.check_out().days()))
        .bind(column(&blocked, |(_, block, _)| block.reason.name()))
        .bind(column(&blocked, |(.., note)| note.map(str::to_owned)))
}

const SILENCED: &str = "with row as materialized (select value from json_each($1)) \
     delete from night_terms where (property_id, night) in \
     (select unhex(value ->> 0), value ->> 1 from row)";

const SAID: &str = "with row as materialized (select value from json_each($1)) \
     insert or replace into night_terms (property_id, night, price, min_nights, max_nights, \
     closed_to_arrival, closed_to_departure) \
     select unhex(value ->> 0), value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, \
     value ->> 6 from row";

const UNBLOCKED: &str = "with row as materialized (select value from json_each($1)) \
     delete from block where (property_id, block_id) in \
     (select unhex(value ->> 0), unhex(value ->> 1) from row)";

const BLOCKED: &str = "with row as materialized (select value from json_each($1)) \
     insert into block (property_id, block_id, from_night, to_night, reason, note) \
     select unhex(value ->> 0), unhex(value ->> 1), value ->> 2, value ->> 3, value ->> 4, \
     value ->> 5 from row";

/// The columns of `night_terms` in the order of the statement.
#[derive(Serialize)]
struct TermsJson(String, i32, Option<i64>, Option<u16>, Option<u16>, Option<bool>, Option<bool>);

/// Writes the edits of a batch.
pub(super) async fn write_sqlite(
    on: &mut SqliteConnection,
    rows: &Rows<'_>,
) -> Result<(), sqlx::Error> {
    let Nights { silenced, said, unblocked, blocked } = Nights::of(rows);
    let property = |run: usize| hex(rows.runs[run].property.0);
    let silenced: Vec<_> =
        silenced.iter().map(|(run, night)| (property(*run), night.days())).collect();
    send(on, SILENCED, &silenced).await?;
    let said = said.iter().map(|(run, night, terms)| {
        TermsJson(
            property(*run),
            night.days(),
            terms.price,
            terms.min_nights,
            terms.max_nights,
            terms.closed_to_arrival,
            terms.closed_to_departure,
        )
    });
    send(on, SAID, &said.collect::<Vec<_>>()).await?;
    let unblocked: Vec<_> = unblocked.iter().map(|(run, id)| (property(*run), hex(id.0))).collect();
    send(on, UNBLOCKED, &unblocked).await?;
    let blocked = blocked.iter().map(|(run, block, note)| {
        let (from, to) = (block.nights.check_in().days(), block.nights.check_out().days());
        (property(*run), hex(block.id.0), from, to, block.reason.name(), note)
    });
    send(on, BLOCKED, &blocked.collect::<Vec<_>>()).await
}
