// Which stays can be chosen: what the rules of a house say of dates, and a choice of two of them.
//
// A night is `available` or not by the calendar alone; whether a stay may begin or end on a date
// follows from the night's own terms, from the rules of the property, and from today. Where a date
// cannot be chosen the answer is `{why, count?}`, else null. The server stays the judge: what it
// alone knows (nights of preparation) is told when a price is asked for.
//
// A selection is `{check_in, check_out}`, either part null, and the functions of it are pure. Its
// first date is the night of arrival, its second the day of departure, which needs no free night: a
// house that is taken from that day on can still be left in the morning.

import { addDays, datesBetween, daysBetween, timeIn, todayIn } from "./dates.js";

export const NOTHING = Object.freeze({ check_in: null, check_out: null });

/** What the rules of a house say about one reader's dates, at one moment. */
export class House {
  #calendar;
  #firstArrival;
  #noticeDays;
  #end;
  #bars = new Map();

  /** `calendar` is a folded one or null, `now` an instant in milliseconds. */
  constructor(calendar, now) {
    const { timezone, advance_notice, booking_window_days } = calendar?.rules ?? {};
    const { days, cut_off } = advance_notice ?? {};
    this.#calendar = calendar;
    this.today = local(todayIn, timezone, now);
    // After the cut-off a booking counts as one of the next day.
    const isLate = typeof cut_off === "string" && local(timeIn, timezone, now) >= cut_off;
    this.#noticeDays = Number.isInteger(days) ? days : 0;
    this.#firstArrival = addDays(this.today, this.#noticeDays + (isLate ? 1 : 0));
    this.#end = Number.isInteger(booking_window_days)
      ? addDays(this.today, booking_window_days)
      : null;
  }

  /** The night's state, `past` before today on the property's own wall, or undefined. */
  stateOf(date) {
    const state = this.#night(date)?.state;
    return state && date < this.today ? "past" : state;
  }

  isFree = (date) => this.stateOf(date) === "available";

  /** The fewest and the most nights of a stay that arrives on `date`. */
  limits(date) {
    const { min_nights, max_nights } = this.#night(date) ?? {};
    const { rules } = this.#calendar;
    return { min: min_nights ?? rules.min_nights ?? 1, max: max_nights ?? rules.max_nights };
  }

  /** Why no stay can begin on `date`; null where one can. */
  arrival(date) {
    if (!this.#bars.has(date)) this.#bars.set(date, this.#judgeArrival(date));
    return this.#bars.get(date);
  }

  /** Why a stay that arrives on `check_in` cannot end on `date`; null where it can. */
  departure(check_in, date) {
    for (const night of datesBetween(check_in, date)) {
      if (!this.isFree(night)) return { why: "taken" };
    }
    const { min, max } = this.limits(check_in);
    const nights = daysBetween(check_in, date);
    if (nights < min) return { why: "min", count: min };
    if (nights > max) return { why: "max", count: max };
    if (this.#isBeyond(addDays(date, -1))) return { why: "window" };
    return this.#night(date)?.closed_to_departure ? { why: "noDeparture" } : null;
  }

  #judgeArrival(date) {
    const state = this.stateOf(date);
    if (state !== "available") return { why: state };
    if (date < this.#firstArrival) return { why: "notice", count: this.#noticeDays };
    if (this.#isBeyond(date)) return { why: "window" };
    if (this.#night(date).closed_to_arrival) return { why: "noArrival" };
    return this.#findDeparture(date);
  }

  // A gap that is shorter than the shortest stay has no arrival in it. Nights after the window that
  // the calendar knows of are given the benefit of the doubt.
  #findDeparture(date) {
    const { min, max = Infinity } = this.limits(date);
    for (let nights = 1; nights <= max; nights += 1) {
      const night = addDays(date, nights - 1);
      if (night >= this.#calendar.to) return null;
      if (!this.isFree(night) || this.#isBeyond(night)) {
        return nights <= min ? { why: "min", count: min } : { why: "noDeparture" };
      }
      if (nights >= min && !this.#night(addDays(night, 1))?.closed_to_departure) return null;
    }
    return { why: "noDeparture" };
  }

  #isBeyond(night) {
    return this.#end !== null && night >= this.#end;
  }

  #night(date) {
    return this.#calendar?.nights.get(date);
  }
}

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

// A zone that this browser does not know costs the reader a few hours of today, not the calendar.
function local(clock, timeZone = "UTC", now) {
  try {
    return clock(timeZone, now);
  } catch {
    return clock("UTC", now);
  }
}
