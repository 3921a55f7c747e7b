// Choosing a stay by two dates: the first is the night of arrival, the second the day of departure.
//
// A selection is `{check_in, check_out}`, either part null, and every function is pure. A house
// (house.js) says which dates can be chosen. The day of departure needs no free night: a house that
// is taken from that day on can still be left in the morning.

import { datesBetween } from "./dates.js";

export const NOTHING = Object.freeze({ check_in: null, check_out: null });

/** The selection after `date` was picked; the given one when `date` cannot be picked. */
export function pick(selection, date, house) {
  if (barOf(selection, date, house)) return selection;
  return canLeave(selection, date, house)
    ? { check_in: selection.check_in, check_out: date }
    : { check_in: date, check_out: null };
}

/** The selection after dragging between two dates; what can be had of it, from the earlier one. */
export function drag(one, other, house) {
  const [check_in, check_out] = one < other ? [one, other] : [other, one];
  if (house.arrival(check_in)) return NOTHING;
  const complete = check_in < check_out && !house.departure(check_in, check_out);
  return { check_in, check_out: complete ? check_out : null };
}

/**
 * Why picking `date` would do nothing, else null. A date that only a rule keeps from being the
 * departure is not taken for a new arrival, because that is not what was meant.
 */
export function barOf(selection, date, house) {
  if (awaitsDeparture(selection) && date > selection.check_in) {
    const bar = house.departure(selection.check_in, date);
    if (bar?.why !== "taken") return bar;
  }
  return house.arrival(date);
}

/** Whether `date` can be the departure of the arrival chosen so far. */
export function canLeave(selection, date, house) {
  return awaitsDeparture(selection) && date > selection.check_in
    && !house.departure(selection.check_in, date);
}

/** Whether every night of the selection can still be slept in. */
export function stillFree({ check_in, check_out }, { isFree }) {
  if (check_in === null) return true;
  if (check_out === null) return isFree(check_in);
  return [...datesBetween(check_in, check_out)].every(isFree);
}

/** How a day looks in the selection: `start`, `middle`, `end`, or null. */
export function roleOf({ check_in, check_out }, date) {
  if (check_in === null || date < check_in) return null;
  if (date === check_in) return "start";
  if (check_out === null || date > check_out) return null;
  return date === check_out ? "end" : "middle";
}

function awaitsDeparture({ check_in, check_out }) {
  return check_in !== null && check_out === null;
}
