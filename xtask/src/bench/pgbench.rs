//! The two yardsticks: the usual ways to keep two bookings apart, at their best.
//!
//! Contract: each is one SQL script for `pgbench` as it is, run with 16 and with 64 clients; the
//! better figure counts. They pay for no HTTP, no rules and no audit, only for the transaction
//! itself. What prepared statements would make of it is measured as well and stands beside it.

use std::process::{Command, Stdio};

use super::table::Rate;
use crate::Result;
use crate::postgres::Postgres;

const CLIENTS: [&str; 2] = ["16", "64"];
const SECONDS: &str = "10";

const CONSTRAINT_SETUP: [&str; 2] = [
    "create extension btree_gist",
    "create table booking (
        booking_id uuid primary key default gen_random_uuid(),
        property_id uuid not null,
        guest_id uuid not null,
        nights daterange not null,
        guests int not null,
        status text not null,
        total bigint not null,
        currency text not null,
        created_at timestamptz not null default now(),
        exclude using gist (property_id with =, nights with &&)
            where (status in ('PENDING', 'CONFIRMED'))
    )",
];
/// No row is ever refused: each client counts its own, and 7,919 has no factor in common with the
/// prime 1,000,003, so that the first million numbers are that many different days in no order.
const CONSTRAINT: &str = "\
\\set property random(10000, 19999)
\\set number :number + 1
\\set day (:number * 64 + :client_id) * 7919 % 1000003 * 2
insert into booking (property_id, guest_id, nights, guests, status, total, currency)
values (('00000000-0000-7000-8000-0000000' || :property)::uuid,
    '00000000-0000-7000-8000-000000000000',
    daterange(date '2000-01-01' + :day::int, date '2000-01-02' + :day::int + 1),
    2, 'PENDING', 24000, 'USD');
";

const BARE_SETUP: [&str; 2] = [
    "create extension btree_gist",
    "create table stay (
        stay_id bigint generated always as identity primary key,
        property_id int not null,
        nights daterange not null,
        exclude using gist (property_id with =, nights with &&)
    )",
];
const BARE: &str = "\
\\set property random(1, 10000)
\\set number :number + 1
\\set day (:number * 64 + :client_id) * 7919 % 1000003 * 2
insert into stay (property_id, nights)
values (:property, daterange(date '2000-01-01' + :day::int, date '2000-01-02' + :day::int + 1));
";

const HOT_ROW_SETUP: [&str; 2] = [
    "create table property (property_id int primary key, bookings bigint not null)",
    "insert into property values (1, 0)",
];
const HOT_ROW: &str = "\
begin;
select bookings from property where property_id = 1 for update;
update property set bookings = bookings + 1 where property_id = 1;
commit;
";

/// What our rates are compared with.
#[derive(Clone, Copy)]
pub(super) enum Yardstick {
    /// (a) One booking's row a transaction, guarded by an exclusion constraint, over 10,000
    /// properties: what one would write without us.
    Constraint,
    /// The same with nothing but the stay in the row and numbers for ids, to know what the least
    /// possible row costs.
    Bare,
    /// (b) `select … for update` and an update of one property's row.
    HotRow,
}

/// How a client speaks to the database; the first is what `pgbench` does by itself.
#[derive(Clone, Copy)]
pub(super) enum Protocol {
    Simple,
    Prepared,
}

impl Yardstick {
    /// Transactions per second with the better number of clients.
    pub(super) fn measure(self, postgres: &Postgres, protocol: Protocol) -> Result<Rate> {
        let (name, title, setup, script): (_, _, &[&str], _) = match self {
            Self::Constraint => {
                ("booking", "(a) exclusion constraint", &CONSTRAINT_SETUP, CONSTRAINT)
            }
            Self::Bare => ("stay", "    on nothing but the stay", &BARE_SETUP, BARE),
            Self::HotRow => ("hot_row", "(b) one hot row for update", &HOT_ROW_SETUP, HOT_ROW),
        };
        let protocol = match protocol {
            Protocol::Simple => "simple",
            Protocol::Prepared => "prepared",
        };
        let mut best = Rate { title: String::new(), per_second: 0.0 };
        for clients in CLIENTS {
            let title = format!("{title}, {protocol}, {clients} clients");
            let database = format!("{name}_{protocol}_{clients}");
            postgres.execute("postgres", &[&format!("create database {database}")])?;
            postgres.execute(&database, setup)?;
            // What one run left to be written is not for the next one to pay.
            postgres.execute(&database, &["checkpoint"])?;
            let mut pgbench = postgres.program("pgbench");
            pgbench
                .args(["--protocol", protocol, "--client", clients])
                .arg(postgres.url(&database));
            let per_second = transactions(pgbench, script)?;
            println!("{title}: {per_second:.0}/s");
            if per_second > best.per_second {
                best = Rate { title, per_second };
            }
        }
        Ok(best)
    }
}

fn transactions(mut pgbench: Command, script: &str) -> Result<f64> {
    let file = std::env::temp_dir().join(format!("vacancy-pgbench-{}.sql", std::process::id()));
    std::fs::write(&file, script)?;
    pgbench.args(["--no-vacuum", "--jobs=2", "--define=number=0", "--time", SECONDS]);
    let text = output(pgbench.arg("--file").arg(&file));
    std::fs::remove_file(&file)?;
    let text = text?;
    let tps = text.lines().find_map(|line| line.strip_prefix("tps = "));
    let tps = tps.and_then(|rest| rest.split(' ').next()).ok_or("pgbench printed no rate")?;
    Ok(tps.parse()?)
}

fn output(command: &mut Command) -> Result<String> {
    let output = command.stdin(Stdio::null()).output()?;
    if output.status.success() {
        Ok(String::from_utf8(output.stdout)?)
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned().into())
    }
}
