// `<vacancy-calendar property="<id>">`: the live calendar of one property, for any page.
//
// README.md describes what pages may rely on: attributes, methods, events, parts and custom
// properties. This file joins the pieces: the feed's calendar, the house's rules, the selection,
// its price, and the frame that shows them. Besides, `data-live`, `data-seq`, `data-error` and
// `data-quote` on the host say how things stand, and every night is a button with `data-date` and
// `data-state`. Data reaches the page through `textContent` and checked addresses only.

import {
  addDays, addMonths, daysBetween, firstOf, monthOf, todayIn,
} from "./dates.js";
import { feedAt } from "./feed.js";
import { Frame, attribute, write } from "./frame.js";
import { Quotes, propertyOf, serverOf, stayAt } from "./quote.js";
import { House, NOTHING, barOf, drag, pick, stillFree } from "./stay.js";
import { styles } from "./styles.js";
import { directionOf, firstWeekday, languageOf, load, localeFor, wordsIn } from "./words.js";

const MONTHS_AHEAD = 13;
const MOST_MONTHS = 12;
const TWO_MONTHS_FROM_PX = 520;
const TODAY_CHECK_MS = 30_000;
const SECOND_MS = 1_000;
// A server cannot say which question was about something that is no id at all.
const PROPERTY = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const UNKNOWN = { calendar: null, live: "connecting", error: null };

class VacancyCalendar extends HTMLElement {
  static observedAttributes = ["property", "server", "guests", "months", "book-url", "lang"];

  #frame = null;
  #locale = null;
  #words = null;
  #view = UNKNOWN;
  #house = new House(null, Date.now());
  #window = null;
  #selection = NOTHING;
  #before = null;
  #bar = null;
  #taken = false;
  #quote = null;
  #quotes = new Quotes((quote) => this.#priced(quote));
  #pointed = null;
  #month = null;
  #focus = null;
  #shown = 1;
  #stop = null;
  #timer = null;
  #painting = false;
  #counting = [];
  #second = null;
  #inView = false;
  #sizes = new ResizeObserver(() => this.#fit());
  #sight = new IntersectionObserver(([entry]) => this.#see(entry.isIntersecting));
  #languages = new MutationObserver(() => this.#speak());

  connectedCallback() {
    if (!this.shadowRoot) this.attachShadow({ mode: "open" }).adoptedStyleSheets = [styles];
    this.#speak();
    const langs = { attributeFilter: ["lang"], subtree: true };
    this.#languages.observe(document.documentElement, langs);
    this.#timer = setInterval(() => this.#follow(), TODAY_CHECK_MS);
    this.#sizes.observe(this);
    this.#sight.observe(this);
    this.#fit();
    this.#follow();
  }

