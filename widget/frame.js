// What is on screen, built once for each language and painted in place, and what hands do there.
//
// Everything that can appear has its place from the start, so that nothing on the page moves when
// it does. Every part has a `part` of the same name as its class, for style sheets of the page.
//
// From what hands do follows what is meant: a date is picked, dragged to, or moved to. Mouse, pen
// and touch drag alike: across the week, because a finger that moves up or down scrolls the page
// (`touch-action` in styles.js). Keys follow the grid pattern of the ARIA practices: one tab stop,
// arrows by day and week, Home and End in the week, Page Up and Down by month; Enter and Space are
// the button's own.

import { addDays, addMonths, daysIn, firstOf, sameDayIn, weekday } from "./dates.js";
import { barOf, canLeave, roleOf } from "./stay.js";

const LEGEND = ["available", "held", "booked", "blocked", "closed"];
// A longest stay of so many nights or more is nothing that a reader has to be told.
const MANY_NIGHTS = 60;
const WEEKS = 6;
const DAYS = 7;
const SOME_MONDAY = "2024-01-01";
const DAYS_BY_KEY = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -7, ArrowDown: 7 };
const MONTHS_BY_KEY = { PageUp: -1, PageDown: 1 };

/**
 * The frame with its parts. `page` is `{weekStart, rtl}`, where `weekStart` is 0 for Monday to 6
 * for Sunday; `meant` is `{turn(count), clear(), retry(), pick(date), point(date), drag(from, to),
 * drop(from, to), cancel(), move(date), escape()}`, where `escape` tells whether there was
 * something to leave.
 */
export class Frame {
  element = make("section", "calendar");
  months = make("div", "months");
  status = make("p", "status");
  total = make("p", "total");
  sum = make("span", "sum");
  amount = make("strong", "amount");
  book = make("a", "book");
  live = make("p", "live");
  prices = make("p", "prices");
  #words;
  #weekStart;
  #grids = [];

  constructor(words, page, meant) {
    this.#words = words;
    this.#weekStart = page.weekStart;
    this.previous = push("turn previous", null, () => meant.turn(-1));
    this.next = push("turn next", null, () => meant.turn(1));
    this.previous.setAttribute("aria-label", words.previous);
    this.next.setAttribute("aria-label", words.next);
    this.clear = push("clear", words.clear, meant.clear);
    this.retry = push("retry", words.retry, meant.retry);
    this.status.setAttribute("role", "status");
    this.total.setAttribute("role", "status");
    this.book.textContent = words.book;
    this.sum.textContent = words.total;
    this.total.append(this.sum, " ", this.amount);
    const choice = make("div", "choice");
    choice.append(this.status, this.clear, this.total, this.retry, this.book);
    const foot = make("footer", "foot");
    foot.append(this.live, this.prices, legend(words));
    this.element.setAttribute("aria-label", words.calendar);
    this.element.append(this.previous, this.next, this.months, choice, foot);
    listen(this.months, page, meant);
  }

  /**
   * Shows so many months from `month` on, as `scene` says (paintNight); answers with the marks of
   * the holds in them and when these end, `{mark, until}`.
   */
  showMonths(month, count, scene) {
    while (this.#grids.length < count) {
      const grid = new Month(`month-${this.#grids.length}`, this.#weekStart, this.#words);
      this.#grids.push(grid);
      this.months.append(grid.element);
    }
    return this.#grids.flatMap((grid, index) => {
      grid.element.hidden = index >= count;
      return index < count ? grid.show(addMonths(month, index), scene) : [];
    });
  }

  /** Says how the choice stands, what it costs, and where it is booked. */
  showChoice(choice) {
    const { calendar, live, error, selection, quote, address } = choice;
    const words = this.#words;
    const status = quote?.status;
    const { currency } = calendar?.rules ?? {};
    const amount = status === "shown" ? words.money(quote.total, quote.currency) : "";
    const isAsking = status === "asking";
    write(this.status, statusOf(choice, words));
    write(this.amount, isAsking ? "…" : amount);
    attribute(this.total, "aria-busy", String(isAsking));
    write(this.live, error ? "" : words[live]);
    write(this.prices, words.shortMoney(0, currency) && words.prices(currency));
    attribute(this.book, "href", status === "refused" ? null : address);
    for (const [part, isThere] of [
      [this.total, isAsking || amount !== ""],
      [this.book, status && status !== "refused" && address],
      [this.retry, status === "failed"],
      [this.clear, selection.check_in !== null],
    ]) part.classList.toggle("absent", !isThere);
  }

  buttonOf(date) {
    return this.months.querySelector(`[data-date="${date}"]`);
  }
}

