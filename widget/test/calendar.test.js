// The fold against a naive model that keeps one plain object per night and knows no shortcuts.

import assert from "node:assert/strict";
import { test } from "node:test";
import { agrees, crc32, digestOf, fold, fromSnapshot } from "../calendar.js";
import { addDays, datesBetween, daysBetween } from "../dates.js";
import { randomFrom } from "./random.js";

const FROM = "2027-01-01";
const TO = "2028-03-01";
const STATES = ["available", "held", "booked", "blocked", "closed"];

const snapshot = (more = {}) => ({
  type: "snapshot", property: "p", epoch: "e", seq: 10, from: FROM, to: TO, ranges: [], rules: {},
  ...more,
});
const delta = (more = {}) => ({
  type: "delta", property: "p", epoch: "e", prev_seq: 10, seq: 11, changes: [], digests: {},
  ...more,
});

test("crc32 gives the published check value of ISO-HDLC and the known edges", () => {
  assert.equal(crc32("123456789"), "cbf43926");
  assert.equal(crc32(""), "00000000");
  assert.equal(crc32("a"), "e8b7be43");
});

test("a month's digest is the crc of one letter for each of its nights", () => {
  const ranges = [
    { from: "2027-02-02", to: "2027-02-04", state: "held", until: "2026-12-01T10:00:00Z" },
    { from: "2027-02-04", to: "2027-02-05", state: "booked" },
    { from: "2027-02-05", to: "2027-02-06", state: "blocked" },
    { from: "2027-02-28", to: "2027-03-02", state: "closed" },
  ];
  const calendar = fromSnapshot(snapshot({ ranges }));
  assert.equal(digestOf(calendar, "2027-02"), crc32(`ahhbk${"a".repeat(22)}c`));
  assert.equal(digestOf(calendar, "2027-03"), crc32(`c${"a".repeat(30)}`));
  assert.equal(digestOf(calendar, "2028-02"), crc32("a".repeat(29)));
});

test("a thousand random histories fold to what the naive model says", () => {
  for (let seed = 1; seed <= 1_000; seed += 1) {
    const random = randomFrom(seed);
    const model = new Map();
    for (const date of datesBetween(FROM, TO)) model.set(date, { state: "available" });
    let calendar = fromSnapshot(snapshot());
    for (let step = 0; step < 8; step += 1) {
      const change = randomChange(random);
      for (const [date, night] of model) {
        if (date < change.from || date >= change.to) continue;
        const { from, to, ...facts } = change;
        const until = "state" in facts ? facts.until : night.until;
        const next = { ...night, ...facts, until };
        if (until === undefined) delete next.until;
        model.set(date, next);
      }
      const frame = delta({ prev_seq: 10 + step, seq: 11 + step, changes: [change] });
      const folded = fold(calendar, frame);
      assert.equal(folded.verdict, "applied", `seed ${seed}`);
      calendar = folded.calendar;
    }
    assert.deepEqual(calendar.nights, model, `seed ${seed}`);
    assert.equal(calendar.seq, 18);
  }
});

function randomChange(random) {
  const start = addDays(FROM, random(daysBetween(FROM, TO) + 60) - 30);
  const change = { from: start, to: addDays(start, 1 + random(40)) };
  if (random(4) > 0) change.state = STATES[random(STATES.length)];
  if (change.state === "held") change.until = `2026-12-01T10:${10 + random(50)}:00Z`;
  if (random(3) === 0) change.price = 1_000 + random(9_000);
  if (random(5) === 0) change.min_nights = 1 + random(5);
  return change;
}

test("folding leaves the old calendar as it was", () => {
  const before = fromSnapshot(snapshot());
  const changes = [{ from: "2027-01-05", to: "2027-01-07", state: "booked" }];
  const { calendar: after } = fold(before, delta({ changes }));
  assert.equal(before.nights.get("2027-01-05").state, "available");
  assert.equal(before.seq, 10);
  assert.equal(after.nights.get("2027-01-06").state, "booked");
  assert.equal(after.nights.get("2027-01-07").state, "available");
});

test("each kind of delta gets its verdict, and only an applied one moves the calendar", () => {
  const calendar = fromSnapshot(snapshot());
  const rows = [
    [{}, "applied"],
    [{ prev_seq: 10, seq: 14 }, "applied"],
    [{ prev_seq: 11, seq: 12 }, "gap"],
    [{ prev_seq: 9, seq: 12 }, "gap"],
    [{ prev_seq: 9, seq: 10 }, "known"],
    [{ prev_seq: 4, seq: 5 }, "known"],
    [{ reset: true }, "reset"],
    [{ epoch: "other" }, "mismatch"],
    [{ epoch: "other", prev_seq: 1, seq: 2 }, "mismatch"],
    [{ digests: { "2027-01": "00000000" } }, "mismatch"],
    [{ changes: [{ from: "2027-01-01", to: "2027-01-02", state: "odd" }],
      digests: { "2027-01": crc32("a".repeat(31)) } }, "mismatch"],
  ];
  for (const [facts, verdict] of rows) {
    const folded = fold(calendar, delta(facts));
    assert.equal(folded.verdict, verdict, JSON.stringify(facts));
    if (verdict !== "applied") assert.equal(folded.calendar, calendar);
  }
});

test("digests are judged for months wholly inside the window only", () => {
  const calendar = fromSnapshot(snapshot({ from: "2027-01-02", to: "2027-02-28" }));
  assert.equal(agrees(calendar, { "2027-01": "bad", "2027-02": "bad", "2030-01": "bad" }), true);
  const wide = fromSnapshot(snapshot());
  assert.equal(agrees(wide, { "2027-02": crc32("a".repeat(28)) }), true);
  assert.equal(agrees(wide, { "2027-02": crc32("a".repeat(29)) }), false);
});

test("a hold's deadline goes with its state, other facts stay until they change", () => {
  const held = { state: "held", until: "2026-12-01T10:00:00Z", price: 900 };
  const ranges = [{ from: "2027-01-01", to: "2027-01-02", ...held }];
  const night = (facts) => {
    const changes = [{ from: "2027-01-01", to: "2027-01-02", ...facts }];
    return fold(fromSnapshot(snapshot({ ranges })), delta({ changes }))
      .calendar.nights.get("2027-01-01");
  };
  assert.deepEqual(night({ state: "available" }), { state: "available", price: 900 });
  assert.deepEqual(night({ price: 800 }), { ...held, price: 800 });
  assert.deepEqual(night({ price: null }), { state: "held", until: held.until });
});

test("rules are replaced when a delta brings them and kept when it does not", () => {
  const calendar = fromSnapshot(snapshot({ rules: { timezone: "UTC" } }));
  assert.deepEqual(fold(calendar, delta()).calendar.rules, { timezone: "UTC" });
  assert.deepEqual(fold(calendar, delta({ rules: { timezone: "Asia/Tokyo" } })).calendar.rules,
    { timezone: "Asia/Tokyo" });
});

test("a change without a near end costs no more than the window", () => {
  const changes = [{ from: "0001-01-01", to: "9999-12-31", state: "closed" }];
  const { calendar } = fold(fromSnapshot(snapshot()), delta({ changes }));
  assert.equal(calendar.nights.size, daysBetween(FROM, TO));
  assert.ok([...calendar.nights.values()].every(({ state }) => state === "closed"));
});