  disconnectedCallback() {
    clearInterval(this.#timer);
    this.#languages.disconnect();
    this.#sizes.disconnect();
    this.#sight.disconnect();
    this.#see(false);
    this.#leave();
  }

  attributeChangedCallback(name, before, after) {
    if (!this.isConnected || !this.#frame || before === after) return;
    if (name === "lang") this.#speak();
    else if (name === "months") this.#fit();
    else if (name === "guests") this.#askPrice();
    else if (name === "book-url") this.#paintSoon();
    else this.#restart();
  }

  get selection() {
    return { ...this.#selection, nights: this.#nights() };
  }

  /** Chooses a stay and brings it into view; false when not all of its nights are free. */
  select(check_in, check_out) {
    const wanted = { check_in, check_out };
    const some = daysBetween(check_in, check_out) >= 1;
    if (!some || !stillFree(wanted, this.#house)) return false;
    this.#reveal(check_in);
    this.#choose(wanted);
    return true;
  }

  clear() {
    this.#choose(NOTHING);
  }

  #restart() {
    this.#leave();
    this.#choose(NOTHING);
    this.#month = null;
    this.#follow();
  }

  // Another language is another frame. Until the words of the first one are there, English stands
  // in unseen, so that everything has its place already.
  #speak() {
    const locale = localeFor(languageOf(this));
    if (locale === this.#locale) return;
    this.#locale = locale;
    if (wordsIn(locale)) return this.#build(locale);
    if (!this.#frame) {
      this.#build("en");
      this.#frame.element.classList.add("waiting");
    }
    load(locale).then((good) => this.#locale === locale && this.#build(good ? locale : "en"));
  }

  #build(locale) {
    const hadFocus = this.shadowRoot.activeElement?.dataset.date;
    const direction = directionOf(locale);
    const page = { weekStart: firstWeekday(locale), rtl: direction === "rtl" };
    this.#words = wordsIn(locale);
    this.#frame = new Frame(this.#words, page, {
      turn: (count) => this.#turn(count),
      clear: () => this.#cleared(),
      retry: () => this.#askPrice(),
      pick: (date) => this.#picked(date),
      point: (date) => this.#point(date),
      drag: (from, to) => this.#dragged(from, to),
      drop: (from, to) => this.#dropped(from, to),
      cancel: () => this.#dropped(),
      move: (date) => this.#move(date),
      escape: () => this.#selection !== NOTHING && (this.clear(), true),
    });
    attribute(this.#frame.element, "lang", locale);
    attribute(this.#frame.element, "dir", direction);
    this.shadowRoot.replaceChildren(this.#frame.element);
    if (!this.#window) return;
    this.#focus = hadFocus ?? this.#focus;
    this.#paint();
    if (hadFocus) this.#frame.buttonOf(this.#focus)?.focus();
  }

  // Joins the feed, and moves on with the calendar: when the day changes the past is repainted,
  // when the month changes the window is asked for anew.
  #follow() {
    const property = propertyOf(this);
    const yesterday = addDays(todayIn("UTC", Date.now()), -1);
    const month = monthOf(yesterday);
    const from = firstOf(month);
    if (this.#window?.from !== from) {
      const leave = this.#stop;
      this.#window = { from, to: firstOf(addMonths(month, MONTHS_AHEAD)) };
      if (PROPERTY.test(property)) {
        this.#stop = feedAt(serverOf(this).socket)
          .watch(property, this.#window, (view) => this.#receive(view));
      } else {
        this.#view = { ...UNKNOWN, error: { code: "no_property" } };
      }
      leave?.();
    }
    this.#paintSoon();
  }

  #leave() {
    this.#stop?.();
    this.#stop = null;
    this.#window = null;
    this.#view = UNKNOWN;
  }

  #receive(view) {
    const { rules } = this.#view.calendar ?? {};
    this.#view = view;
    const { calendar, live, error, changes } = view;
    this.#house = new House(calendar, Date.now());
    const kept = stillFree(this.#selection, this.#house);
    if ((calendar || error) && !kept) this.#choose(NOTHING, !error);
    else if (rules !== calendar?.rules || this.#concerns(changes)) this.#quotes.askAgain();
    this.#paintSoon();
    const seq = calendar?.seq ?? null;
    this.#report("vacancy-change", { seq, live, error: error?.code ?? null, changes });
  }

  #concerns(changes) {
    const { check_in, check_out } = this.#selection;
    return changes.some(({ from, to }) => from <= check_out && to > check_in);
  }

  #nights() {
    const { check_in, check_out } = this.#selection;
    return check_out === null ? 0 : daysBetween(check_in, check_out);
  }

  #choose(selection, taken = false) {
    const { check_in, check_out } = this.#selection;
    this.#taken = taken;
    this.#pointed = null;
    this.#bar = null;
    this.#paintSoon();
    if (selection.check_in === check_in && selection.check_out === check_out) return;
    this.#selection = selection;
    this.#askPrice();
    this.#report("vacancy-select", { ...this.selection, taken });
  }

  #report(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
  }

  #askPrice() {
    const { check_in, check_out } = this.#selection;
    this.#quotes.ask(serverOf(this).quotes, check_out && {
      property_id: propertyOf(this), check_in, check_out, guests: this.#guests(),
    });
  }

  #guests() {
    return Number(this.getAttribute("guests") ?? 1);
  }

  #priced(quote) {
    this.#quote = quote;
    this.#paintSoon();
  }

  #picked(date) {
    this.#focus = date;
    const bar = barOf(this.#selection, date, this.#house);
    this.#choose(pick(this.#selection, date, this.#house));
    this.#bar = bar;
  }

  #dragged(from, to) {
    this.#before ??= this.#selection;
    const [check_in, pointed] = from < to ? [from, to] : [to, from];
    if (this.#house.arrival(check_in)) return;
    this.#choose({ check_in, check_out: null });
    this.#pointed = pointed;
  }

  // Without dates the drag was broken off, and what was chosen before it is chosen again, unless
  // that was taken meanwhile.
  #dropped(from, to) {
    const chosen = from ? drag(from, to, this.#house) : NOTHING;
    const goesBack = chosen.check_in === null && stillFree(this.#before, this.#house);
    this.#choose(goesBack ? this.#before : chosen);
    this.#before = null;
    if (!from) return;
    const [first, last] = from < to ? [from, to] : [to, from];
    this.#focus = to;
    this.#bar = this.#house.arrival(first)
      ?? (first === last ? null : this.#house.departure(first, last));
  }

  #cleared() {
    this.clear();
    this.#paint();
    this.#frame.buttonOf(this.#focus)?.focus();
  }

  #move(date) {
    const first = firstOf(this.#firstMonth());
    const last = addDays(this.#window.to, -1);
    this.#focus = date < first ? first : date > last ? last : date;
    this.#pointed = this.#focus;
    this.#bar = null;
    this.#reveal(this.#focus);
    this.#paint();
    this.#frame.buttonOf(this.#focus)?.focus();
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

  // A page may choose a stay as soon as it hears of the calendar, before there is a painting.
  #reveal(date) {
    this.#month ??= this.#firstMonth();
    const month = monthOf(date);
    const last = addMonths(this.#month, this.#shown - 1);
    if (month < this.#month) this.#month = this.#within(month);
    else if (month > last) this.#month = this.#within(addMonths(month, 1 - this.#shown));
  }

  #firstMonth() {
    return monthOf(this.#house.today);
  }

  #lastMonth() {
    return addMonths(monthOf(this.#window.to), -this.#shown);
  }

  #within(month) {
    if (month < this.#firstMonth()) return this.#firstMonth();
    return month > this.#lastMonth() ? this.#lastMonth() : month;
  }

  #fit() {
    const asked = Math.trunc(Number(this.getAttribute("months") ?? 0));
    const shown = asked >= 1
      ? Math.min(asked, MOST_MONTHS)
      : this.clientWidth >= TWO_MONTHS_FROM_PX ? 2 : 1;
    if (shown === this.#shown) return;
    this.#shown = shown;
    this.#paintSoon();
  }

  // Many frames in one moment are one painting. A microtask, unlike an animation frame, also runs
  // in a window that is not in front, so that what a page reads from the nights is never late.
  #paintSoon() {
    if (this.#painting) return;
    this.#painting = true;
    queueMicrotask(() => {
      this.#painting = false;
      if (this.#frame && this.#window) this.#paint();
    });
  }

  #paint() {
    const { calendar, live, error } = this.#view;
    const words = this.#words;
    const frame = this.#frame;
    const house = this.#house = new House(calendar, Date.now());
    this.#month = this.#within(this.#month ?? this.#firstMonth());
    const last = addMonths(this.#month, this.#shown - 1);
    if (!this.#focus || monthOf(this.#focus) < this.#month || monthOf(this.#focus) > last) {
      this.#focus = this.#month === this.#firstMonth() ? house.today : firstOf(this.#month);
    }
    const scene = {
      calendar, house, words,
      selection: this.#selection, pointed: this.#pointed, focus: this.#focus,
    };
    this.#counting = frame.showMonths(this.#month, this.#shown, scene);
    attribute(frame.months, "aria-busy", String(!calendar && !error));
    attribute(frame.previous, "aria-disabled", String(this.#month <= this.#firstMonth()));
    attribute(frame.next, "aria-disabled", String(this.#month >= this.#lastMonth()));
    frame.showChoice({
      ...this.#view, house, selection: this.#selection, nights: this.#nights(),
      taken: this.#taken, bar: this.#bar, quote: this.#quote, address: this.#address(),
    });
    attribute(this, "data-live", live);
    attribute(this, "data-seq", calendar?.seq);
    attribute(this, "data-error", error?.code);
    attribute(this, "data-quote", this.#quote?.status);
    this.#tickSoon();
  }

  #address() {
    return this.#nights() > 0 ? stayAt(this, { ...this.#selection, guests: this.#guests() }) : null;
  }

  #see(inView) {
    this.#inView = inView;
    this.#tickSoon();
  }

  // Holds that are counted down are painted once a second while somebody can see them. Only the
  // marks change, which no screen reader reads out: the label says when the hold ends.
  #tickSoon() {
    clearTimeout(this.#second);
    if (!this.#inView || this.#counting.length === 0) return;
    this.#second = setTimeout(() => {
      for (const { mark, until } of this.#counting) write(mark, this.#words.left(until));
      this.#tickSoon();
    }, SECOND_MS - (Date.now() % SECOND_MS));
  }
}

// A page that pastes the snippet twice, or from two servers, keeps its first widget.
if (!customElements.get("vacancy-calendar")) {
  customElements.define("vacancy-calendar", VacancyCalendar);
}
