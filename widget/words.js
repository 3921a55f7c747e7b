// Every word the widget shows or speaks, in one place, so that a language is one more table.

import { formatDate, formatRange } from "./dates.js";

const LONG = { weekday: "long", day: "numeric", month: "long", year: "numeric" };
const SHORT = { day: "numeric", month: "short" };

// Inside a night there is room for five characters, so the clock there has no AM and PM.
const TIGHT = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };

/** The locale to speak in on a page in `lang`: its own where there are words, else English. */
export function localeFor(lang) {
  try {
    const locale = new Intl.Locale(lang);
    return locale.language === "en" ? locale.toString() : "en";
  } catch {
    return "en";
  }
}

/** The words in `locale`, which shapes the dates inside them. */
export function wordsIn(locale) {
  const plural = (nights) => (nights === 1 ? "1 night" : `${nights} nights`);
  return {
    calendar: "Availability calendar",
    previous: "Previous month",
    next: "Next month",
    live: { live: "Live", connecting: "Connecting", reconnecting: "Reconnecting" },
    states: {
      available: "Available",
      held: "Held",
      booked: "Booked",
      blocked: "Blocked",
      closed: "Closed",
      past: "Past",
    },
    loading: "Loading the calendar",
    chooseArrival: "Choose a check-in date",
    chooseDeparture: (date) => `From ${formatDate(date, locale, SHORT)}: choose a check-out date`,
    chosen: (from, to, nights) => `${formatRange(from, to, locale, SHORT)}, ${plural(nights)}`,
    taken: "Those nights have just been taken",
    refused: "This calendar is not available",
    month: (date) => formatDate(date, locale, { month: "long", year: "numeric" }),
    weekday: (date) => formatDate(date, locale, { weekday: "short" }),
    weekdayName: (date) => formatDate(date, locale, { weekday: "long" }),
    day: (date) => formatDate(date, locale, { day: "numeric" }),
    night: (date, facts) => [formatDate(date, locale, LONG), ...facts].join(", "),
    stay: { start: "check-in", end: "check-out" },
    onlyDeparture: "free for check-out",
    until: (instant) => `until ${moment(instant, locale, { timeStyle: "short" })}`,
    untilShort: (instant) => moment(instant, locale, TIGHT),
  };
}

// The end of a hold is an instant, shown on the reader's own clock: a time while it is near, a date
// when it is more than half a day away and the time alone would mislead.
function moment(instant, locale, time) {
  const far = instant - Date.now() > 12 * 3_600_000;
  return new Intl.DateTimeFormat(locale, far ? SHORT : time).format(instant);
}
