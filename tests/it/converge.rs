//! Readers who come and go, are slow, forget, and are cut off by a server that dies, while calendars
//! change under them: what each has folded is the calendar of the same number, and no number is
//! ever missing.

use crate::helpers::{
    Chance, Document, Folded, Heard, Person, Server, Socket, day, is_proof, on_both,
};
use futures_util::future::join_all;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio_tungstenite::tungstenite::Message;

on_both!(
    whatever_happens_to_a_reader_it_ends_with_the_calendar,
    three_seconds_after_a_restart_all_who_were_cut_off_have_the_calendar,
);

const HOMES: usize = 4;
const ROUNDS: usize = 5;
const FIRST_DAY: i32 = 10;
const DAYS: i32 = 60;

/// Readers, and events of each home in a round: together 20,000 events that are told, most of them
/// by deltas, and so many in a proof that deltas alone tell 1,000,000.
fn size() -> (u64, usize) {
    if is_proof() { (260, 250) } else { (40, 25) }
}

/// How far the writers have come with a home.
#[derive(Clone, Copy, Debug, Default)]
struct Progress {
    events: usize,
    is_done: bool,
}

/// Somebody who follows all homes.
struct Reader {
    chance: Chance,
    epoch: String,
    calendars: BTreeMap<String, Folded>,
    /// Events that deltas told.
    told: i64,
    snapshots: usize,
}

async fn whatever_happens_to_a_reader_it_ends_with_the_calendar(server: &mut Server) {
    let (readers, events) = size();
    let host = server.host().await;
    let mut writers = Vec::new();
    for number in 0..HOMES as u64 {
        let guest = server.guest().await;
        let chance = Chance::new(number);
        writers.push(Writer { home: server.home(&host).await, guest, chance, mine: Vec::new() });
    }
    let mut readers: Vec<Reader> = (0..readers).map(|number| Reader::new(1_000 + number)).collect();
    for round in 0..ROUNDS {
        let dies = round % 2 == 1;
        let (progress, watched) = watch::channel(Progress::default());
        let server_now = &*server;
        let homes: Vec<String> = writers.iter().map(|writer| writer.home.clone()).collect();
        let writing = async {
            join_all(writers.iter_mut().map(|writer| writer.write(server_now, events, &progress)))
                .await;
            if dies {
                server_now.kill9();
            }
            progress.send_modify(|progress| progress.is_done = true);
            if dies { None } else { Some(positions(server_now, &homes).await) }
        };
        let reading = join_all(readers.iter_mut().map(|reader| {
            let watched = watched.clone();
            let homes = homes.clone();
            async move { reader.read(server_now, &homes, watched, dies).await }
        }));
        let (last, _) = tokio::join!(writing, reading);
        if dies {
            server.restart().await;
        }
        for (home, seq) in last.into_iter().flatten() {
            let states = server.states(&home, &day(FIRST_DAY), &day(FIRST_DAY + DAYS)).await;
            for reader in &readers {
                let calendar = &reader.calendars[&home];
                assert_eq!(calendar.seq, seq);
                let folded = calendar.states(&day(FIRST_DAY), &day(FIRST_DAY + DAYS));
                assert_eq!(folded, states);
            }
        }
    }
    let told: i64 = readers.iter().map(|reader| reader.told).sum();
    let snapshots: usize = readers.iter().map(|reader| reader.snapshots).sum();
    println!("{told} events told by deltas, {snapshots} snapshots, {} readers", readers.len());
}

/// How soon after a restart everybody is up to date.
const UP_TO_DATE_WITHIN: Duration = Duration::from_secs(3);

async fn three_seconds_after_a_restart_all_who_were_cut_off_have_the_calendar(server: &mut Server) {
    let sockets = if is_proof() { 2_000 } else { 200 };
    let host = server.host().await;
    let guest = server.guest().await;
    let home = server.home(&host).await;
    let homes = [home.clone()];
    let (progress, _watched) = watch::channel(Progress::default());
    let mut writer = Writer { home, guest, chance: Chance::new(7), mine: Vec::new() };
    let mut readers: Vec<Reader> = (0..sockets).map(Reader::new).collect();
    let mut open = Vec::new();
    for reader in &mut readers {
        let mut socket = Socket::open(server).await;
        socket.try_send(reader.subscription(&homes[0])).await;
        reader.take(&socket.message().await.to_string());
        open.push(socket);
    }
    // What happens from here on is heard by some of them, or by none.
    writer.write(server, 10, &progress).await;
    server.kill9();
    drop(open);
    server.restart().await;
    let began = Instant::now();
    let last = &positions(server, &homes).await;
    let server = &*server;
    join_all(readers.iter_mut().map(async |reader| {
        let mut socket = Socket::try_open(server).await.expect("a server that is there again");
        socket.try_send(reader.subscription(&homes[0])).await;
        while !reader.is_at(last) {
            let Heard::Frame(text) = socket.hear().await else { panic!("an early end") };
            reader.take(&text);
        }
        socket
    }))
    .await;
    let took = began.elapsed();
    println!("{sockets} sockets were up to date {took:?} after the restart");
    assert!(took <= UP_TO_DATE_WITHIN, "{took:?}");
    assert!(readers.iter().all(|reader| reader.snapshots == 1), "they were told what they missed");
}

