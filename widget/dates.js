// Civil dates as `YYYY-MM-DD` strings and months as `YYYY-MM` strings.
//
// A night of a stay is a date on a wall calendar, not an instant, so all arithmetic here is on
// whole days counted from 1970-01-01, and dates become numbers and back in UTC, which knows no
// clock change: no viewer's time zone can move a date. Both string forms sort in the order of time,
// so `<` and `>=` compare them. The only places where an instant or a zone appears are `todayIn`
// and `timeIn`, which ask what the wall calendar and the clock of a zone show.

const MS_PER_DAY = 86_400_000;
const FIRST_DAY = -719_162;
const LAST_DAY = 2_932_896;
const formatters = new Map();

/** Days from 1970-01-01 to `date`. */
export function dayNumber(date) {
  return Date.parse(date) / MS_PER_DAY;
}

/** The date that lies `number` days after 1970-01-01, or the nearest of the years 1 to 9999. */
export function dateOf(number) {
  const day = Math.max(FIRST_DAY, Math.min(number, LAST_DAY));
  return new Date(day * MS_PER_DAY).toISOString().slice(0, 10);
}

export function addDays(date, days) {
  return dateOf(dayNumber(date) + days);
}

/** The number of nights in the stay `[from, to)`; negative when reversed. */
export function daysBetween(from, to) {
  return dayNumber(to) - dayNumber(from);
}

/** Every date of the half-open range `[from, to)`, in order. */
export function* datesBetween(from, to) {
  const end = dayNumber(to);
  for (let number = dayNumber(from); number < end; number += 1) yield dateOf(number);
}

/** 0 for Monday to 6 for Sunday. */
export function weekday(date) {
  return (((dayNumber(date) + 3) % 7) + 7) % 7;
}

export function monthOf(date) {
  return date.slice(0, 7);
}

export function firstOf(month) {
  return `${month}-01`;
}

export function addMonths(month, count) {
  const [year, number] = month.split("-").map(Number);
  const total = year * 12 + (number - 1) + count;
  return `${padded(Math.floor(total / 12), 4)}-${padded((total % 12) + 1, 2)}`;
}

export function daysIn(month) {
  return daysBetween(firstOf(month), firstOf(addMonths(month, 1)));
}

export function datesIn(month) {
  return datesBetween(firstOf(month), firstOf(addMonths(month, 1)));
}

/** The same day of the month `count` months later, or the last day of a shorter month. */
export function sameDayIn(date, count) {
  const month = addMonths(monthOf(date), count);
  return `${month}-${padded(Math.min(Number(date.slice(8)), daysIn(month)), 2)}`;
}

/** The date that a wall calendar in `timeZone` (an IANA name) shows at the instant `now`. */
export function todayIn(timeZone, now) {
  const parts = new Intl.DateTimeFormat("en-u-ca-iso8601-nu-latn", {
    timeZone,
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
  }).formatToParts(now);
  const part = (type) => parts.find((each) => each.type === type).value;
  return `${padded(part("year"), 4)}-${part("month")}-${part("day")}`;
}

/** The time that a clock in `timeZone` shows at the instant `now`, as HH:MM. */
export function timeIn(timeZone, now) {
  const clock = { timeZone, hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
  return new Intl.DateTimeFormat("en-u-nu-latn", clock).format(now);
}

/** `date` in the words of `locale`; `options` are those of `Intl.DateTimeFormat`. */
export function formatDate(date, locale, options) {
  return formatter(locale, options).format(dayNumber(date) * MS_PER_DAY);
}

/** The stay `[from, to]` in the words of `locale`, shared parts said once. */
export function formatRange(from, to, locale, options) {
  return formatter(locale, options).formatRange(
    dayNumber(from) * MS_PER_DAY,
    dayNumber(to) * MS_PER_DAY,
  );
}

// Making a formatter costs far more than using it. Some locales (Saudi Arabia's, Iran's) would
// count other months than the grid shows, hence the calendar.
function formatter(locale, options) {
  const key = `${locale} ${JSON.stringify(options)}`;
  if (!formatters.has(key)) {
    const pinned = { ...options, timeZone: "UTC", calendar: "gregory" };
    formatters.set(key, new Intl.DateTimeFormat(locale, pinned));
  }
  return formatters.get(key);
}

function padded(number, width) {
  return String(number).padStart(width, "0");
}
