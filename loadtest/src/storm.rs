//! Many clients that book as fast as they are answered, or at a given rate, for a given time.
//! `spread` and `rush` are two settings of it: many properties or one, a wide calendar or a narrow
//! one.
//!
//! A figure is counted only after the warm-up, in which the server loads the properties that are
//! booked for the first time; everything is checked, the warm-up too.

use std::ops::RangeInclusive;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jiff::ToSpan;

use crate::clock::{Nanos, SECOND, nanos, today};
use crate::crew::share;
use crate::dice::Dice;
use crate::failure::Failure;
use crate::guest::{Guest, Property};
use crate::history::{Answer, Attempt, History};
use crate::progress::Progress;
use crate::report::{Context, Report, Window};
use crate::stage::{Stage, read_lists};
use crate::stay::MAX_NIGHTS;
use crate::target::Target;
use crate::wishes::Wishes;

/// A canceled booking lives for at most so many further attempts of its client.
const LONGEST_LIFE: u32 = 8;

/// Options of `spread` and `rush`.
#[derive(Debug, Clone)]
pub struct Storm {
    /// The name in the report.
    pub name: &'static str,
    /// Connections, each with a guest of its own and one request at a time.
    pub clients: u32,
    pub properties: u32,
    /// How many nights of each property are asked for, from the day after tomorrow on.
    pub horizon_days: u32,
    /// The lengths of stays.
    pub nights: RangeInclusive<u16>,
    /// No night is asked for twice, so that a correct server accepts everything; the run ends early
    /// when the nights are used up. Otherwise stays are drawn at random.
    pub fresh: bool,
    /// Requests per second of all clients together; `None`: each asks again as soon as it is
    /// answered. Waits end on whole milliseconds, which shows in latencies below one.
    pub rate: Option<u32>,
    /// What is run before the figures are counted.
    pub warm_up: Duration,
    /// The time in which the figures are counted.
    pub duration: Duration,
    /// Of so many accepted bookings of a client one is canceled again, a few attempts later.
    pub cancel_every: Option<u32>,
    /// Whether accepted bookings are paid at once.
    pub pay: bool,
    /// Makes the choices of stays repeatable.
    pub seed: Option<u64>,
    /// How long one request is repeated when the server is overloaded or cannot be reached.
    pub patience: Duration,
}

impl Storm {
    /// Random short stays over many properties.
    pub fn spread() -> Self {
        Self {
            name: "spread",
            clients: 128,
            properties: 200,
            horizon_days: 730,
            nights: 1..=4,
            fresh: false,
            rate: None,
            warm_up: Duration::from_secs(1),
            duration: Duration::from_secs(10),
            cancel_every: None,
            pay: false,
            seed: None,
            patience: Duration::from_secs(10),
        }
    }

    /// Bookings that are all accepted: what is counted is the server's writing. The nights suffice
    /// for half a million bookings.
    pub fn throughput() -> Self {
        let warm_up = Duration::from_secs(2);
        Self { name: "throughput", properties: 2_000, fresh: true, warm_up, ..Self::spread() }
    }

    /// Few properties and every other booking canceled again: conflicts, and refusals whose cause
    /// is hardly there any more.
    pub fn contention() -> Self {
        Self {
            name: "contention",
            clients: 64,
            properties: 20,
            horizon_days: 90,
            warm_up: Duration::ZERO,
            duration: Duration::from_secs(60),
            cancel_every: Some(2),
            ..Self::spread()
        }
    }

    /// Everybody wants the same thirty nights of one property: nearly all are refused.
    pub fn rush() -> Self {
        Self { name: "rush", properties: 1, horizon_days: 30, ..Self::spread() }
    }

    fn check(&self) -> Result<(), Failure> {
        let lengths = (1..=MAX_NIGHTS).contains(self.nights.start())
            && (*self.nights.start()..=MAX_NIGHTS).contains(self.nights.end());
        let wrong = if !lengths {
            "stays have 1 to 64 nights, the shortest first"
        } else if u32::from(*self.nights.end()) > self.horizon_days {
            "the longest stay does not fit into the horizon"
        } else if self.clients == 0 || self.properties == 0 {
            "there has to be a client and a property"
        } else if self.rate == Some(0) || self.cancel_every == Some(0) {
            "a rate and the number of bookings per cancel are at least 1"
        } else {
            return Ok(());
        };
        Err(Failure::Options(wrong.to_owned()))
    }
}

/// What the clients share while they run.
struct Field {
    storm: Storm,
    properties: Vec<Property>,
    wishes: Wishes,
    begin: Nanos,
    end: Nanos,
    /// Requests sent so far at a given rate: the next one's turn.
    turns: AtomicU64,
    /// When the last fresh stay was given away.
    used_up_at: AtomicU64,
    answers: AtomicU64,
    accepted: AtomicU64,
}

