//! `audience`: many who follow one calendar over WebSocket while it changes, and, on request, some
//! who stop reading. What is measured is how long a change is on its way to each of them, and what
//! they cost the server.
//!
//! The sockets are opened from twenty loopback addresses, so that no address has more of them than
//! a server allows. The same audience can sit before nginx's nchan module, with the same messages.

mod process;
mod publisher;
mod report;
mod socket;
mod tape;

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;

use crate::clock::{Nanos, SECOND};
use crate::failure::Failure;
use crate::progress::Progress;
use crate::stage::Stage;
use crate::target::Target;
use process::Process;
use publisher::Publisher;
pub use report::{AudienceReport, Burst, Closed, Fan, Resident};
use socket::Seats;
use tape::Tape;

/// Changes before anything is counted.
const WARM_UP: usize = 5;
/// How long the server has to calm down before its memory is read.
const REST: Duration = Duration::from_secs(3);
/// How long the last change may be on its way.
const ARRIVAL_LIMIT: Duration = Duration::from_secs(30);

/// Options of `audience`.
#[derive(Debug, Clone)]
pub struct Audience {
    /// Sockets that read all that comes.
    pub sockets: u32,
    /// Sockets that subscribe later and never read; none: that part is left out.
    pub frozen: u32,
    /// Changes per second.
    pub rate: u32,
    /// For so long without the frozen ones, and again beside them.
    pub duration: Duration,
    /// Changes per second of a burst at the end; 0: there is none.
    pub burst_rate: u32,
    pub burst: Duration,
    /// The server is an nginx that publishes at `/pub` what it gets, and sends it to `/sub`.
    pub nchan: bool,
    /// The server's process, if it is on this machine: its memory is read.
    pub process: Option<u32>,
    /// How long one request is repeated when the server is overloaded or cannot be reached.
    pub patience: Duration,
}

impl Default for Audience {
    fn default() -> Self {
        Self {
            sockets: 1_000,
            frozen: 0,
            rate: 5,
            duration: Duration::from_secs(10),
            burst_rate: 0,
            burst: Duration::from_secs(10),
            nchan: false,
            process: None,
            patience: Duration::from_secs(10),
        }
    }
}

impl Audience {
    fn check(&self) -> Result<(), Failure> {
        let wrong = if self.sockets == 0 || self.rate == 0 || self.duration.is_zero() {
            "there has to be a socket, and a change for it to hear"
        } else if self.nchan && self.frozen > 0 {
            "nchan does not send anybody away"
        } else {
            return Ok(());
        };
        Err(Failure::Options(wrong.to_owned()))
    }
}

/// The parts of a run, by their place on its tape.
const WARMING_UP: usize = 0;
const CALM: usize = 1;
const BESIDE_FROZEN: usize = 2;
const BURST: usize = 3;

/// Seats an audience before a server, changes what it follows, and says how that went.
///
/// # Errors
///
/// When it could not be seated or the calendar not be changed. What was not heard stands in the
/// report.
pub async fn listen(
    target: &Target,
    audience: &Audience,
    progress: &Progress,
) -> Result<AudienceReport, Failure> {
    audience.check()?;
    let stage = Stage::new(std::slice::from_ref(target), audience.patience)?;
    let process = Process::watch(audience.process);
    let publisher = Publisher::new(Arc::clone(&stage), audience.nchan).await?;
    let calm = changes(audience.rate, audience.duration);
    let beside = if audience.frozen > 0 { calm } else { 0 };
    let parts = [WARM_UP, calm, beside, changes(audience.burst_rate, audience.burst)];
    let tape = Arc::new(Tape::new(stage.clock, publisher.base, &parts));
    let (path, subscription) = publisher.topic();
    let seats = Seats { target: target.clone(), path, subscription, clock: stage.clock };
    let hall = Hall { tape, publisher, seats, process, sockets: audience.sockets };
    hall.listen(audience, progress).await
}

fn changes(rate: u32, duration: Duration) -> usize {
    (f64::from(rate) * duration.as_secs_f64()) as usize
}

/// What the parts of a run share.
struct Hall {
    tape: Arc<Tape>,
    publisher: Publisher,
    seats: Seats,
    process: Process,
    sockets: u32,
}

