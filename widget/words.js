// Every word that the widget shows or speaks: a table for each language, and what `Intl` makes.
//
// English is always there; the other tables are modules of their own and are loaded when a page
// speaks their language. A table holds plain texts: `{name}` stands for what is put in, and a text
// that counts something has a form for each plural of its language (`Intl.PluralRules`).
//
// Amounts of integer minor units are written as a locale writes its money. How many minor digits a
// currency has is ISO 4217's business, and the server reckons by it. `Intl` follows everyday usage
// instead, where some currencies have lost their cents (it writes IDR and COP so); by its count an
// amount would look a hundred times too large. An amount becomes a decimal text and never a
// floating point number of its own.

import { formatDate, formatRange, weekday } from "./dates.js";
import { ENGLISH } from "./lang/en.js";

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

const NO_DIGITS = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF";
const THREE_DIGITS = "BHD IQD JOD KWD LYD OMR TND";

// From this many units on there is no room in a night for all digits.
const COMPACT_FROM = 10_000;
// Up to this many units a rounded price would say too little.
const EXACT_BELOW = 10;

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

/** The `lang` of the element or of its nearest ancestor, through shadow roots; "" for none. */
export function languageOf(element) {
  for (let place = element; place; place = place.getRootNode().host) {
    const spoken = place.closest("[lang]");
    if (spoken) return spoken.lang;
  }
  return "";
}

/** `rtl` or `ltr`: that of the words, which are those of a language whatever script it names. */
export function directionOf(locale) {
  return new Intl.Locale(locale).language === "ar" ? "rtl" : "ltr";
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
  /** Why a date cannot be chosen (stay.js); "" where there is nothing to say. */
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

/** `minor` units in full, like `$1,234.50`; "" where it is no amount of a currency. */
export function money(locale, minor, currency) {
  return written(locale, minor, currency, (digits) => ({
    style: "currency", currency, minimumFractionDigits: digits, maximumFractionDigits: digits,
  }));
}

/** The same in about five characters, like `$1,235`; without its currency where that is long. */
export function shortMoney(locale, minor, currency) {
  return written(locale, minor, currency, (digits, units) => ({
    ...(hasSign(locale, currency)
      ? { style: "currency", currency, currencyDisplay: "narrowSymbol" }
      : {}),
    notation: units < COMPACT_FROM ? "standard" : "compact",
    minimumFractionDigits: 0,
    maximumFractionDigits: units >= COMPACT_FROM ? 1 : units < EXACT_BELOW ? digits : 0,
  }));
}

/** `minor` units as a decimal text with so many digits behind its point. */
export function decimalOf(minor, digits) {
  const text = String(Math.abs(minor)).padStart(digits + 1, "0");
  const units = text.slice(0, text.length - digits);
  return `${minor < 0 ? "-" : ""}${units}${digits > 0 ? `.${text.slice(-digits)}` : ""}`;
}

/** How many digits the minor units of a currency make, by ISO 4217. */
export function digitsOf(currency) {
  return NO_DIGITS.includes(currency) ? 0 : THREE_DIGITS.includes(currency) ? 3 : 2;
}

function written(locale, minor, currency, options) {
  if (!Number.isSafeInteger(minor) || minor < 0 || !/^[A-Z]{3}$/.test(currency)) return "";
  const digits = digitsOf(currency);
  const decimal = decimalOf(minor, digits);
  return new Intl.NumberFormat(locale, options(digits, Math.trunc(decimal))).format(decimal);
}

function hasSign(locale, currency) {
  const format = new Intl.NumberFormat(locale, {
    style: "currency", currency, currencyDisplay: "narrowSymbol",
  });
  const parts = format.formatToParts(0);
  return parts.find(({ type }) => type === "currency").value.length === 1;
}
