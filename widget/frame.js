// The widget's fixed parts, built once for each language: headings, buttons, months and the foot.
//
// Everything that can appear has its place from the start, so that nothing on the page moves when
// it does. Every part has a `part` of the same name as its class, for style sheets of the page.

import { Month, make } from "./month.js";

const LEGEND = ["available", "held", "booked", "blocked", "closed"];
// A longest stay of so many nights or more is nothing that a reader has to be told.
const MANY_NIGHTS = 60;

/** The frame with its parts; `weekStart` is 0 for Monday to 6 for Sunday. */
export class Frame {
  element = make("section", "calendar");
  months = make("div", "months");
  grids = [];
  status = make("p", "status");
  total = make("p", "total");
  sum = make("span", "sum");
  amount = make("strong", "amount");
  book = make("a", "book");
  live = make("p", "live");
  prices = make("p", "prices");
  #words;
  #weekStart;

  constructor(words, weekStart, { turn, clear, retry }) {
    this.#words = words;
    this.#weekStart = weekStart;
    this.previous = push("turn previous", null, () => turn(-1));
    this.next = push("turn next", null, () => turn(1));
    this.previous.setAttribute("aria-label", words.previous);
    this.next.setAttribute("aria-label", words.next);
    this.clear = push("clear", words.clear, clear);
    this.retry = push("retry", words.retry, retry);
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
  }

  /** Has at least so many months; those above are hidden. */
  show(count) {
    while (this.grids.length < count) {
      const grid = new Month(`month-${this.grids.length}`, this.#weekStart, this.#words);
      this.grids.push(grid);
      this.months.append(grid.element);
    }
    this.grids.forEach((grid, index) => { grid.element.hidden = index >= count; });
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
    return this.grids.map((grid) => grid.buttonOf(date)).find(Boolean);
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

// Writing only what differs keeps screen readers quiet and the browser idle.
export function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function attribute(element, name, value) {
  if (value === null || value === undefined) element.removeAttribute(name);
  else if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}
