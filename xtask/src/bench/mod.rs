//! `cargo xtask bench`: what one actor per property and group commit are worth, as ratios.
//!
//! Contract: everything is measured in one run on one machine, on release builds, one load at a
//! time, against servers of our own on loopback. The yardsticks are what one would build without
//! us: (a) single-row transactions under an exclusion constraint and (b) row locks on one hot
//! property, each driven by `pgbench` without any HTTP. Absolute figures vary by half with the
//! machine's mood, so only the ratios have floors; the disk's fdatasync latency stands beside them.

mod audience;
mod disk;
mod load;
mod nchan;
mod pgbench;
mod server;
mod table;

use std::path::Path;

use crate::Result;
use crate::cargo;
use crate::keeper;
use crate::packages::{self, Need};
use crate::postgres::Postgres;
pub(crate) use audience::{crowd, fan_out};
use load::Scenario;
use pgbench::{Protocol, Yardstick};
use server::Server;
use table::Table;

/// The word that makes this program measure a disk, for `disk::latency` alone.
pub(crate) const PROBE: &str = "fdatasync-latency";

/// Prints the median latency of fdatasync in a folder, in microseconds.
pub(crate) fn probe(folder: &Path) -> Result<bool> {
    println!("{}", disk::measure(folder)?.as_micros());
    Ok(true)
}

/// Runs the benchmark and prints the table; true when every floor is held.
pub(crate) fn run() -> Result<bool> {
    let [bin] = packages::find_or_install([Need::Postgres])?;
    build()?;
    let mut table = Table::default();
    as_it_is(&bin, &mut table)?;
    slowed(&bin, &mut table)?;
    table.print();
    Ok(table.is_good())
}

/// Builds the server and the load tester as they are released.
fn build() -> Result<()> {
    let build = ["build", "--release", "--package", "vacancy", "--package", "loadtest"];
    if cargo::cargo(&build).status()?.success() {
        Ok(())
    } else {
        Err("the release binaries do not build, see above".into())
    }
}

fn as_it_is(bin: &Path, table: &mut Table) -> Result<()> {
    let folder = keeper::new_folder("bench")?;
    table.note("fdatasync, p50", disk::latency(&folder, None)?);
    let postgres = Postgres::start_in(bin, folder, &[])?;
    let a = table.base(Yardstick::Constraint.measure(&postgres, Protocol::Simple)?);
    table.against(a, Yardstick::Constraint.measure(&postgres, Protocol::Prepared)?, None);
    table.against(a, Yardstick::Bare.measure(&postgres, Protocol::Simple)?, None);
    let b = table.base(Yardstick::HotRow.measure(&postgres, Protocol::Simple)?);
    table.against(b, Yardstick::HotRow.measure(&postgres, Protocol::Prepared)?, None);
    let server = Server::on_postgres(&postgres)?;
    let [spread, rush] = loads(&server, "PostgreSQL")?;
    drop((server, postgres));
    table.against(a, spread, Some(1.7));
    table.against(b, rush, Some(15.0));
    let [spread, rush] = loads(&Server::on_sqlite()?, "SQLite")?;
    table.against(a, spread, None);
    table.against(b, rush, None);
    Ok(())
}

fn slowed(bin: &Path, table: &mut Table) -> Result<()> {
    let folder = keeper::new_folder("bench-slow")?;
    let library = disk::slow_library(&folder)?;
    table.note("fdatasync slowed, p50", disk::latency(&folder, Some(&library))?);
    let postgres = Postgres::start_in(bin, folder, &[("LD_PRELOAD", &library)])?;
    let b = table.base(Yardstick::HotRow.measure(&postgres, Protocol::Simple)?.titled("slowed"));
    let server = Server::on_postgres(&postgres)?;
    let rush = load::run(Scenario::Rush, &server, "PostgreSQL slowed")?;
    table.against(b, rush, Some(50.0));
    Ok(())
}

fn loads(server: &Server, database: &str) -> Result<[table::Rate; 2]> {
    let spread = load::run(Scenario::Spread, server, database)?;
    Ok([spread, load::run(Scenario::Rush, server, database)?])
}
