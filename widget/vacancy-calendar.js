// `<vacancy-calendar property="<id>">`: the live calendar of one property, for any page.
//
// In: the attribute `property`; `select(check_in, check_out)` and `clear()`; CSS custom properties
// (styles.js). Out: the event `vacancy-select` {check_in, check_out, nights} at every step of a
// selection (parts not chosen are null, nights then 0; `taken` is true when somebody else's claim
// ended the selection), the event `vacancy-change` {seq, live, changes} at every step of the feed,
// and on the host `data-live`, `data-seq` and, when the server refuses, `data-error`. Every night
// is a button with `data-date` and `data-state`.
// The server is the one this module came from. Data reaches the page through `textContent` only.

import {
  addDays, addMonths, daysBetween, firstOf, monthOf, sameDayIn, todayIn, weekday,
} from "./dates.js";
import { feedAt } from "./feed.js";
import { Month, make } from "./month.js";
import { NOTHING, canLeave, canPick, pick, roleOf, stillFree } from "./selection.js";
import { styles } from "./styles.js";
import { localeFor, wordsIn } from "./words.js";

const SOCKET = new URL("../ws", import.meta.url);
SOCKET.protocol = SOCKET.protocol === "https:" ? "wss:" : "ws:";

const MONTHS_AHEAD = 13;
const TWO_MONTHS_FROM_PX = 520;
const TODAY_CHECK_MS = 30_000;
const LEGEND = ["available", "held", "booked", "blocked", "closed"];
const DAYS_BY_KEY = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -7, ArrowDown: 7 };
const MONTHS_BY_KEY = { PageUp: -1, PageDown: 1 };

class VacancyCalendar extends HTMLElement {
  static observedAttributes = ["property"];

  #parts = null;
  #words = wordsIn("en");
  #weekStart = 0;
  #view = { calendar: null, live: "connecting", error: null };
  #window = null;
  #today = null;
  #selection = NOTHING;
  #taken = false;
  #pointed = null;
  #month = null;
  #focus = null;
  #shown = 1;
  #stop = null;
  #timer = null;
  #painting = false;
  #sizes = new ResizeObserver(([entry]) => this.#fit(entry.contentRect.width));