function statusOf({ calendar, error, house, selection, nights, taken, bar, quote }, words) {
  const { check_in, check_out } = selection;
  if (error) return words.refused;
  if (!calendar) return words.loading;
  if (taken) return words.taken;
  if (bar && words.bar(bar)) return words.bar(bar);
  if (check_in === null) return words.arrive;
  if (check_out === null) {
    const { min, max } = house.limits(check_in);
    return words.join([
      words.leave(check_in),
      ...(min > 1 ? [words.bar({ why: "min", count: min })] : []),
      ...(max < MANY_NIGHTS ? [words.bar({ why: "max", count: max })] : []),
    ]);
  }
  if (quote?.status === "refused") return words.join(words.reasons(quote.reasons));
  if (quote?.status === "failed") return quote.detail ?? words.failed;
  return words.chosen(check_in, check_out, nights);
}

function push(name, text, action) {
  const button = make("button", name);
  button.type = "button";
  if (text) button.textContent = text;
  button.addEventListener("click", () => {
    if (button.getAttribute("aria-disabled") !== "true") action();
  });
  return button;
}

function legend(words) {
  const list = make("ul", "legend");
  for (const state of LEGEND) {
    const swatch = make("span", "swatch");
    swatch.dataset.state = state;
    const item = make("li");
    item.append(swatch, words[state]);
    list.append(item);
  }
  return list;
}

// One month: a heading and a grid of weeks. Cells belong to positions, not to dates, so that
// painting another month or a changed night never replaces the button that has the focus. Six weeks
// are always laid out: no month is taller than another, and paging moves nothing on the page.
class Month {
  element = make("section", "month");
  #heading = make("h3", "name");
  #cells = [];
  #weekStart;

  /** `id` is unique in the shadow tree. */
  constructor(id, weekStart, words) {
    this.#weekStart = weekStart;
    this.#heading.id = id;
    const table = make("table", "grid");
    table.setAttribute("role", "grid");
    table.setAttribute("aria-labelledby", id);
    table.append(this.#head(words), this.#body());
    this.element.append(this.#heading, table);
  }

  show(month, scene) {
    const first = firstOf(month);
    const blanks = (weekday(first) - this.#weekStart + DAYS) % DAYS;
    const length = daysIn(month);
    this.#heading.textContent = scene.words.month(first);
    return this.#cells.flatMap(({ cell, button }, position) => {
      const inside = position >= blanks && position < blanks + length;
      button.hidden = !inside;
      if (!inside) {
        for (const name of ["data-date", "data-state", "data-stay"]) button.removeAttribute(name);
        cell.removeAttribute("aria-selected");
        return [];
      }
      const date = addDays(first, position - blanks);
      button.dataset.date = date;
      const until = paintNight(button, cell, date, scene);
      return until ? [{ mark: button.lastChild, until }] : [];
    });
  }

  #head(words) {
    const row = make("tr");
    for (let index = 0; index < DAYS; index += 1) {
      const day = addDays(SOME_MONDAY, this.#weekStart + index);
      const cell = make("th", "weekday");
      cell.scope = "col";
      cell.abbr = words.weekdayName(day);
      cell.textContent = words.weekday(day);
      row.append(cell);
    }
    const head = make("thead");
    head.append(row);
    return head;
  }

  #body() {
    const body = make("tbody");
    for (let week = 0; week < WEEKS; week += 1) {
      const row = make("tr");
      for (let day = 0; day < DAYS; day += 1) {
        const cell = make("td");
        const button = make("button", "night");
        button.type = "button";
        button.tabIndex = -1;
        button.append(make("span", "day"), make("span", "mark"));
        cell.append(button);
        row.append(cell);
        this.#cells.push({ cell, button });
      }
      body.append(row);
    }
    return body;
  }
}

/**
 * Paints what one night shows and says on the button and the cell of `date`; answers with the end
 * of a hold that is shown, in milliseconds, else null. `scene` is `{calendar, house, words,
 * selection, pointed, focus}`.
 */
function paintNight(button, cell, date, scene) {
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

function listen(months, page, meant) {
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

/** An element with these classes, which are its parts as well. */
function make(tag, name) {
  const element = document.createElement(tag);
  if (name) {
    element.className = name;
    element.setAttribute("part", name);
  }
  return element;
}

// Writing only what differs keeps screen readers quiet and the browser idle.
export function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function attribute(element, name, value) {
  if (value === null || value === undefined) element.removeAttribute(name);
  else if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}
