// Choosing a stay: the second date may be a day that is taken, the nights between may not.

import assert from "node:assert/strict";
import { test } from "node:test";
import { NOTHING, canPick, pick, roleOf, stillFree } from "../selection.js";

const taken = new Set(["2027-03-10", "2027-03-11", "2027-03-20"]);
const isFree = (date) => !taken.has(date);
const from = (check_in, check_out = null) => ({ check_in, check_out });

test("picking walks from nothing to an arrival to a stay and starts over", () => {
  const rows = [
    [NOTHING, "2027-03-08", from("2027-03-08")],
    [from("2027-03-08"), "2027-03-09", from("2027-03-08", "2027-03-09")],
    [from("2027-03-08"), "2027-03-08", from("2027-03-08")],
    [from("2027-03-08"), "2027-03-05", from("2027-03-05")],
    [from("2027-03-01", "2027-03-03"), "2027-03-05", from("2027-03-05")],
  ];
  for (const [before, date, after] of rows) assert.deepEqual(pick(before, date, isFree), after);
});

test("the day of departure may be taken by the next guest", () => {
  assert.deepEqual(pick(from("2027-03-08"), "2027-03-10", isFree),
    from("2027-03-08", "2027-03-10"));
  assert.equal(canPick(from("2027-03-08"), "2027-03-10", isFree), true);
  assert.equal(canPick(from("2027-03-08"), "2027-03-11", isFree), false);
  assert.equal(canPick(NOTHING, "2027-03-10", isFree), false);
});

test("a stay never spans a taken night: the later date becomes a new arrival", () => {
  assert.deepEqual(pick(from("2027-03-08"), "2027-03-14", isFree), from("2027-03-14"));
  assert.deepEqual(pick(from("2027-03-08"), "2027-03-20", isFree), from("2027-03-08"));
});

test("a selection ends when one of its nights is taken, not when its day of departure is", () => {
  assert.equal(stillFree(NOTHING, isFree), true);
  assert.equal(stillFree(from("2027-03-08"), isFree), true);
  assert.equal(stillFree(from("2027-03-10"), isFree), false);
  assert.equal(stillFree(from("2027-03-08", "2027-03-10"), isFree), true);
  assert.equal(stillFree(from("2027-03-08", "2027-03-12"), isFree), false);
});

test("each day knows its part in the stay", () => {
  const roles = ["2027-03-07", "2027-03-08", "2027-03-09", "2027-03-10", "2027-03-11"]
    .map((date) => roleOf(from("2027-03-08", "2027-03-10"), date));
  assert.deepEqual(roles, [null, "start", "middle", "end", null]);
  assert.equal(roleOf(from("2027-03-08"), "2027-03-09"), null);
  assert.equal(roleOf(NOTHING, "2027-03-09"), null);
});
