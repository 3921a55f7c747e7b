// Nights as columns, homes as rows: a table in the grid pattern of the ARIA practices.
//
// One cell has the tab stop; arrows move it, Shift with arrows selects nights of one row, Home and
// End go to the ends of the row. A mouse selects by dragging. A finger scrolls; it selects by
// resting on a night first, or by touching one night and then another of the same row. What is done
// with a selection is decided elsewhere: `select({home, from, to})` tells of it (`to` is the day
// after its last night, all null when there is none), `key(letter)` of a letter typed on it, and
// `open(booking)` of a bar that was chosen.

import { addDays, datesBetween, daysBetween, formatDate, monthOf, todayIn, weekday }
  from "../../dates.js";
import { el } from "../dom.js";
import { scene } from "../scene/scene.js";
import { counted, price, shortDates } from "../words.js";

const REST_MS = 280;
const STEPS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
const NAMES = {
  available: "free", held: "held", booked: "booked", blocked: "blocked", closed: "closed",
};
/** The statuses of bookings that have their nights. */
export const LIVE = ["PENDING", "CONFIRMED", "COMPLETED"];

export class Grid {
  #homes;
  #days;
  #told;
  #rows = new Map();
  #anchor = null;
  #focus = { row: 0, column: 0 };
  #drag = null;

