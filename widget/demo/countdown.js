// The time that is left, ticking. Nobody wants to hear each second read out, so what ticks is
// hidden from the live regions around it.

import { el } from "./dom.js";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** An element that shows how long it is until `instant`, in the coarsest words that still help. */
export function countdown(instant) {
  return el("time", { class: "timer", dateTime: instant, "aria-live": "off", "data-test": "left" },
    left(instant));
}

/** `instant` as time from now: 2 days, 5 h 12 min, or 14:59. */
export function left(instant, now = Date.now()) {
  const rest = Math.max(0, Date.parse(instant) - now);
  if (rest >= 2 * DAY) return `${Math.floor(rest / DAY)} days`;
  if (rest >= HOUR) return `${Math.floor(rest / HOUR)} h ${Math.floor((rest % HOUR) / MINUTE)} min`;
  const seconds = String(Math.floor((rest % MINUTE) / SECOND)).padStart(2, "0");
  return `${Math.floor(rest / MINUTE)}:${seconds}`;
}

setInterval(() => {
  for (const timer of document.querySelectorAll("time.timer")) {
    const text = left(timer.dateTime);
    if (timer.textContent !== text) timer.textContent = text;
  }
}, SECOND);
