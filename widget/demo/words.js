// How this page says money, dates and refusals.

import { addDays, daysBetween, formatDate, formatRange } from "../dates.js";

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

/** An amount of integer minor units, as `currency` is written: $120.00, ¥12,000. */
export function money(minorUnits, currency) {
  const format = new Intl.NumberFormat(LOCALE, { style: "currency", currency });
  return format.format(minorUnits / 10 ** format.resolvedOptions().maximumFractionDigits);
}

/** The same without a fraction of zeros, for places where a price is a headline. */
export function price(minorUnits, currency) {
  return money(minorUnits, currency).replace(/[.,]0+(?=\D*$)/, "");
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
