// The calendar of one property as a pure fold: a snapshot, then deltas in the order of `seq`.
//
// A calendar is a plain value `{property, epoch, seq, from, to, rules, nights}`; `nights` maps each
// date of the half-open window `[from, to)` to `{state, until?, price?, min_nights?, …}`. Folding
// returns a new value and never alters the old one. The fold judges every delta before it believes
// it, and the verdict says what a reader must do next; it knows no sockets and no clock.

import { addMonths, datesBetween, datesIn, firstOf } from "./dates.js";

const LETTERS = { available: "a", held: "h", booked: "b", blocked: "k", closed: "c" };
const AVAILABLE = Object.freeze({ state: "available" });

/** The calendar that a snapshot frame describes. */
export function fromSnapshot(frame) {
  const nights = new Map();
  for (const date of datesBetween(frame.from, frame.to)) nights.set(date, AVAILABLE);
  const calendar = {
    property: frame.property,
    epoch: frame.epoch,
    seq: frame.seq,
    from: frame.from,
    to: frame.to,
    rules: frame.rules ?? {},
    nights,
  };
  for (const range of frame.ranges) write(calendar, range);
  return calendar;
}

/**
 * Folds one delta. The verdicts:
 * `applied`   the returned calendar stands at the delta's seq and its digests match;
 * `known`     the delta is not newer than the calendar, nothing to do;
 * `gap`       deltas are missing before this one: resume from the calendar's seq;
 * `reset`     the server asks for a new snapshot;
 * `mismatch`  the digests or the histories differ: nothing folded so far can be trusted.
 * Only `applied` returns a new calendar, all others return the given one.
 */
export function fold(calendar, delta) {
  if (delta.epoch !== calendar.epoch) return { verdict: "mismatch", calendar };
  if (delta.seq <= calendar.seq) return { verdict: "known", calendar };
  if (delta.prev_seq !== calendar.seq) return { verdict: "gap", calendar };
  if (delta.reset) return { verdict: "reset", calendar };
  const next = {
    ...calendar,
    seq: delta.seq,
    rules: delta.rules ?? calendar.rules,
    nights: new Map(calendar.nights),
  };
  for (const change of delta.changes) write(next, change);
  if (!agrees(next, delta.digests)) return { verdict: "mismatch", calendar };
  return { verdict: "applied", calendar: next };
}

/** Whether every digest of a month that lies wholly inside the window matches. */
export function agrees(calendar, digests = {}) {
  return Object.entries(digests).every(
    ([month, digest]) => !covers(calendar, month) || digestOf(calendar, month) === digest,
  );
}

/** CRC-32 over one letter for each night of `month`. */
export function digestOf(calendar, month) {
  let letters = "";
  for (const date of datesIn(month)) letters += LETTERS[calendar.nights.get(date)?.state] ?? "?";
  return crc32(letters);
}

/**
 * CRC-32 as in ISO-HDLC (zip, Ethernet) of a text in ASCII, as eight lower-case hex digits. Server
 * and widget compute it over the same short text; equal digests mean equal calendars.
 */
export function crc32(text) {
  let rest = -1;
  for (const letter of text) {
    rest ^= letter.charCodeAt(0);
    for (let bit = 0; bit < 8; bit += 1) rest = rest & 1 ? (rest >>> 1) ^ 0xedb88320 : rest >>> 1;
  }
  return (~rest >>> 0).toString(16).padStart(8, "0");
}

function covers(calendar, month) {
  return calendar.from <= firstOf(month) && firstOf(addMonths(month, 1)) <= calendar.to;
}

// A range is clipped to the window before it is walked, since a host may close a property for
// years and the window is the only part that this reader keeps.
function write(calendar, { from, to, ...facts }) {
  const start = from > calendar.from ? from : calendar.from;
  const end = to < calendar.to ? to : calendar.to;
  for (const date of datesBetween(start, end)) {
    calendar.nights.set(date, changed(calendar.nights.get(date), facts));
  }
}

// Facts that a change leaves out keep their value, except that a deadline belongs to the state it
// came with: a night that is no longer held, or held anew, must not show the old one.
function changed(night, facts) {
  const next = { ...night };
  if ("state" in facts) delete next.until;
  for (const [name, value] of Object.entries(facts)) {
    if (value === null) delete next[name];
    else next[name] = value;
  }
  return next;
}