  constructor({ homes, days, told }) {
    this.#homes = homes;
    this.#days = days;
    this.#told = told;
    this.table = el("table", {
      class: "board", role: "grid", "data-test": "board",
      "aria-label": "Nights of your homes", "aria-multiselectable": "true",
    },
      this.#head(), el("tbody", {}, homes.map((home, row) => this.#row(home, row))));
    this.element = el("div", { class: "board-scroll", "data-test": "board-scroll" }, this.table);
    this.#listen();
    this.#rove(0, 0, false);
  }

  /**
   * Shows the calendar and the bookings of one home; either may still be missing. A calendar that
   * the feed has `refused` may be there all the same, as it was when it was last read.
   */
  paint(id, { calendar, bookings = [], refused }) {
    const row = this.#rows.get(id);
    if (!row) return;
    const today = todayIn(calendar?.rules.timezone ?? row.home.timezone, Date.now());
    const trust = calendar ? ["live", "read"] : ["waiting", "refused"];
    row.element.dataset.live = trust[refused ? 1 : 0];
    if (calendar || refused) row.unlisted.hidden = refused?.code !== "not_found";
    const bars = barsOf(bookings, this.#days);
    this.#days.forEach((date, column) => {
      const cell = row.cells[column];
      const night = calendar?.nights.get(date);
      const bar = bars.get(column);
      cell.dataset.state = night?.state ?? "unknown";
      cell.toggleAttribute("data-past", date < today);
      cell.toggleAttribute("data-today", date === today);
      const amount = night?.state === "available" && date >= today
        ? price(night.price ?? row.home.price_per_night, row.home.currency) : "";
      cell.replaceChildren(...[amount && el("span", { class: "cell-price" }, amount),
        bar && this.#bar(bar)].filter(Boolean));
      const covering = bookings.find((booking) => LIVE.includes(booking.status)
        && booking.check_in <= date && date < booking.check_out);
      row.bookings[column] = covering ?? null;
      cell.setAttribute("aria-label", [
        formatDate(date, "en", { weekday: "short", day: "numeric", month: "short" }),
        NAMES[night?.state] ?? "not known yet", amount || null,
        covering ? describe(covering) : null,
      ].filter(Boolean).join(", "));
    });
  }

  clear() {
    this.#anchor = null;
    this.#mark();
    this.#told.select(null);
  }

  /** The focus goes back to the night that had it, after a dialog or a key. */
  refocus() {
    this.#cell(this.#focus)?.focus({ preventScroll: true });
  }

  #head() {
    const months = [];
    for (const date of this.#days) {
      const last = months.at(-1);
      if (last && monthOf(last.date) === monthOf(date)) last.count += 1;
      else months.push({ date, count: 1 });
    }
    return el("thead", {},
      el("tr", {}, el("th", { class: "corner", scope: "col", rowSpan: 2 }, "Homes"),
        months.map(({ date, count }) => el("th", {
          class: "month", colSpan: count, scope: "colgroup",
        }, el("span", {}, formatDate(date, "en", { month: "long", year: "numeric" }))))),
      el("tr", {}, this.#days.map((date) => el("th", {
        class: weekday(date) > 4 ? "day weekend" : "day", scope: "col",
      }, el("span", { class: "quiet" }, formatDate(date, "en", { weekday: "narrow" })),
      el("span", {}, String(Number(date.slice(8))))))));
  }

  #row(home, row) {
    const cells = this.#days.map((date, column) => el("td", {
      role: "gridcell", tabIndex: -1, class: weekday(date) > 4 ? "night weekend" : "night",
      "data-date": date, "data-row": String(row), "data-column": String(column),
      "data-state": "unknown", "aria-selected": "false",
    }));
    const listed = home.status === "listed";
    const unlisted = el("span", {
      class: "unlisted", hidden: listed, "data-test": "unlisted",
      title: "Guests do not see this home. Its nights are shown as they were last read.",
    }, "not listed");
    const element = el("tr", {
      "data-test": "row", "data-property": home.id, "data-live": "waiting",
    },
      el("th", { class: "home-cell", scope: "row" }, el("div", { class: "home-head" },
        el("div", { class: "thumb" }, scene(home)),
        el("div", { class: "home-name" },
          el("a", { href: `/stay/${home.id}`, "data-test": "home-title" }, home.title),
          el("span", { class: "quiet" },
            home.status === "draft" ? "draft, " : null,
            price(home.price_per_night, home.currency)),
          unlisted),
        listed ? el("button", {
          class: "icon", type: "button", "aria-label": `Embed ${home.title}`, title: "Embed",
          "data-test": "embed", onclick: () => this.#told.embed(home),
        }, "</>") : null)),
      cells);
    this.#rows.set(home.id, { home, element, unlisted, cells, bookings: [] });
    return element;
  }

  #bar({ booking, nights, starts, ends }) {
    const bar = el("button", {
      class: "stay-bar", type: "button", tabIndex: -1, "data-test": "bar",
      "data-booking": booking.id, "data-status": booking.status,
      "data-awaiting": booking.awaiting, title: describe(booking),
      "aria-label": describe(booking), onclick: () => this.#told.open(booking),
    }, el("span", {}, nights > 2 ? label(booking) : nights > 1 ? "2 nights" : "1"));
    bar.style.setProperty("--nights", nights);
    bar.classList.toggle("starts", starts);
    bar.classList.toggle("ends", ends);
    return bar;
  }

  #cell({ row, column }) {
    return this.#rows.get(this.#homes[row]?.id)?.cells[column];
  }

  #listen() {
    const { table } = this;
    table.addEventListener("pointerdown", (event) => this.#down(event));
    table.addEventListener("pointermove", (event) => this.#move(event));
    for (const end of ["pointerup", "pointercancel"]) {
      table.addEventListener(end, () => this.#up());
    }
    // Once a finger selects, it must not scroll as well.
    table.addEventListener("touchmove", (event) => {
      if (this.#drag?.active) event.preventDefault();
    }, { passive: false });
    table.addEventListener("contextmenu", (event) => {
      if (this.#drag?.touch) event.preventDefault();
    });
    table.addEventListener("keydown", (event) => this.#typed(event));
    table.addEventListener("focusin", ({ target }) => {
      const at = placeOf(target);
      if (at) this.#focus = at;
    });
  }

  #down(event) {
    const at = event.target.closest(".stay-bar") ? null : placeOf(event.target);
    if (!at || event.button !== 0) return;
    const touch = event.pointerType === "touch";
    this.#drag = { at, touch, active: !touch, timer: null };
    if (!touch) {
      event.preventDefault();
      this.#start(at, event.shiftKey);
    } else {
      this.#drag.timer = setTimeout(() => {
        this.#drag.active = true;
        this.#start(at, false);
      }, REST_MS);
    }
  }

  #move(event) {
    if (!this.#drag?.active) return;
    const at = placeOf(document.elementFromPoint(event.clientX, event.clientY));
    if (at && at.row === this.#anchor.row) this.#extend(at.column);
  }

  #up() {
    const drag = this.#drag;
    this.#drag = null;
    if (!drag) return;
    clearTimeout(drag.timer);
    if (drag.touch && !drag.active) this.#start(drag.at, this.#anchor?.row === drag.at.row);
  }

  #start(at, extends_) {
    if (!(extends_ && this.#anchor?.row === at.row)) this.#anchor = { ...at, end: at.column };
    this.#rove(at.row, at.column, true);
    this.#extend(at.column);
  }

  #extend(column) {
    this.#anchor.end = column;
    this.#mark();
    this.#told.select(this.#selection());
  }

  #selection() {
    const { row, column, end } = this.#anchor;
    const [first, last] = [Math.min(column, end), Math.max(column, end)];
    return {
      home: this.#homes[row], from: this.#days[first], to: addDays(this.#days[last], 1),
    };
  }

  #mark() {
    for (const cell of this.table.querySelectorAll("[aria-selected=true]")) {
      cell.setAttribute("aria-selected", "false");
    }
    if (!this.#anchor) return;
    const { row, column, end } = this.#anchor;
    for (let at = Math.min(column, end); at <= Math.max(column, end); at += 1) {
      this.#cell({ row, column: at }).setAttribute("aria-selected", "true");
    }
  }

  #rove(row, column, focuses) {
    const before = this.#cell(this.#focus);
    if (before) before.tabIndex = -1;
    this.#focus = { row, column };
    const cell = this.#cell(this.#focus);
    if (!cell) return;
    cell.tabIndex = 0;
    if (focuses) cell.focus();
  }

  #typed(event) {
    const at = placeOf(event.target);
    if (!at || event.altKey || event.ctrlKey || event.metaKey) return;
    const { key, shiftKey } = event;
    const last = this.#days.length - 1;
    if (key in STEPS) {
      const [down, right] = STEPS[key];
      const row = Math.min(Math.max(at.row + down, 0), this.#homes.length - 1);
      const column = Math.min(Math.max(at.column + right, 0), last);
      if (!shiftKey) this.#rove(row, column, true);
      else if (right !== 0) {
        if (this.#anchor?.row !== at.row) this.#anchor = { ...at, end: at.column };
        this.#rove(at.row, column, true);
        this.#extend(column);
      }
    } else if (key === "Home" || key === "End") this.#rove(at.row, key === "End" ? last : 0, true);
    else if (key === " ") this.#start(at, false);
    else if (key === "Enter") this.#enter(at);
    else if (key === "Escape") this.clear();
    else if (/^[bup]$/i.test(key)) {
      if (!this.#anchor) this.#start(at, false);
      this.#told.key(key.toLowerCase());
    } else return;
    event.preventDefault();
  }

  #enter({ row, column }) {
    const booking = this.#rows.get(this.#homes[row].id).bookings[column];
    if (booking) this.#told.open(booking);
    else this.#start({ row, column }, false);
  }
}

