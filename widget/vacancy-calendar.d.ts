// Types of `<vacancy-calendar>` for TypeScript; README.md says what everything means.

/** A civil date, `YYYY-MM-DD`. */
export type CivilDate = string;

export type NightState = "available" | "held" | "booked" | "blocked" | "closed";

/** How far the calendar can be trusted: `live` is up to date to the last event. */
export type Trust = "connecting" | "live" | "reconnecting";

/** A stay that is being chosen: parts that are not chosen yet are null, and nights then 0. */
export interface Selection {
  check_in: CivilDate | null;
  check_out: CivilDate | null;
  nights: number;
}

export interface SelectDetail extends Selection {
  /** Whether the selection ended because somebody else took one of its nights. */
  taken: boolean;
}

/** What became of the nights `[from, to)`; facts that are absent did not change. */
export interface NightChange {
  from: CivilDate;
  to: CivilDate;
  state?: NightState;
  /** When a hold ends, as an instant of RFC 3339. */
  until?: string;
  /** Minor units of the property's currency. */
  price?: number | null;
  min_nights?: number | null;
  max_nights?: number | null;
  closed_to_arrival?: boolean | null;
  closed_to_departure?: boolean | null;
}

export interface ChangeDetail {
  /** The number of the newest event in the calendar; null before the first snapshot. */
  seq: number | null;
  live: Trust;
  /** Why there is no calendar to see, `not_found` while it is not listed; null where there is. */
  error: string | null;
  changes: NightChange[];
}

export interface VacancyCalendarEventMap {
  "vacancy-select": CustomEvent<SelectDetail>;
  "vacancy-change": CustomEvent<ChangeDetail>;
}

export interface VacancyCalendar extends HTMLElement {
  readonly selection: Selection;
  /** Chooses a stay and brings it into view; false when not all of its nights are free. */
  select(check_in: CivilDate, check_out: CivilDate): boolean;
  clear(): void;
}

declare global {
  interface HTMLElementTagNameMap {
    "vacancy-calendar": VacancyCalendar;
  }
  interface HTMLElementEventMap extends VacancyCalendarEventMap {}
}
