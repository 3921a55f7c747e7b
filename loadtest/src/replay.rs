//! The recorded demand, replayed: a hundred properties, each with one guest who sends its rows in
//! the order in which they were made, pays what is accepted, and cancels what was canceled before
//! the next row was made. A correct server gives the same three figures every time.

use std::sync::Arc;
use std::time::Duration;

use jiff::ToSpan;
use jiff::civil::Date;

use crate::clock::today;
use crate::crew::share;
use crate::demand::{EXPECTED, PROPERTIES, Row, by_property};
use crate::failure::Failure;
use crate::guest::{Guest, Property};
use crate::history::{Answer, Attempt, History};
use crate::progress::Progress;
use crate::report::{Context, Report, Window};
use crate::stage::{Stage, read_lists};
use crate::target::Target;

/// Options of the replay.
#[derive(Debug, Clone)]
pub struct Replay {
    /// How many of the hundred properties are served at a time.
    pub concurrency: usize,
    /// The day of the earliest arrival; the day after tomorrow when absent. To be given when the
    /// server's clock is not the wall's.
    pub first_arrival: Option<Date>,
    /// How long one request is repeated when the server is overloaded or cannot be reached.
    pub patience: Duration,
}

impl Default for Replay {
    fn default() -> Self {
        Self { concurrency: 16, first_arrival: None, patience: Duration::from_secs(30) }
    }
}

/// An accepted row that will be canceled: its attempt's number, and when.
struct Doomed {
    attempt: usize,
    canceled_on: Date,
}

/// Replays the demand against the targets and judges what they answered.
pub(crate) async fn run(
    targets: &[Target],
    options: &Replay,
    progress: &Progress,
) -> Result<Report, Failure> {
    let first_arrival = options.first_arrival.unwrap_or_else(|| today().saturating_add(2.days()));
    let stage = Stage::new(targets, options.patience)?;
    progress.step("creating a hundred properties");
    let properties = stage.properties(PROPERTIES as u32).await?;
    let ids = properties.iter().map(|property| property.id).collect();
    let demand = by_property(first_arrival);
    progress.begin(demand.iter().map(Vec::len).sum::<usize>() as u64);
    let begin = stage.clock.now();
    let work = {
        let (stage, progress) = (Arc::clone(&stage), progress.clone());
        move |(property, rows): (Property, Vec<Row>)| {
            let (stage, progress) = (Arc::clone(&stage), progress.clone());
            async move {
                let mut guest = stage.guest(property.number).await?;
                let attempts = replay_rows(&mut guest, &property, &rows, &progress).await;
                Ok((guest, attempts))
            }
        }
    };
    let items = properties.into_iter().zip(demand).collect();
    let (guests, attempts): (Vec<_>, Vec<_>) =
        share(items, options.concurrency, work).await?.into_iter().unzip();
    let window = Window { from: begin, to: stage.clock.now() };
    let context =
        Context { scenario: "replay", expected: Some(EXPECTED), ..Context::new(&stage, &guests) };
    progress.step("reading the guests' lists");
    let attempts: Vec<Attempt> = attempts.into_iter().flatten().collect();
    let lists = read_lists(guests, &attempts).await?;
    progress.finish();
    let history = History { properties: ids, attempts, lists };
    Ok(Report::new(context, window, history))
}

async fn replay_rows(
    guest: &mut Guest,
    property: &Property,
    rows: &[Row],
    progress: &Progress,
) -> Vec<Attempt> {
    let mut attempts = Vec::with_capacity(rows.len());
    let mut doomed = Vec::new();
    for row in rows {
        cancel_before(guest, row.booked_on, &mut doomed, &mut attempts).await;
        let intended = guest.client.clock().now();
        let mut attempt = guest.book(property, row.stay, row.guests, intended).await;
        if let Answer::Accepted(accepted) = &mut attempt.answer {
            accepted.payment = Some(guest.pay(accepted.id).await);
            if let Some(canceled_on) = row.canceled_on {
                doomed.push(Doomed { attempt: attempts.len(), canceled_on });
            }
        }
        attempts.push(attempt);
        progress.advance();
    }
    cancel_before(guest, Date::MAX, &mut doomed, &mut attempts).await;
    attempts
}

/// Cancels what was canceled strictly before `day`, in the order in which it was booked.
async fn cancel_before(
    guest: &mut Guest,
    day: Date,
    doomed: &mut Vec<Doomed>,
    attempts: &mut [Attempt],
) {
    for due in doomed.extract_if(.., |doomed| doomed.canceled_on < day) {
        if let Answer::Accepted(accepted) = &mut attempts[due.attempt].answer {
            accepted.cancel = Some(guest.cancel(accepted.id).await);
        }
    }
}