/// Runs the storm over the targets and judges what they answered.
pub(crate) async fn run(
    targets: &[Target],
    storm: &Storm,
    progress: &Progress,
) -> Result<Report, Failure> {
    storm.check()?;
    let stage = Stage::new(targets, storm.patience)?;
    let seed = storm.seed.unwrap_or_else(|| stage.run.seed());
    progress.step("creating properties");
    let properties = stage.properties(storm.properties).await?;
    progress.step("registering guests");
    let guests = stage.guests(storm.clients).await?;
    let wishes = Wishes::new(storm, today().saturating_add(2.days()), seed);
    let ids = properties.iter().map(|property| property.id).collect();
    let begin = stage.clock.now();
    let field = Arc::new(Field {
        storm: storm.clone(),
        properties,
        wishes,
        begin,
        end: begin.saturating_add(nanos(storm.warm_up + storm.duration)),
        turns: AtomicU64::new(0),
        used_up_at: AtomicU64::new(Nanos::MAX),
        answers: AtomicU64::new(0),
        accepted: AtomicU64::new(0),
    });
    let watcher = tokio::spawn(watch(Arc::clone(&field), stage.clone(), progress.clone()));
    let work = {
        let field = Arc::clone(&field);
        move |guest: Guest| {
            let field = Arc::clone(&field);
            async move { Ok(field.serve(guest, seed).await) }
        }
    };
    let served = share(guests, storm.clients as usize, work).await;
    watcher.abort();
    let (guests, attempts): (Vec<_>, Vec<_>) = served?.into_iter().unzip();
    let used_up_at = field.used_up_at.load(Ordering::Relaxed);
    let from = begin.saturating_add(nanos(storm.warm_up));
    let window = Window { from, to: field.end.min(used_up_at).max(from) };
    let context = Context {
        scenario: storm.name,
        seed: Some(seed),
        ended_early: used_up_at < field.end,
        ..Context::new(&stage, &guests)
    };
    progress.step("reading the guests' lists");
    let attempts: Vec<Attempt> = attempts.into_iter().flatten().collect();
    let lists = read_lists(guests, &attempts).await?;
    progress.finish();
    Ok(Report::new(context, window, History { properties: ids, attempts, lists }))
}

/// Moves the progress bar until it is aborted.
async fn watch(field: Arc<Field>, stage: Arc<Stage>, progress: Progress) {
    let tenth = |at: Nanos| at / (SECOND / 10);
    progress.begin(tenth(field.end - field.begin));
    loop {
        tokio::time::sleep(Duration::from_millis(250)).await;
        let answers = field.answers.load(Ordering::Relaxed);
        let accepted = field.accepted.load(Ordering::Relaxed);
        let position = tenth(stage.clock.now().min(field.end) - field.begin);
        progress.set(position, format!("tenths of a second, {answers} answers, {accepted} booked"));
    }
}

impl Field {
    /// One client's part, from its first attempt to the last cancel.
    async fn serve(&self, mut guest: Guest, seed: u64) -> (Guest, Vec<Attempt>) {
        let mut dice = Dice::new(seed, u64::from(guest.number) + 1);
        let mut attempts: Vec<Attempt> = Vec::new();
        let mut accepted_count = 0;
        // Bookings that will be canceled: the attempt before which, and the attempt that made them.
        let mut doomed: Vec<(usize, usize)> = Vec::new();
        while let Some(intended) = self.turn(&guest).await {
            self.cancel_due(&mut guest, &mut doomed, &mut attempts, false).await;
            let Some(wish) = self.wishes.next(&mut dice) else {
                self.used_up_at.fetch_min(guest.client.clock().now(), Ordering::Relaxed);
                break;
            };
            let property = &self.properties[wish.property as usize];
            let mut attempt = guest.book(property, wish.stay, 2, intended).await;
            self.answers.fetch_add(1, Ordering::Relaxed);
            if let Answer::Accepted(accepted) = &mut attempt.answer {
                self.accepted.fetch_add(1, Ordering::Relaxed);
                accepted_count += 1;
                if self.storm.pay {
                    accepted.payment = Some(guest.pay(accepted.id).await);
                }
                if self.storm.cancel_every.is_some_and(|every| accepted_count % every == 0) {
                    let life = dice.below(LONGEST_LIFE) as usize;
                    doomed.push((attempts.len() + 1 + life, attempts.len()));
                }
            }
            attempts.push(attempt);
        }
        self.cancel_due(&mut guest, &mut doomed, &mut attempts, true).await;
        (guest, attempts)
    }

    /// Waits for the client's next turn and returns when it was due; `None` when time is up.
    async fn turn(&self, guest: &Guest) -> Option<Nanos> {
        let clock = guest.client.clock();
        let due = match self.storm.rate {
            None => clock.now(),
            Some(rate) => {
                let turn = self.turns.fetch_add(1, Ordering::Relaxed);
                self.begin + turn.saturating_mul(SECOND) / u64::from(rate)
            }
        };
        if due >= self.end {
            return None;
        }
        clock.wait_until(due).await;
        Some(due)
    }

    async fn cancel_due(
        &self,
        guest: &mut Guest,
        doomed: &mut Vec<(usize, usize)>,
        attempts: &mut [Attempt],
        all: bool,
    ) {
        let now = attempts.len();
        for (_, made_by) in doomed.extract_if(.., |&mut (due, _)| all || due <= now) {
            if let Answer::Accepted(accepted) = &mut attempts[made_by].answer {
                accepted.cancel = Some(guest.cancel(accepted.id).await);
            }
        }
    }
}
