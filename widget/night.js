// What one night shows and says, from the calendar, the house's rules and the selection.

import { attribute, write } from "./frame.js";
import { barOf, canLeave, roleOf } from "./selection.js";

/**
 * Paints the button and the cell of `date`; answers with the end of a hold that is shown, in
 * milliseconds, else null. `scene` is `{calendar, house, words, selection, pointed, focus}`.
 */
export function paintNight(button, cell, date, scene) {
  const { calendar, house, words, selection, pointed, focus } = scene;
  const night = calendar?.nights.get(date);
  const state = house.stateOf(date);
  const until = state === "held" && night.until ? Date.parse(night.until) : null;
  const bar = calendar ? barOf(selection, date, house) : {};
  const leaving = canLeave(selection, date, house);
  const role = roleOf(selection, date);
  const price = state === "available" ? night.price : undefined;
  const { currency } = calendar?.rules ?? {};
  const shown = isReached(scene) ? { ...selection, check_out: pointed } : selection;
  const stay = roleOf(shown, date);

  write(button.firstChild, words.day(date));
  write(button.lastChild, until ? words.left(until) : words.shortMoney(price, currency));
  attribute(button, "data-state", state);
  attribute(button, "data-stay", stay);
  attribute(button, "part", ["night", state, stay].filter(Boolean).join(" "));
  attribute(button, "aria-disabled", String(bar !== null));
  attribute(button, "aria-current", date === house.today ? "date" : null);
  attribute(button, "aria-label", words.night(date, [
    state && words[state],
    until && words.until(until),
    words.money(price, currency),
    leaving && state !== "available" && words.departure,
    bar && bar.why !== state && words.bar(bar),
    role && role !== "middle" && words[role],
  ].filter(Boolean)));
  button.classList.toggle("preview", leaving && date === pointed);
  button.classList.toggle("alone", shown.check_out === null);
  button.tabIndex = date === focus ? 0 : -1;
  attribute(cell, "aria-selected", String(role !== null));
  return until;
}

function isReached({ house, selection, pointed }) {
  return pointed !== null && canLeave(selection, pointed, house);
}
