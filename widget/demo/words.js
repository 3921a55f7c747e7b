// How this site says money, dates and refusals.

import { addDays, daysBetween, formatDate, formatRange } from "../dates.js";
import { decimalOf, digitsOf } from "../words.js";

const LOCALE = document.documentElement.lang;
const SHORT = { day: "numeric", month: "short" };
const FULL = { day: "numeric", month: "short", year: "numeric" };

const REASONS = {
  unavailable_booked: "Already booked",
  unavailable_held: "Held by another guest",
  unavailable_blocked: "Blocked by the host",
  unavailable_external: "Booked elsewhere",
  min_nights: "The stay is shorter than the host allows",
  max_nights: "The stay is longer than the host allows",
  advance_notice: "Too soon: the host needs more notice",
  beyond_window: "Too far ahead to book yet",
  closed_to_arrival: "No arrivals on that day",
  closed_to_departure: "No departures on that day",
  preparation: "The host needs time between stays",
  too_many_guests: "Too many guests for this home",
  property_unlisted: "This home is not open for booking",
  in_past: "Those dates are in the past",
};

const POLICIES = {
  flexible: "Everything back until 24 hours before check-in",
  moderate: "Everything back until 5 days before check-in, then half of the nights",
  strict: "Half of the nights back until 7 days before check-in",
  non_refundable: "Nothing comes back after the booking is confirmed",
};

/** An amount of integer minor units, as `currency` is written: $120.00, ¥12,000, -$5.00. */
export function money(amount, currency) {
  return written(amount, currency, digitsOf(currency));
}

/** The same without a fraction of zeros, for places where a price is a headline. */
export function price(amount, currency) {
  const digits = digitsOf(currency);
  return written(amount, currency, amount % 10 ** digits === 0 ? 0 : digits);
}

function written(amount, currency, places) {
  const fraction = { minimumFractionDigits: places, maximumFractionDigits: places };
  const format = new Intl.NumberFormat(LOCALE, { style: "currency", currency, ...fraction });
  return format.format(decimalOf(amount, digitsOf(currency)));
}

/** What somebody typed in major units as minor units, by its digits; null where it is no amount. */
export function minorUnits(text, currency) {
  const places = digitsOf(currency);
  const match = /^(\d{1,9})(?:[.,](\d+))?$/.exec(text.trim());
  const fraction = match?.[2] ?? "";
  if (!match || fraction.length > places) return null;
  return Number(match[1] + fraction.padEnd(places, "0"));
}

/** The same the other way round, as it is typed: 120, 120.50. */
export function typedAmount(amount, currency) {
  return decimalOf(amount, digitsOf(currency)).replace(/\.0+$/, "");
}

export function stayDates({ check_in, check_out }) {
  return formatRange(check_in, check_out, LOCALE, FULL);
}

export function shortDates({ check_in, check_out }) {
  return formatRange(check_in, check_out, LOCALE, SHORT);
}

export function dayOf(date) {
  return formatDate(date, LOCALE, { weekday: "short", ...SHORT });
}

/** A date with its weekday and year, as a heading says it. */
export function fullDay(date) {
  return formatDate(date, LOCALE, { weekday: "long", ...FULL });
}

/** The month and year in which something happened. */
export function monthAndYear(instant) {
  return formatDate(instant.slice(0, 10), LOCALE, { month: "long", year: "numeric" });
}

/** Where a home is, as far as its host says. */
export function whereIs({ city, country }) {
  return [city, country].filter(Boolean).join(", ");
}

/** `ev_charger` as people write it. */
export function amenity(slug) {
  const text = slug.replaceAll("_", " ").replace(/\b(ev|tv)\b/, (word) => word.toUpperCase());
  return text === "wifi" ? "Wi-Fi" : text[0].toUpperCase() + text.slice(1);
}

export function policy(name) {
  return POLICIES[name] ?? name;
}

/** 4.67 of 5 with one decimal at least, or null without a review. */
export function rating({ avg_rating, review_count }) {
  if (!review_count || avg_rating === null) return null;
  return `${avg_rating.toFixed(1)} · ${counted(review_count, "review")}`;
}

export function nights({ check_in, check_out }) {
  return counted(daysBetween(check_in, check_out), "night");
}

export function counted(count, noun) {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** An instant on the reader's own clock; a line never breaks between 3:40 and PM. */
export function clock(instant) {
  const format = new Intl.DateTimeFormat(LOCALE, { timeStyle: "short" });
  return format.format(new Date(instant)).replaceAll(" ", "\u00a0");
}

/** A reason of a refusal as a sentence; an unknown code is shown as it is. */
export function reason({ code, nights: dates = [], held_until }) {
  const text = REASONS[code] ?? code.replaceAll("_", " ");
  const until = held_until ? ` until ${clock(held_until)}` : "";
  return dates.length > 0 ? `${text}${until}: ${nightList(dates)}` : `${text}${until}`;
}

function nightList(dates) {
  const runs = [];
  for (const date of [...dates].sort()) {
    const run = runs.at(-1);
    if (run && addDays(run.check_out, 1) === date) run.check_out = date;
    else runs.push({ check_in: date, check_out: date });
  }
  return runs.map(shortDates).join(", ");
}
