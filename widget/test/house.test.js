// Which dates can be chosen, by the terms of nights, by rules and by today.

import assert from "node:assert/strict";
import { test } from "node:test";
import { addDays } from "../dates.js";
import { House } from "../stay.js";
import { NOON, houseWith } from "./house.js";

const booked = { state: "booked" };

test("a stay can begin where its first night is free and open to arrivals", () => {
  const house = houseWith({
    "2027-03-05": booked,
    "2027-03-06": { closed_to_arrival: true },
    "2027-03-07": { state: "held", until: "2027-03-01T12:10:00Z" },
  });
  assert.equal(house.arrival("2027-03-04"), null);
  assert.deepEqual(house.arrival("2027-03-05"), { why: "booked" });
  assert.deepEqual(house.arrival("2027-03-06"), { why: "noArrival" });
  assert.deepEqual(house.arrival("2027-03-07"), { why: "held" });
  assert.deepEqual(house.arrival("2027-02-28"), { why: undefined }, "a night nobody knows");
});

test("a gap shorter than the shortest stay has no arrival in it", () => {
  const house = houseWith({ "2027-03-08": booked }, { min_nights: 3 });
  assert.equal(house.arrival("2027-03-05"), null);
  assert.deepEqual(house.arrival("2027-03-06"), { why: "min", count: 3 });
  assert.deepEqual(house.arrival("2027-03-07"), { why: "min", count: 3 });
});

test("the night of arrival says how long a stay is, before the rules of the property", () => {
  const house = houseWith({ "2027-03-05": { min_nights: 1, max_nights: 2 } }, { min_nights: 3 });
  assert.deepEqual(house.limits("2027-03-05"), { min: 1, max: 2 });
  assert.deepEqual(house.limits("2027-03-06"), { min: 3, max: undefined });
  assert.equal(house.departure("2027-03-05", "2027-03-07"), null);
  assert.deepEqual(house.departure("2027-03-05", "2027-03-08"), { why: "max", count: 2 });
  assert.deepEqual(house.departure("2027-03-06", "2027-03-08"), { why: "min", count: 3 });
});

test("an arrival needs a day on which a stay may end", () => {
  const shut = { closed_to_departure: true };
  const house = houseWith({
    "2027-03-06": shut, "2027-03-07": shut, "2027-03-08": { ...shut, ...booked },
  });
  assert.deepEqual(house.arrival("2027-03-05"), { why: "noDeparture" });
  assert.equal(house.arrival("2027-03-04"), null);
});

test("notice and window are counted from today on the property's own wall", () => {
  const advance_notice = { days: 2 };
  const rules = { timezone: "Pacific/Kiritimati", advance_notice, booking_window_days: 30 };
  const house = houseWith({}, rules);
  assert.equal(house.today, "2027-03-02");
  assert.deepEqual(house.arrival("2027-03-01"), { why: "past" });
  assert.deepEqual(house.arrival("2027-03-03"), { why: "notice", count: 2 });
  assert.equal(house.arrival("2027-03-04"), null);
  assert.equal(house.arrival("2027-03-31"), null);
  assert.deepEqual(house.arrival("2027-04-01"), { why: "window" });
  assert.equal(house.departure("2027-03-30", "2027-04-01"), null);
  assert.deepEqual(house.departure("2027-03-30", "2027-04-02"), { why: "window" });
});

test("after the cut-off by the property's clock a booking counts as one of the next day", () => {
  // Noon in UTC is 02:00 of the next day on Kiritimati.
  for (const [cut_off, first] of [["02:01", "2027-03-03"], ["02:00", "2027-03-04"]]) {
    const advance_notice = { days: 1, cut_off };
    const house = houseWith({}, { timezone: "Pacific/Kiritimati", advance_notice });
    assert.deepEqual(house.arrival(addDays(first, -1)), { why: "notice", count: 1 });
    assert.equal(house.arrival(first), null);
  }
});

test("what lies after the known window is given the benefit of the doubt", () => {
  const house = houseWith({}, { min_nights: 7 });
  assert.equal(house.arrival("2027-05-30"), null);
});

test("a zone that is none and rules that are nonsense leave the calendar usable", () => {
  const advance_notice = { days: "x", cut_off: 7 };
  const nonsense = { timezone: "<b>", advance_notice, booking_window_days: "y" };
  const house = houseWith({}, nonsense);
  assert.equal(house.today, "2027-03-01");
  assert.equal(house.arrival("2027-03-02"), null);
});

test("a house without a calendar knows nothing and breaks nothing", () => {
  const house = new House(null, NOON);
  assert.equal(house.today, "2027-03-01");
  assert.equal(house.isFree("2027-03-02"), false);
  assert.deepEqual(house.arrival("2027-03-02"), { why: undefined });
});
