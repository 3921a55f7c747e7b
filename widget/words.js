// Every word that the widget shows or speaks: a table for each language, and what `Intl` makes.
//
// English is always there; the other tables are modules of their own and are loaded when a page
// speaks their language. A table holds plain texts: `{name}` stands for what is put in, and a text
// that counts something has a form for each plural of its language (`Intl.PluralRules`).

import { formatDate, formatRange, weekday } from "./dates.js";
import { ENGLISH } from "./lang/en.js";
import { money, shortMoney } from "./money.js";

const TABLES = {
  ar: () => import("./lang/ar.js"),
  de: () => import("./lang/de.js"),
  es: () => import("./lang/es.js"),
  fr: () => import("./lang/fr.js"),
  it: () => import("./lang/it.js"),
  ja: () => import("./lang/ja.js"),
  nl: () => import("./lang/nl.js"),
  pt: () => import("./lang/pt.js"),
  sw: () => import("./lang/sw.js"),
  tr: () => import("./lang/tr.js"),
  zh: () => import("./lang/zh.js"),
};
// The server's reasons (`reasons` of a 409) in the words for bars; others are shown as they are.
const REASONS = {
  in_past: "past", too_many_guests: "guests", min_nights: "min", max_nights: "max",
  advance_notice: "notice", beyond_window: "window", closed_to_arrival: "noArrival",
  closed_to_departure: "noDeparture", preparation: "preparation", unavailable_booked: "booked",
  unavailable_held: "held", unavailable_blocked: "blocked", property_unlisted: "refused",
};
const loaded = new Map([["en", ENGLISH]]);

const LONG = { weekday: "long", day: "numeric", month: "long", year: "numeric" };
const SHORT = { day: "numeric", month: "short" };
const MONTH = { month: "long", year: "numeric" };

// Inside a night there is room for five characters, so the clock there has no AM and PM.
const TIGHT = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
const HOUR_MS = 3_600_000;

/** The locale to speak in on a page in `lang`: its own where there are words, else English. */
export function localeFor(lang) {
  try {
    const locale = new Intl.Locale(lang);
    return loaded.has(locale.language) || locale.language in TABLES ? locale.toString() : "en";
  } catch {
    return "en";
  }
}

/** Loads the table of `locale`; false when it cannot be had now. */
export async function load(locale) {
  const { language } = new Intl.Locale(locale);
  try {
    loaded.set(language, (await TABLES[language]()).default);
    return true;
  } catch {
    return false;
  }
}

/** `rtl` or `ltr`. */
export function directionOf(locale) {
  const known = new Intl.Locale(locale);
  const { direction } = known.getTextInfo?.() ?? known.textInfo ?? {};
  return direction ?? (known.language === "ar" ? "rtl" : "ltr");
}

/** 0 for Monday to 6 for Sunday. */
export function firstWeekday(locale) {
  const known = new Intl.Locale(locale);
  return ((known.getWeekInfo?.() ?? known.weekInfo)?.firstDay ?? 1) - 1;
}

/** The words in `locale`, which shapes dates and numbers in them; null until they are loaded. */
export function wordsIn(locale) {
  const table = loaded.get(new Intl.Locale(locale).language);
  if (!table) return null;
  const numbers = new Intl.NumberFormat(locale);
  const pairs = new Intl.NumberFormat(locale, { minimumIntegerDigits: 2 });
  const plurals = new Intl.PluralRules(locale);
  const counted = (forms, n) =>
    fill(forms[plurals.select(n)] ?? forms.other, { n: numbers.format(n) });
  // Where the short names are as long as the long ones, the table has shorter ones.
  const weekdays = table.weekdays?.split(" ");
  const nights = (n) => counted(table.nights, n);
  const moment = (instant, time) => {
    // A time while it is near, a date when the time alone would mislead.
    const far = instant - Date.now() > 12 * HOUR_MS;
    return new Intl.DateTimeFormat(locale, far ? { ...SHORT, calendar: "gregory" } : time)
      .format(instant);
  };
  const bars = {
    min: (n) => fill(table.min, { nights: nights(n) }),
    max: (n) => fill(table.max, { nights: nights(n) }),
    notice: (n) => fill(table.notice, { days: counted(table.days, n) }),
    guests: (n) => fill(table.max, { nights: counted(table.guests, n) }),
  };
  /** Why a date cannot be chosen (house.js); "" where there is nothing to say. */
  const bar = ({ why, count }) => (why in bars ? bars[why](count) : table[why]) ?? "";
  return {
    ...table,
    month: (date) => formatDate(date, locale, MONTH),
    weekday: (date) => weekdays?.[weekday(date)] ?? formatDate(date, locale, { weekday: "short" }),
    weekdayName: (date) => formatDate(date, locale, { weekday: "long" }),
    day: (date) => numbers.format(Number(date.slice(8))),
    night: (date, facts) => [formatDate(date, locale, LONG), ...facts].join(table.comma),
    leave: (date) => fill(table.leave, { date: formatDate(date, locale, SHORT) }),
    chosen: (from, to, n) => [formatRange(from, to, locale, SHORT), nights(n)].join(table.comma),
    join: (texts) => texts.join(table.comma),
    money: (minor, currency) => money(locale, minor, currency),
    shortMoney: (minor, currency) => shortMoney(locale, minor, currency),
    prices: (currency) => fill(table.prices, { currency }),
    bar,
    reasons: (reasons) => reasons.map(({ code, limit }) =>
      bar({ why: REASONS[code], count: limit }) || String(code).replaceAll("_", " ")),
    until: (instant) => fill(table.until, { time: moment(instant, { timeStyle: "short" }) }),
    /** What is left of a hold: minutes and seconds in its last hour, before that its end. */
    left: (instant) => {
      const seconds = Math.max(0, Math.ceil((instant - Date.now()) / 1_000));
      if (seconds >= 3_600) return moment(instant, TIGHT);
      return `${pairs.format(Math.floor(seconds / 60))}:${pairs.format(seconds % 60)}`;
    },
  };
}

function fill(text, values) {
  return text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
}