impl Hall {
    async fn listen(
        &self,
        audience: &Audience,
        progress: &Progress,
    ) -> Result<AudienceReport, Failure> {
        progress.step("opening sockets");
        let mut resident = Resident { empty_kib: self.process.resident(), ..Resident::default() };
        let open = self.seats.open(self.sockets).await?;
        let (tape, base) = (&self.tape, self.publisher.base);
        let listeners: Vec<JoinHandle<()>> = open
            .into_iter()
            .map(|socket| tokio::spawn(socket.listen(base, Arc::clone(tape))))
            .collect();
        resident.idle_kib = self.memory_at_rest().await;

        progress.step("changing the calendar");
        self.part(WARMING_UP, audience.rate).await?;
        let calm = self.part(CALM, audience.rate).await?;
        resident.calm_kib = self.memory_at_rest().await;

        let (mut beside_frozen, mut frozen_closed, mut burst) = (None, None, None);
        if audience.frozen > 0 {
            progress.step("changing it beside those who never read");
            self.process.peak();
            let open = self.seats.open(audience.frozen).await?;
            let frozen: Vec<JoinHandle<Option<f64>>> =
                open.into_iter().map(|s| tokio::spawn(s.freeze(tape.clock))).collect();
            beside_frozen = Some(self.part(BESIDE_FROZEN, audience.rate).await?);
            frozen_closed = Some(closed(frozen).await);
            resident.frozen_peak_kib = self.process.peak();
            resident.after_frozen_kib = self.memory_at_rest().await;
        }
        if audience.burst_rate > 0 {
            progress.step("changing it faster than anybody reads");
            self.process.peak();
            burst = Some(self.burst(audience.burst_rate).await?);
            resident.burst_peak_kib = self.process.peak();
            resident.after_burst_kib = self.memory_at_rest().await;
        }
        progress.finish();
        let (gaps, lost) = tape.faults();
        listeners.iter().for_each(JoinHandle::abort);
        Ok(AudienceReport {
            target: self.seats.target.address().to_owned(),
            sockets: self.sockets,
            frozen: audience.frozen,
            rate: audience.rate,
            calm,
            beside_frozen,
            frozen_closed,
            burst,
            resident,
            gaps,
            lost,
        })
    }

    /// Makes the changes of a part, and waits until everybody has heard them.
    async fn part(&self, part: usize, rate: u32) -> Result<Fan, Failure> {
        self.publisher.publish(&self.tape, part, rate).await?;
        self.arrival(part).await;
        Ok(self.tape.fan(part, self.sockets))
    }

    async fn burst(&self, rate: u32) -> Result<Burst, Failure> {
        let (began, frames) = (self.tape.clock.now(), self.tape.frames());
        let acknowledged = self.publisher.publish(&self.tape, BURST, rate).await?;
        let arrived = self.arrival(BURST).await;
        let changes = self.tape.part(BURST).len() as u64;
        let frames = (self.tape.frames() - frames) as f64;
        Ok(Burst {
            changes,
            per_second: changes as f64 * SECOND as f64 / (acknowledged - began) as f64,
            frames_per_socket: frames / f64::from(self.sockets),
            converged_millis: arrived.map(|at| at.saturating_sub(acknowledged) / 1_000_000),
        })
    }

    async fn arrival(&self, part: usize) -> Option<Nanos> {
        let last = self.tape.part(part).last()?;
        self.tape.arrival(last, self.sockets, ARRIVAL_LIMIT).await
    }

    async fn memory_at_rest(&self) -> Option<u64> {
        tokio::time::sleep(REST).await;
        self.process.resident()
    }
}

async fn closed(frozen: Vec<JoinHandle<Option<f64>>>) -> Closed {
    let mut after = Vec::with_capacity(frozen.len());
    let mut open = 0;
    for socket in frozen {
        match socket.await {
            Ok(Some(seconds)) => after.push(seconds),
            _ => open += 1,
        }
    }
    let [first_seconds, last_seconds] =
        [f64::min, f64::max].map(|choose| after.iter().copied().reduce(choose).unwrap_or_default());
    Closed { closed: after.len() as u32, open, first_seconds, last_seconds }
}
