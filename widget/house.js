// What the rules of a house say about one reader's dates, at one moment.
//
// A night is `available` or not by the calendar alone; whether a stay may begin or end on a date
// follows from the night's own terms, from the rules of the property, and from today. Where a date
// cannot be chosen the answer is `{why, count?}`, else null. The server stays the judge: what it
// alone knows (nights of preparation, the hour of today) is told when a price is asked for.

import { addDays, datesBetween, daysBetween, todayIn } from "./dates.js";

const MS_PER_HOUR = 3_600_000;

export class House {
  #calendar;
  #firstArrival;
  #noticeDays;
  #end;
  #bars = new Map();

  /** `calendar` is a folded one or null, `now` an instant in milliseconds. */
  constructor(calendar, now) {
    const { timezone, advance_notice_hours, window_days } = calendar?.rules ?? {};
    const hours = Number.isInteger(advance_notice_hours) ? advance_notice_hours : 0;
    this.#calendar = calendar;
    this.today = localDate(timezone, now);
    this.#firstArrival = localDate(timezone, now + hours * MS_PER_HOUR);
    this.#noticeDays = Math.ceil(hours / 24);
    this.#end = Number.isInteger(window_days) ? addDays(this.today, window_days) : null;
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

// A zone that this browser does not know costs the reader a few hours of today, not the calendar.
function localDate(timeZone = "UTC", now) {
  try {
    return todayIn(timeZone, now);
  } catch {
    return todayIn("UTC", now);
  }
}
