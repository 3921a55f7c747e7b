// Choosing a stay: the second date may be a day that is taken, the nights between may not, and a
// date that only a rule forbids says so instead of beginning another stay.

import assert from "node:assert/strict";
import { test } from "node:test";
import { NOTHING, barOf, drag, pick, roleOf, stillFree } from "../stay.js";
import { houseWith } from "./house.js";

const booked = { state: "booked" };
const house = houseWith({
  "2027-03-10": booked, "2027-03-11": booked, "2027-03-20": booked,
  "2027-04-01": { min_nights: 3, max_nights: 5 },
  "2027-04-05": { closed_to_departure: true },
});
const from = (check_in, check_out = null) => ({ check_in, check_out });

test("picking walks from nothing to an arrival to a stay and starts over", () => {
  const rows = [
    [NOTHING, "2027-03-08", from("2027-03-08")],
    [from("2027-03-08"), "2027-03-09", from("2027-03-08", "2027-03-09")],
    [from("2027-03-08"), "2027-03-08", from("2027-03-08")],
    [from("2027-03-08"), "2027-03-05", from("2027-03-05")],
    [from("2027-03-01", "2027-03-03"), "2027-03-05", from("2027-03-05")],
  ];
  for (const [before, date, after] of rows) assert.deepEqual(pick(before, date, house), after);
});

test("the day of departure may be taken by the next guest", () => {
  assert.deepEqual(pick(from("2027-03-08"), "2027-03-10", house),
    from("2027-03-08", "2027-03-10"));
  assert.equal(barOf(from("2027-03-08"), "2027-03-10", house), null);
  assert.deepEqual(barOf(from("2027-03-08"), "2027-03-11", house), { why: "booked" });
  assert.deepEqual(barOf(NOTHING, "2027-03-10", house), { why: "booked" });
});

test("a stay never spans a taken night: the later date becomes a new arrival", () => {
  assert.deepEqual(pick(from("2027-03-08"), "2027-03-14", house), from("2027-03-14"));
  assert.deepEqual(pick(from("2027-03-08"), "2027-03-20", house), from("2027-03-08"));
});

test("a departure that a rule forbids is no new arrival and says why", () => {
  const arrived = from("2027-04-01");
  const rows = [
    ["2027-04-03", { why: "min", count: 3 }],
    ["2027-04-04", null],
    ["2027-04-05", { why: "noDeparture" }],
    ["2027-04-06", null],
    ["2027-04-07", { why: "max", count: 5 }],
  ];
  for (const [date, bar] of rows) {
    assert.deepEqual(barOf(arrived, date, house), bar, date);
    const picked = pick(arrived, date, house);
    assert.deepEqual(picked, bar ? arrived : from("2027-04-01", date), date);
  }
});

test("a drag chooses the nights between its ends, whichever came first", () => {
  assert.deepEqual(drag("2027-03-02", "2027-03-05", house), from("2027-03-02", "2027-03-05"));
  assert.deepEqual(drag("2027-03-05", "2027-03-02", house), from("2027-03-02", "2027-03-05"));
  assert.deepEqual(drag("2027-03-02", "2027-03-02", house), from("2027-03-02"));
});

test("what cannot be had of a drag is left out", () => {
  assert.deepEqual(drag("2027-03-08", "2027-03-15", house), from("2027-03-08"));
  assert.deepEqual(drag("2027-03-10", "2027-03-15", house), NOTHING);
});

test("a selection ends when one of its nights is taken, not when its day of departure is", () => {
  assert.equal(stillFree(NOTHING, house), true);
  assert.equal(stillFree(from("2027-03-08"), house), true);
  assert.equal(stillFree(from("2027-03-10"), house), false);
  assert.equal(stillFree(from("2027-03-08", "2027-03-10"), house), true);
  assert.equal(stillFree(from("2027-03-08", "2027-03-12"), house), false);
});

test("each day knows its part in the stay", () => {
  const roles = ["2027-03-07", "2027-03-08", "2027-03-09", "2027-03-10", "2027-03-11"]
    .map((date) => roleOf(from("2027-03-08", "2027-03-10"), date));
  assert.deepEqual(roles, [null, "start", "middle", "end", null]);
  assert.equal(roleOf(from("2027-03-08"), "2027-03-09"), null);
  assert.equal(roleOf(NOTHING, "2027-03-09"), null);
});
