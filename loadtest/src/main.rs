//! The command line of the scenarios. Exit code 0: nothing was found; 1: the server broke its word
//! or the figures are not what they have to be; 2: the scenario could not be run.

use std::error::Error;
use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use jiff::civil::Date;
use loadtest::{Audience, Progress, Replay, Scenario, Storm, Target};
use serde::Serialize;

/// Loads a booking server and checks what it answers.
#[derive(Parser)]
#[command(version)]
struct CommandLine {
    #[command(subcommand)]
    scenario: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Replay 14,836 recorded bookings: 8,034 accepted, 6,802 refused, 4,657 canceled.
    Replay(ReplayArgs),
    /// Short stays over many properties.
    Spread(SpreadArgs),
    /// Many clients, one property, few nights: how many answers per second.
    Rush(StormArgs),
    /// Many who follow one calendar while it changes: how soon each of them knows.
    Audience(AudienceArgs),
}

#[derive(Args)]
struct Common {
    /// The server, such as http://localhost:8000; several when they are nodes over one database.
    #[arg(required = true, value_name = "URL")]
    targets: Vec<Target>,
    /// Write the report to this file as JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Threads of the load generator.
    #[arg(long, default_value_t = 1)]
    threads: usize,
    /// Seconds for which an unanswered request is repeated.
    #[arg(long, value_name = "SECONDS")]
    patience: Option<u64>,
}

#[derive(Args)]
struct ReplayArgs {
    #[command(flatten)]
    common: Common,
    /// How many of the hundred properties are served at a time.
    #[arg(long)]
    concurrency: Option<usize>,
    /// The day of the earliest arrival [default: the day after tomorrow].
    #[arg(long, value_name = "DATE")]
    first_arrival: Option<Date>,
}

#[derive(Args)]
struct SpreadArgs {
    #[command(flatten)]
    storm: StormArgs,
    /// Ask for no night twice, so that all is accepted: measures accepted bookings per second.
    #[arg(long)]
    fresh: bool,
    /// 64 clients on 20 properties and 90 days, every other booking canceled again, a minute long.
    #[arg(long, conflicts_with = "fresh")]
    contention: bool,
}

/// What overrides a scenario's own settings.
#[derive(Args)]
struct StormArgs {
    #[command(flatten)]
    common: Common,
    /// Connections, each with a guest of its own.
    #[arg(long)]
    clients: Option<u32>,
    /// Properties that are booked.
    #[arg(long)]
    properties: Option<u32>,
    /// Nights of each property that are asked for.
    #[arg(long, value_name = "DAYS")]
    horizon: Option<u32>,
    /// Nights of the shortest stay.
    #[arg(long, value_name = "NIGHTS")]
    shortest: Option<u16>,
    /// Nights of the longest stay.
    #[arg(long, value_name = "NIGHTS")]
    longest: Option<u16>,
    /// Requests per second of all clients; otherwise each asks as soon as it is answered.
    #[arg(long, value_name = "PER_SECOND")]
    rate: Option<u32>,
    /// Seconds that are measured.
    #[arg(long)]
    seconds: Option<u64>,
    /// Seconds before.
    #[arg(long, value_name = "SECONDS")]
    warm_up: Option<u64>,
    /// Cancel every so many-th accepted booking again.
    #[arg(long, value_name = "NUMBER")]
    cancel_every: Option<u32>,
    /// Pay for each accepted booking.
    #[arg(long)]
    pay: bool,
    /// Repeat the choices of an earlier run.
    #[arg(long)]
    seed: Option<u64>,
}