  connectedCallback() {
    if (!this.#parts) this.#build();
    this.#timer = setInterval(() => this.#follow(), TODAY_CHECK_MS);
    this.#sizes.observe(this);
    this.#fit(this.clientWidth);
    this.#follow();
  }

  disconnectedCallback() {
    clearInterval(this.#timer);
    this.#sizes.disconnect();
    this.#leave();
  }

  attributeChangedCallback(name, before, after) {
    if (!this.isConnected || !this.#parts || before === after) return;
    this.#leave();
    this.#choose(NOTHING);
    this.#month = null;
    this.#follow();
  }

  get selection() {
    return { ...this.#selection, nights: this.#nights() };
  }

  /** Chooses a stay and brings it into view; false when not all of its nights are free. */
  select(check_in, check_out) {
    const wanted = { check_in, check_out };
    const some = daysBetween(check_in, check_out) >= 1;
    if (!some || !stillFree(wanted, this.#isFree)) return false;
    this.#reveal(check_in);
    this.#choose(wanted);
    return true;
  }

  clear() {
    this.#choose(NOTHING);
  }

  #build() {
    const locale = localeFor(this.closest("[lang]")?.lang);
    this.#words = wordsIn(locale);
    this.#weekStart = firstWeekday(locale);
    const words = this.#words;
    const frame = make("section", "calendar");
    frame.setAttribute("aria-label", words.calendar);
    const months = make("div", "months");
    const grids = ["first", "second"].map((id) => new Month(id, this.#weekStart, words));
    months.append(...grids.map((month) => month.element));
    const previous = turn("previous", words.previous, () => this.#turn(-1));
    const next = turn("next", words.next, () => this.#turn(1));
    const status = make("p", "status");
    status.setAttribute("role", "status");
    const live = make("p", "live");
    const foot = make("footer", "foot");
    foot.append(status, live, legend(words));
    frame.append(previous, next, months, foot);

    months.addEventListener("click", (event) => this.#clicked(event));
    months.addEventListener("keydown", (event) => this.#typed(event));
    months.addEventListener("pointerover", (event) => this.#point(dateUnder(event)));
    months.addEventListener("pointerleave", () => this.#point(null));
    this.#parts = { months, grids, previous, next, status, live };
    const root = this.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [styles];
    root.append(frame);
  }

  // Joins the feed, and moves on with the calendar: when the day changes the past is repainted,
  // when the month changes the window is asked for anew.
  #follow() {
    const property = this.getAttribute("property");
    const yesterday = addDays(todayIn("UTC", Date.now()), -1);
    const month = monthOf(yesterday);
    const from = firstOf(month);
    if (this.#window?.from !== from) {
      const leave = this.#stop;
      this.#window = { from, to: firstOf(addMonths(month, MONTHS_AHEAD)) };
      this.#stop = property
        ? feedAt(SOCKET).watch(property, this.#window, (view) => this.#receive(view))
        : null;
      leave?.();
    }
    if (this.#today !== this.#localToday()) this.#paintSoon();
  }

  #leave() {
    this.#stop?.();
    this.#stop = null;
    this.#window = null;
    this.#view = { calendar: null, live: "connecting", error: null };
    this.#paintSoon();
  }

  #receive(view) {
    this.#view = view;
    this.#today = this.#localToday();
    if (view.calendar && !stillFree(this.#selection, this.#isFree)) {
      this.#choose(NOTHING, true);
    }
    this.#paintSoon();
    const { calendar, live, changes } = view;
    this.#report("vacancy-change", { seq: calendar?.seq ?? null, live, changes });
  }

  // A night is past by the clock on the property's own wall, wherever the reader sits.
  #localToday() {
    return todayIn(this.#view.calendar?.rules.timezone ?? "UTC", Date.now());
  }

  #stateOf(date) {
    const night = this.#view.calendar?.nights.get(date);
    return night && date < this.#today ? "past" : night?.state;
  }

  #isFree = (date) => this.#stateOf(date) === "available";

  #nights() {
    const { check_in, check_out } = this.#selection;
    return check_out === null ? 0 : daysBetween(check_in, check_out);
  }

  #choose(selection, taken = false) {
    const { check_in, check_out } = this.#selection;
    this.#taken = taken;
    this.#pointed = null;
    this.#paintSoon();
    if (selection.check_in === check_in && selection.check_out === check_out) return;
    this.#selection = selection;
    this.#report("vacancy-select", { ...this.selection, taken });
  }

  #report(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
  }

  #clicked(event) {
    const date = dateUnder(event);
    if (!date) return;
    this.#focus = date;
    this.#choose(pick(this.#selection, date, this.#isFree));
  }

  // The grid pattern of the ARIA practices: one tab stop, arrows by day and week, Home and End in
  // the week, Page Up and Down by month. Enter and Space are the button's own.
  #typed(event) {
    const date = dateUnder(event);
    if (!date || event.altKey || event.ctrlKey || event.metaKey) return;
    const { key } = event;
    const column = (weekday(date) - this.#weekStart + 7) % 7;
    if (key in DAYS_BY_KEY) this.#move(addDays(date, DAYS_BY_KEY[key]));
    else if (key in MONTHS_BY_KEY) this.#move(sameDayIn(date, MONTHS_BY_KEY[key]));
    else if (key === "Home") this.#move(addDays(date, -column));
    else if (key === "End") this.#move(addDays(date, 6 - column));
    else if (key === "Escape" && this.#selection.check_in !== null) this.clear();
    else return;
    event.preventDefault();
  }

  #move(date) {
    const first = firstOf(this.#firstMonth());
    const last = addDays(this.#window.to, -1);
    this.#focus = date < first ? first : date > last ? last : date;
    this.#pointed = this.#focus;
    this.#reveal(this.#focus);
    this.#paint();
    this.#buttonOf(this.#focus)?.focus();
  }

  #point(date) {
    if (this.#pointed === date) return;
    this.#pointed = date;
    if (this.#selection.check_in !== null && this.#selection.check_out === null) this.#paintSoon();
  }

  #turn(count) {
    this.#month = this.#within(addMonths(this.#month, count));
    this.#paintSoon();
  }

  #reveal(date) {
    const month = monthOf(date);
    const last = addMonths(this.#month, this.#shown - 1);
    if (month < this.#month) this.#month = this.#within(month);
    else if (month > last) this.#month = this.#within(addMonths(month, 1 - this.#shown));
  }

  #firstMonth() {
    return monthOf(this.#today);
  }

  #lastMonth() {
    return addMonths(monthOf(this.#window.to), -this.#shown);
  }

  #within(month) {
    if (month < this.#firstMonth()) return this.#firstMonth();
    return month > this.#lastMonth() ? this.#lastMonth() : month;
  }

  #fit(width) {
    const shown = width >= TWO_MONTHS_FROM_PX ? 2 : 1;
    if (shown === this.#shown) return;
    this.#shown = shown;
    this.#paintSoon();
  }

  #buttonOf(date) {
    return this.#parts.grids.map((grid) => grid.buttonOf(date)).find(Boolean);
  }

  // Many frames in one moment are one painting. A microtask, unlike an animation frame, also runs
  // in a window that is not in front, so that what a page reads from the nights is never late.
  #paintSoon() {
    if (this.#painting) return;
    this.#painting = true;
    queueMicrotask(() => {
      this.#painting = false;
      if (this.#parts && this.#window) this.#paint();
    });
  }

  #paint() {
    const { grids, months, previous, next, status, live } = this.#parts;
    const { calendar, live: trust, error } = this.#view;
    const words = this.#words;
    this.#today = this.#localToday();
    this.#month = this.#within(this.#month ?? this.#firstMonth());
    const last = addMonths(this.#month, this.#shown - 1);
    if (!this.#focus || monthOf(this.#focus) < this.#month || monthOf(this.#focus) > last) {
      this.#focus = this.#month === this.#firstMonth() ? this.#today : firstOf(this.#month);
    }
    grids.forEach((grid, index) => {
      grid.element.hidden = index >= this.#shown;
      grid.show(addMonths(this.#month, index), words, this.#paintNight);
    });
    months.setAttribute("aria-busy", String(!calendar && !error));
    previous.setAttribute("aria-disabled", String(this.#month <= this.#firstMonth()));
    next.setAttribute("aria-disabled", String(this.#month >= this.#lastMonth()));
    write(status, this.#statusText());
    write(live, words.live[trust]);
    this.dataset.live = trust;
    if (calendar) this.dataset.seq = calendar.seq;
    else delete this.dataset.seq;
    if (error) this.dataset.error = error.code;
    else delete this.dataset.error;
  }

  #statusText() {
    const { calendar, error } = this.#view;
    const { check_in, check_out } = this.#selection;
    const words = this.#words;
    if (error) return error.detail ?? words.refused;
    if (!calendar) return words.loading;
    if (this.#taken) return words.taken;
    if (check_in === null) return words.chooseArrival;
    if (check_out === null) return words.chooseDeparture(check_in);
    return words.chosen(check_in, check_out, this.#nights());
  }

  #paintNight = (button, cell, date) => {
    const words = this.#words;
    const state = this.#stateOf(date);
    const night = this.#view.calendar?.nights.get(date);
    const until = state === "held" && night.until ? Date.parse(night.until) : null;
    const leaving = canLeave(this.#selection, date, this.#isFree);
    const role = roleOf(this.#selection, date);
    const preview = leaving && date === this.#pointed;
    const reached = this.#pointed && canLeave(this.#selection, this.#pointed, this.#isFree);
    const stay = reached ? roleOf({ ...this.#selection, check_out: this.#pointed }, date) : role;

    write(button.firstChild, words.day(date));
    write(button.lastChild, until ? words.untilShort(until) : "");
    attribute(button, "data-state", state);
    attribute(button, "data-stay", stay);
    attribute(button, "aria-disabled", String(!canPick(this.#selection, date, this.#isFree)));
    attribute(button, "aria-current", date === this.#today ? "date" : null);
    attribute(button, "aria-label", words.night(date, [
      state && words.states[state],
      until && words.until(until),
      leaving && state !== "available" && words.onlyDeparture,
      role && words.stay[role],
    ].filter(Boolean)));
    button.classList.toggle("preview", preview);
    button.tabIndex = date === this.#focus ? 0 : -1;
    attribute(cell, "aria-selected", String(role !== null));
  };
}

function dateUnder(event) {
  return event.target.closest(".night")?.dataset.date ?? null;
}

function firstWeekday(locale) {
  const known = new Intl.Locale(locale);
  return ((known.getWeekInfo?.() ?? known.weekInfo)?.firstDay ?? 1) - 1;
}

function turn(name, label, action) {
  const button = make("button", `turn ${name}`);
  button.type = "button";
  button.setAttribute("aria-label", label);
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
    item.append(swatch, words.states[state]);
    list.append(item);
  }
  return list;
}

// Writing only what differs keeps screen readers quiet and the browser idle.
function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function attribute(element, name, value) {
  if (value === null || value === undefined) element.removeAttribute(name);
  else if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

// A page that pastes the snippet twice, or from two servers, keeps its first widget.
if (!customElements.get("vacancy-calendar")) {
  customElements.define("vacancy-calendar", VacancyCalendar);
}
