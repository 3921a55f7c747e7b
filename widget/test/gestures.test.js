// Keys in the grid: arrows follow what the eye sees, also from right to left.

import assert from "node:assert/strict";
import { test } from "node:test";
import { keyed } from "../frame.js";

const MONDAY_FIRST = { weekStart: 0, rtl: false };
const SATURDAY_FIRST = { weekStart: 5, rtl: true };

test("keys lead through days, weeks and months", () => {
  // The 10th of March 2027 is a Wednesday.
  const rows = [
    ["ArrowLeft", "2027-03-09", "2027-03-11"],
    ["ArrowRight", "2027-03-11", "2027-03-09"],
    ["ArrowUp", "2027-03-03", "2027-03-03"],
    ["ArrowDown", "2027-03-17", "2027-03-17"],
    ["Home", "2027-03-08", "2027-03-06"],
    ["End", "2027-03-14", "2027-03-12"],
    ["PageUp", "2027-02-10", "2027-02-10"],
    ["PageDown", "2027-04-10", "2027-04-10"],
    ["Enter", null, null],
    ["toString", null, null],
  ];
  for (const [key, ltr, rtl] of rows) {
    assert.equal(keyed(key, "2027-03-10", MONDAY_FIRST), ltr, key);
    assert.equal(keyed(key, "2027-03-10", SATURDAY_FIRST), rtl, `${key}, from right to left`);
  }
});
