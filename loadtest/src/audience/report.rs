//! The result of an audience, as values, as JSON and as text.

use std::fmt;

use serde::Serialize;

use crate::latency::Latency;

/// What an audience heard, and what it cost.
#[derive(Debug, Clone, Serialize)]
pub struct AudienceReport {
    pub target: String,
    /// Those who read.
    pub sockets: u32,
    pub frozen: u32,
    /// Changes per second.
    pub rate: u32,
    /// Among those who read alone.
    pub calm: Fan,
    /// The same beside those who never read.
    pub beside_frozen: Option<Fan>,
    pub frozen_closed: Option<Closed>,
    pub burst: Option<Burst>,
    pub resident: Resident,
    /// Frames that did not follow on what their reader had.
    pub gaps: u64,
    /// Readers that were sent away.
    pub lost: u64,
}

/// How changes reached everybody.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Fan {
    pub changes: u64,
    /// Deliveries that never came.
    pub missing: u64,
    /// From the moment a change was due to be sent until a socket had it.
    pub delivery: Latency,
    /// The same until the last socket had it.
    pub last: Latency,
}

/// When those who never read were sent away, in seconds since they had last said something.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Closed {
    pub closed: u32,
    /// Still open after a minute.
    pub open: u32,
    pub first_seconds: f64,
    pub last_seconds: f64,
}

/// More changes than anybody reads one by one.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Burst {
    pub changes: u64,
    pub per_second: f64,
    /// Frames per socket; fewer than changes where several came as one.
    pub frames_per_socket: f64,
    /// From the last acknowledged change until every socket stood at its number; nothing if some
    /// never did.
    pub converged_millis: Option<u64>,
}

/// KiB that the server's process had in memory, where that is known.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Resident {
    /// Before the first socket.
    pub empty_kib: Option<u64>,
    /// With all who read, before the first change.
    pub idle_kib: Option<u64>,
    /// After the changes among those who read.
    pub calm_kib: Option<u64>,
    /// At most, beside those who never read.
    pub frozen_peak_kib: Option<u64>,
    /// After those were sent away.
    pub after_frozen_kib: Option<u64>,
    /// At most, in the burst.
    pub burst_peak_kib: Option<u64>,
    /// After it.
    pub after_burst_kib: Option<u64>,
}

impl AudienceReport {
    /// Whether everybody was told everything in its order.
    pub fn passed(&self) -> bool {
        let fans = [Some(&self.calm), self.beside_frozen.as_ref()];
        self.gaps == 0
            && self.lost == 0
            && fans.into_iter().flatten().all(|fan| fan.missing == 0)
            && self.burst.is_none_or(|burst| burst.converged_millis.is_some())
    }
}

impl Fan {
    /// The rate at which one change reaches the sockets, by its median time to the last of them.
    fn per_second(&self, sockets: u32) -> f64 {
        f64::from(sockets) * 1e6 / self.last.p50_micros.max(1) as f64
    }

    fn write(&self, f: &mut fmt::Formatter<'_>, name: &str, sockets: u32) -> fmt::Result {
        writeln!(f, "{name:<12}{} changes, {} deliveries missing", self.changes, self.missing)?;
        writeln!(f, "  each      {}", self.delivery)?;
        writeln!(f, "  the last  {}, {:.0} deliveries/s", self.last, self.per_second(sockets))
    }
}

impl fmt::Display for AudienceReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { target, sockets, frozen, rate, .. } = self;
        writeln!(f, "audience of {target}")?;
        writeln!(f, "sockets     {sockets} that read, {frozen} that do not, {rate} changes/s")?;
        self.calm.write(f, "alone", *sockets)?;
        if let Some(fan) = &self.beside_frozen {
            fan.write(f, "beside them", *sockets)?;
        }
        if let Some(Closed { closed, open, first_seconds, last_seconds }) = self.frozen_closed {
            writeln!(
                f,
                "sent away   {closed}, after {first_seconds:.1} to {last_seconds:.1} s; {open} \
                 still there"
            )?;
        }
        if let Some(burst) = &self.burst {
            let Burst { changes, per_second, frames_per_socket, converged_millis } = burst;
            let converged = converged_millis.map_or("never".to_owned(), |ms| format!("{ms} ms"));
            writeln!(
                f,
                "burst       {changes} changes, {per_second:.0}/s, {frames_per_socket:.0} frames a \
                 socket, all there after: {converged}"
            )?;
        }
        self.resident.write(f, *sockets)?;
        let verdict = if self.passed() { "all told in order" } else { "BROKEN" };
        writeln!(f, "promise     {verdict}: {} gaps, {} sockets lost", self.gaps, self.lost)
    }
}

impl Resident {
    /// KiB a socket.
    pub fn per_socket(&self, sockets: u32) -> Option<f64> {
        let added = self.idle_kib?.saturating_sub(self.empty_kib?);
        Some(added as f64 / f64::from(sockets))
    }

    fn write(&self, f: &mut fmt::Formatter<'_>, sockets: u32) -> fmt::Result {
        let points = [
            ("empty", self.empty_kib),
            ("idle", self.idle_kib),
            ("after", self.calm_kib),
            ("frozen, most", self.frozen_peak_kib),
            ("frozen, after", self.after_frozen_kib),
            ("burst, most", self.burst_peak_kib),
            ("burst, after", self.after_burst_kib),
        ];
        let Some(per_socket) = self.per_socket(sockets) else { return Ok(()) };
        write!(f, "memory      {per_socket:.1} KiB a socket; MiB:")?;
        for (name, kib) in points {
            if let Some(kib) = kib {
                write!(f, " {name} {:.1}", kib as f64 / 1024.0)?;
            }
        }
        writeln!(f)
    }
}
