// From what hands do in the months to what is meant: a date is picked, dragged to, or moved to.
//
// Mouse, pen and touch drag alike: across the week, because a finger that moves up or down scrolls
// the page (`touch-action` in styles.js). Keys follow the grid pattern of the ARIA practices: one
// tab stop, arrows by day and week, Home and End in the week, Page Up and Down by month; Enter and
// Space are the button's own. `meant` is `{pick(date), point(date), drag(from, to), drop(from, to),
// cancel(), move(date), escape()}`, where `escape` tells whether there was something to leave;
// `page` is `{weekStart, rtl}`.

import { addDays, sameDayIn, weekday } from "./dates.js";

const DAYS_BY_KEY = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -7, ArrowDown: 7 };
const MONTHS_BY_KEY = { PageUp: -1, PageDown: 1 };

export function listen(months, page, meant) {
  // Where a button went down, and the last date that was dragged to from there.
  let from = null;
  let to = null;

  months.addEventListener("pointerdown", (event) => {
    from = event.isPrimary && event.button === 0 ? dateUnder(event) : null;
    to = null;
    // A finger keeps to the element it touched first, unless that is let go.
    if (from) event.target.releasePointerCapture?.(event.pointerId);
    const watch = new AbortController();
    const end = (action) => () => {
      watch.abort();
      const dragged = from !== null && to !== null;
      if (dragged) action(from, to);
      from = null;
    };
    addEventListener("pointerup", end(meant.drop), { signal: watch.signal });
    addEventListener("pointercancel", end(() => meant.cancel()), { signal: watch.signal });
  });
  months.addEventListener("pointerover", (event) => {
    const date = dateUnder(event);
    if (from === null) return meant.point(date);
    if (!date || (to ?? from) === date) return;
    to = date;
    meant.drag(from, date);
  });
  months.addEventListener("pointerleave", () => from === null && meant.point(null));
  months.addEventListener("click", (event) => {
    const date = dateUnder(event);
    // The end of a drag may be a click as well, where it came back to its beginning.
    const dragged = to !== null && event.detail > 0;
    to = null;
    if (date && !dragged) meant.pick(date);
  });
  months.addEventListener("keydown", (event) => {
    const date = dateUnder(event);
    if (!date || event.altKey || event.ctrlKey || event.metaKey) return;
    const next = keyed(event.key, date, page);
    if (next) meant.move(next);
    else if (event.key !== "Escape" || !meant.escape()) return;
    event.preventDefault();
  });
}

/** The date that a key leads to from `date`, or null. */
export function keyed(key, date, { weekStart, rtl }) {
  const column = (weekday(date) - weekStart + 7) % 7;
  if (key === "Home") return addDays(date, -column);
  if (key === "End") return addDays(date, 6 - column);
  if (Object.hasOwn(MONTHS_BY_KEY, key)) return sameDayIn(date, MONTHS_BY_KEY[key]);
  if (!Object.hasOwn(DAYS_BY_KEY, key)) return null;
  const sideways = key === "ArrowLeft" || key === "ArrowRight";
  return addDays(date, rtl && sideways ? -DAYS_BY_KEY[key] : DAYS_BY_KEY[key]);
}

function dateUnder(event) {
  return event.target.closest?.(".night")?.dataset.date ?? null;
}