#[derive(Args)]
struct AudienceArgs {
    /// The server, such as http://localhost:8000.
    #[arg(value_name = "URL")]
    target: Target,
    /// Write the report to this file as JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Threads of the audience.
    #[arg(long, default_value_t = 1)]
    threads: usize,
    /// Sockets that read; each needs an open file here and one at the server.
    #[arg(long)]
    sockets: Option<u32>,
    /// Sockets that subscribe later and never read.
    #[arg(long)]
    frozen: Option<u32>,
    /// Changes per second.
    #[arg(long, value_name = "PER_SECOND")]
    rate: Option<u32>,
    /// Seconds that are measured, and again beside the frozen sockets.
    #[arg(long)]
    seconds: Option<u64>,
    /// Changes per second of a burst at the end.
    #[arg(long, value_name = "PER_SECOND")]
    burst_rate: Option<u32>,
    /// Seconds of the burst.
    #[arg(long, value_name = "SECONDS")]
    burst: Option<u64>,
    /// The server is an nginx with nchan: publish at /pub, listen at /sub.
    #[arg(long, conflicts_with = "frozen")]
    nchan: bool,
    /// The server's process, if it runs on this machine: its memory is told.
    #[arg(long, value_name = "ID")]
    process: Option<u32>,
}

impl AudienceArgs {
    fn audience(&self) -> Audience {
        let own = Audience::default();
        let seconds = |given: Option<u64>, own| given.map_or(own, Duration::from_secs);
        Audience {
            sockets: self.sockets.unwrap_or(own.sockets),
            frozen: self.frozen.unwrap_or(own.frozen),
            rate: self.rate.unwrap_or(own.rate),
            duration: seconds(self.seconds, own.duration),
            burst_rate: self.burst_rate.unwrap_or(own.burst_rate),
            burst: seconds(self.burst, own.burst),
            nchan: self.nchan,
            process: self.process,
            ..own
        }
    }
}

impl StormArgs {
    fn over(self, base: Storm) -> (Common, Scenario) {
        let (shortest, longest) = (*base.nights.start(), *base.nights.end());
        let seconds = |given: Option<u64>, own| given.map_or(own, Duration::from_secs);
        let storm = Storm {
            clients: self.clients.unwrap_or(base.clients),
            properties: self.properties.unwrap_or(base.properties),
            horizon_days: self.horizon.unwrap_or(base.horizon_days),
            nights: self.shortest.unwrap_or(shortest)..=self.longest.unwrap_or(longest),
            rate: self.rate.or(base.rate),
            duration: seconds(self.seconds, base.duration),
            warm_up: seconds(self.warm_up, base.warm_up),
            cancel_every: self.cancel_every.or(base.cancel_every),
            pay: self.pay || base.pay,
            seed: self.seed.or(base.seed),
            patience: seconds(self.common.patience, base.patience),
            ..base
        };
        (self.common, Scenario::Storm(storm))
    }
}

/// Runs what was asked for; true when nothing was found.
fn run(command: Command) -> Result<bool, Box<dyn Error>> {
    let (common, scenario) = match command {
        Command::Replay(args) => {
            let own = Replay::default();
            let replay = Replay {
                concurrency: args.concurrency.unwrap_or(own.concurrency),
                first_arrival: args.first_arrival,
                patience: args.common.patience.map_or(own.patience, Duration::from_secs),
            };
            (args.common, Scenario::Replay(replay))
        }
        Command::Spread(args) if args.fresh => args.storm.over(Storm::throughput()),
        Command::Spread(args) if args.contention => args.storm.over(Storm::contention()),
        Command::Spread(args) => args.storm.over(Storm::spread()),
        Command::Rush(args) => args.over(Storm::rush()),
        Command::Audience(args) => {
            let (audience, progress) = (args.audience(), Progress::shown());
            let report =
                loadtest::listen_blocking(args.threads, &args.target, &audience, &progress)?;
            tell(&report, args.json.as_deref())?;
            return Ok(report.passed());
        }
    };
    let progress = Progress::shown();
    let report = loadtest::run_blocking(common.threads, &common.targets, &scenario, &progress)?;
    tell(&report, common.json.as_deref())?;
    Ok(report.passed())
}

fn tell(report: &(impl Display + Serialize), file: Option<&Path>) -> Result<(), Box<dyn Error>> {
    // What was measured is told even if it cannot be written.
    print!("{report}");
    if let Some(file) = file {
        let text = serde_json::to_string_pretty(report)?;
        std::fs::write(file, text).map_err(|error| format!("{}: {error}", file.display()))?;
    }
    Ok(())
}

fn main() -> ExitCode {
    match run(CommandLine::parse().scenario) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}