/** What a booking is called where there is little room. */
export function label({ status, awaiting, check_in, check_out }) {
  const length = counted(daysBetween(check_in, check_out), "night");
  const kind = status === "COMPLETED" ? "Stayed" : status === "CONFIRMED" ? "Booked"
    : awaiting === "host" ? "Request" : "Held";
  return `${kind} · ${length}`;
}

function describe(booking) {
  return `${label(booking)}, ${counted(booking.guests, "guest")}, ${shortDates(booking)}`;
}

// Where each bar begins: at its first night, or at the first column where it began before.
function barsOf(bookings, days) {
  const [first, end] = [days[0], addDays(days.at(-1), 1)];
  const bars = new Map();
  for (const booking of bookings) {
    const { status, check_in, check_out } = booking;
    if (!LIVE.includes(status) || check_out <= first || check_in >= end) continue;
    const from = check_in < first ? first : check_in;
    const to = check_out > end ? end : check_out;
    bars.set(daysBetween(first, from), {
      booking, nights: daysBetween(from, to), starts: from === check_in, ends: to === check_out,
    });
  }
  return bars;
}

function placeOf(element) {
  const { row, column } = element?.closest?.("td.night")?.dataset ?? {};
  return row === undefined ? null : { row: Number(row), column: Number(column) };
}

/** So many days from a date on. */
export function daysFrom(date, count) {
  return [...datesBetween(date, addDays(date, count))];
}