async fn positions(server: &Server, homes: &[String]) -> BTreeMap<String, i64> {
    let mut found = BTreeMap::new();
    for home in homes {
        let calendar = server.calendar(home, &day(1), &day(2)).await.expect(200);
        found.insert(home.clone(), calendar.number("seq"));
    }
    found
}

/// Somebody who changes one home.
struct Writer {
    home: String,
    guest: Person,
    chance: Chance,
    mine: Vec<String>,
}

impl Writer {
    async fn write(&mut self, server: &Server, events: usize, progress: &watch::Sender<Progress>) {
        let mut written = 0;
        while written < events {
            if self.mine.len() > 5 {
                let one = self.chance.place(self.mine.len());
                server.cancel(&self.guest, &self.mine.swap_remove(one)).await.expect(200);
            } else {
                let from = FIRST_DAY + self.chance.days(DAYS.unsigned_abs() - 5);
                let to = from + 1 + self.chance.days(4);
                let answer = server.book(&self.guest, &self.home, &day(from), &day(to)).await;
                if answer.status == 409 {
                    continue;
                }
                self.mine.push(answer.expect(201).text("id"));
            }
            written += 1;
            progress.send_modify(|progress| progress.events += 1);
        }
    }
}

/// What a reader does after it has heard something.
enum Next {
    GoOn,
    /// Come back where it stands.
    ComeBack,
    /// Forget one calendar, and come back for all of them.
    Forget,
    /// Subscribe once more to one of them.
    Again,
    /// Read nothing for some events.
    Dream(usize),
}

impl Reader {
    fn new(seed: u64) -> Self {
        let (epoch, calendars) = (String::new(), BTreeMap::new());
        Self { chance: Chance::new(seed), epoch, calendars, told: 0, snapshots: 0 }
    }

    fn next(&mut self) -> Next {
        match self.chance.below(150) {
            0..=2 => Next::ComeBack,
            3 => Next::Forget,
            4..=6 => Next::Again,
            7..=9 => Next::Dream(1 + self.chance.place(100)),
            _ => Next::GoOn,
        }
    }

    /// Reads until everything is told that was written, or the server is gone.
    async fn read(
        &mut self,
        server: &Server,
        homes: &[String],
        mut progress: watch::Receiver<Progress>,
        dies: bool,
    ) {
        while let Some(mut socket) = Socket::try_open(server).await {
            for home in homes {
                socket.try_send(self.subscription(home)).await;
            }
            loop {
                if !dies && progress.borrow().is_done && self.is_at(&positions(server, homes).await)
                {
                    return;
                }
                let heard = tokio::select! {
                    heard = socket.hear() => heard,
                    _ = progress.wait_for(|progress| progress.is_done), if !progress.borrow().is_done => continue,
                };
                let Heard::Frame(text) = heard else { break };
                self.take(&text);
                let home = &homes[self.chance.place(homes.len())];
                match self.next() {
                    Next::GoOn => {}
                    Next::ComeBack => break,
                    Next::Forget => {
                        self.calendars.remove(home);
                        break;
                    }
                    Next::Again => {
                        socket.try_send(self.subscription(home)).await;
                    }
                    Next::Dream(events) => {
                        let until = progress.borrow().events + events;
                        let woken = progress.wait_for(|now| now.is_done || now.events >= until);
                        let _ = woken.await;
                    }
                }
            }
            if dies && progress.borrow().is_done {
                return;
            }
        }
    }

    fn is_at(&self, last: &BTreeMap<String, i64>) -> bool {
        last.iter().all(|(home, seq)| self.calendars.get(home).is_some_and(|one| one.seq == *seq))
    }

    fn subscription(&self, home: &str) -> Message {
        let (from, to) = (day(FIRST_DAY), day(FIRST_DAY + DAYS));
        let mut message = json!({ "type": "subscribe", "property": home, "from": from, "to": to });
        if let Some(calendar) = self.calendars.get(home) {
            message["after"] = json!({ "epoch": self.epoch, "seq": calendar.seq });
        }
        Message::text(message.to_string())
    }

    fn take(&mut self, text: &str) {
        let message: Value = serde_json::from_str(text).expect("a message");
        let home = message.text("property");
        match message["type"].as_str() {
            Some("snapshot") => {
                self.snapshots += 1;
                self.epoch = message.text("epoch");
                self.calendars.insert(home, Folded::new(&message));
            }
            Some("resumed") => {}
            Some("delta") => {
                let calendar = self.calendars.get_mut(&home).expect("a snapshot before");
                let seq = message.number("seq");
                // What was on its way when a subscription was renewed may come once more.
                if seq > calendar.seq {
                    self.told += seq - calendar.seq;
                    calendar.apply(&message);
                }
            }
            _ => panic!("{message}"),
        }
    }
}
