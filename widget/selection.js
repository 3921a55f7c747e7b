// Choosing a stay by two dates: the first is the night of arrival, the second the day of departure.
//
// A selection is `{check_in, check_out}`, either part null, and every function is pure. `isFree`
// tells whether a night can be slept in. The day of departure needs no free night: a house that is
// taken from that day on can still be left in the morning.

import { datesBetween } from "./dates.js";

export const NOTHING = Object.freeze({ check_in: null, check_out: null });

/** The selection after `date` was picked; the given one when `date` cannot be picked. */
export function pick(selection, date, isFree) {
  if (canLeave(selection, date, isFree)) {
    return { check_in: selection.check_in, check_out: date };
  }
  if (isFree(date)) return { check_in: date, check_out: null };
  return selection;
}

/** Whether picking `date` would do anything. */
export function canPick(selection, date, isFree) {
  return isFree(date) || canLeave(selection, date, isFree);
}

/** Whether `date` can be the departure of the arrival chosen so far. */
export function canLeave({ check_in, check_out }, date, isFree) {
  return check_in !== null && check_out === null && date > check_in
    && allFree(check_in, date, isFree);
}

/** Whether every night of the selection can still be slept in. */
export function stillFree({ check_in, check_out }, isFree) {
  if (check_in === null) return true;
  return check_out === null ? isFree(check_in) : allFree(check_in, check_out, isFree);
}

/** How a day looks in the selection: `start`, `middle`, `end`, or null. */
export function roleOf({ check_in, check_out }, date) {
  if (check_in === null || date < check_in) return null;
  if (date === check_in) return "start";
  if (check_out === null || date > check_out) return null;
  return date === check_out ? "end" : "middle";
}

function allFree(from, to, isFree) {
  for (const date of datesBetween(from, to)) if (!isFree(date)) return false;
  return true;
}
