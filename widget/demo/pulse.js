// The state of the page's live calendars, in the header; a notice when they stay away for a while.

import { counted } from "./words.js";

const INTERRUPTED_AFTER_MS = 1_500;

const place = (id) => document.getElementById(id);
let trust = new Map();
let timer = null;

/**
 * `live` is what the widget's feed says of this property: connecting, live or reconnecting, or null
 * where it has no such calendar.
 */
export function report(property, live) {
  if (live) trust.set(property, live);
  else trust.delete(property);
  show();
}

/** Another page begins, with calendars of its own or none. */
export function forget() {
  trust = new Map();
  show();
}

addEventListener("online", show);
addEventListener("offline", show);

function show() {
  const states = [...trust.values()];
  const pulse = place("pulse");
  const interrupted = states.includes("reconnecting") || !navigator.onLine;
  const live = states.length > 0 && states.every((state) => state === "live");
  const text = live ? `${counted(states.length, "calendar")} live`
    : interrupted ? "Reconnecting…" : states.length > 0 ? "Connecting…" : "";
  pulse.dataset.live = live ? "live" : interrupted ? "reconnecting" : "connecting";
  if (pulse.textContent !== text) pulse.textContent = text;
  if (interrupted && !live) {
    timer ??= setTimeout(showInterruption, INTERRUPTED_AFTER_MS);
  } else {
    clearTimeout(timer);
    timer = null;
    place("offline").hidden = true;
  }
}

function showInterruption() {
  const cause = navigator.onLine ? "The server cannot be reached." : "You are offline.";
  const rest = trust.size > 0
    ? "The calendars show what was last known and catch up by themselves."
    : "What you see may be old.";
  place("offline").textContent = `${cause} ${rest}`;
  place("offline").hidden = false;
}
