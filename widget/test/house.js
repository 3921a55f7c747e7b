// A house for tests: open from March to May 2027 but for what is said of single nights.

import { fromSnapshot } from "../calendar.js";
import { addDays } from "../dates.js";
import { House } from "../stay.js";

export const NOON = Date.parse("2027-03-01T12:00:00Z");

export function houseWith(nights, rules = {}, now = NOON) {
  const ranges = Object.entries(nights)
    .map(([from, facts]) => ({ from, to: addDays(from, 1), ...facts }));
  const frame = {
    property: "p", epoch: "e", seq: 1, from: "2027-03-01", to: "2027-06-01", ranges,
    rules: { timezone: "UTC", currency: "EUR", ...rules },
  };
  return new House(fromSnapshot(frame), now);
}
