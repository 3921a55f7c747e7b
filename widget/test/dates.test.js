// Civil dates are checked against a calendar that is counted off day by day, and at the places
// where calendars usually break: month ends, leap years, clock changes, zones far from UTC.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  addDays, addMonths, dateOf, datesBetween, datesIn, dayNumber, daysBetween, daysIn, formatRange,
  monthOf, sameDayIn, todayIn, weekday,
} from "../dates.js";

test("every day from 1890 to 2110 is one more than the day before, and converts back", () => {
  let number = -29_219;
  for (let year = 1890; year < 2110; year += 1) {
    const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
    const lengths = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    for (const [index, length] of lengths.entries()) {
      for (let day = 1; day <= length; day += 1) {
        const two = (part) => String(part).padStart(2, "0");
        const date = `${year}-${two(index + 1)}-${two(day)}`;
        assert.equal(dateOf(number), date);
        assert.equal(dayNumber(date), number);
        number += 1;
      }
    }
  }
  assert.equal(dayNumber("1970-01-01"), 0);
});

test("days before and after all calendars are their first and last ones", () => {
  assert.equal(addDays("2027-01-01", 2 ** 40), "9999-12-31");
  assert.equal(addDays("2027-01-01", -(2 ** 40)), "0001-01-01");
});

test("the last day of February follows the leap years", () => {
  const rows = [
    ["2023-02", 28], ["2024-02", 29], ["1900-02", 28], ["2000-02", 29], ["2100-02", 28],
  ];
  for (const [month, days] of rows) assert.equal(daysIn(month), days, month);
  assert.equal(addDays("2024-02-28", 1), "2024-02-29");
  assert.equal(addDays("2023-02-28", 1), "2023-03-01");
  assert.equal(daysBetween("2024-02-01", "2024-03-01"), 29);
});

test("days cross months and years in both directions", () => {
  const rows = [
    ["2026-12-31", 1, "2027-01-01"], ["2027-01-01", -1, "2026-12-31"],
    ["2026-04-30", 1, "2026-05-01"], ["2026-01-31", 365, "2027-01-31"],
    ["0001-01-01", 0, "0001-01-01"], ["9999-12-30", 1, "9999-12-31"],
  ];
  for (const [from, days, to] of rows) assert.equal(addDays(from, days), to);
});

test("months are added over the turn of the year, and a missing day becomes the last one", () => {
  assert.equal(addMonths("2026-12", 1), "2027-01");
  assert.equal(addMonths("2026-01", -1), "2025-12");
  assert.equal(addMonths("2026-05", 13), "2027-06");
  assert.equal(addMonths("2026-05", -17), "2024-12");
  assert.equal(sameDayIn("2026-01-31", 1), "2026-02-28");
  assert.equal(sameDayIn("2027-12-31", 2), "2028-02-29");
  assert.equal(sameDayIn("2026-03-15", -1), "2026-02-15");
});

test("a range of nights leaves out the day of departure and may be empty", () => {
  assert.deepEqual([...datesBetween("2026-02-27", "2026-03-02")],
    ["2026-02-27", "2026-02-28", "2026-03-01"]);
  assert.deepEqual([...datesBetween("2026-02-27", "2026-02-27")], []);
  assert.deepEqual([...datesBetween("2026-02-27", "2026-02-20")], []);
  assert.equal([...datesIn("2026-11")].length, 30);
});

test("weekdays count from Monday", () => {
  assert.equal(weekday("2024-01-01"), 0);
  assert.equal(weekday("2026-11-22"), 6);
  assert.equal(weekday("1969-12-31"), 2);
});

test("no date is lost or doubled where clocks change, whatever zone this process runs in", () => {
  const before = process.env.TZ;
  try {
    for (const zone of ["America/New_York", "Europe/Berlin", "America/Sao_Paulo", "Asia/Tehran",
      "Pacific/Apia", "Australia/Lord_Howe"]) {
      process.env.TZ = zone;
      const dates = [...datesBetween("2011-12-25", "2012-12-25")];
      assert.equal(new Set(dates).size, 366, zone);
      dates.forEach((date, index) => assert.equal(addDays("2011-12-25", index), date));
    }
  } finally {
    if (before === undefined) delete process.env.TZ;
    else process.env.TZ = before;
  }
});

test("today is what the wall calendar of the zone shows", () => {
  const rows = [
    ["2026-03-08T06:59:59Z", "America/New_York", "2026-03-08"],
    ["2026-03-09T03:59:59Z", "America/New_York", "2026-03-08"],
    ["2026-03-09T04:00:00Z", "America/New_York", "2026-03-09"],
    ["2026-12-31T10:00:00Z", "Pacific/Kiritimati", "2027-01-01"],
    ["2027-01-01T11:00:00Z", "Pacific/Pago_Pago", "2027-01-01"],
    ["2027-01-01T10:59:59Z", "Pacific/Pago_Pago", "2026-12-31"],
    ["2028-02-29T23:30:00Z", "UTC", "2028-02-29"],
  ];
  for (const [instant, zone, date] of rows) {
    assert.equal(todayIn(zone, Date.parse(instant)), date, `${instant} ${zone}`);
  }
});

test("a formatted stay names the dates it was given", () => {
  const text = formatRange("2026-03-08", "2026-03-09", "en", { day: "numeric", month: "short" });
  assert.match(text, /^Mar 8\s–\s9$/);
  assert.equal(monthOf("2026-03-08"), "2026-03");
});
