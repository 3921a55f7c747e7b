// One month on screen: a heading and a grid of weeks, built once and painted in place.
//
// Cells belong to positions, not to dates, so that painting another month or a changed night never
// replaces the button that has the focus. Six weeks are always laid out: no month is taller than
// another, and paging moves nothing on the page. What a night looks like is the caller's business.

import { addDays, daysIn, firstOf, weekday } from "./dates.js";

const WEEKS = 6;
const DAYS = 7;
const SOME_MONDAY = "2024-01-01";

export class Month {
  element = make("section", "month");
  #heading = make("h3", "name");
  #cells = [];
  #buttons = new Map();
  #weekStart;
  #words;

  /** `weekStart` is 0 for Monday to 6 for Sunday; `id` is unique in the shadow tree. */
  constructor(id, weekStart, words) {
    this.#weekStart = weekStart;
    this.#words = words;
    this.#heading.id = id;
    const table = make("table", "grid");
    table.setAttribute("role", "grid");
    table.setAttribute("aria-labelledby", id);
    table.append(this.#head(), this.#body());
    this.element.append(this.#heading, table);
  }

  /** Shows `month`; `paint(button, cell, date)` is called for each of its days. */
  show(month, paint) {
    const first = firstOf(month);
    const blanks = (weekday(first) - this.#weekStart + DAYS) % DAYS;
    const length = daysIn(month);
    this.#heading.textContent = this.#words.month(first);
    this.#buttons.clear();
    this.#cells.forEach(({ cell, button }, position) => {
      const inside = position >= blanks && position < blanks + length;
      button.hidden = !inside;
      if (!inside) {
        for (const name of ["data-date", "data-state", "data-stay"]) button.removeAttribute(name);
        cell.removeAttribute("aria-selected");
        return;
      }
      const date = addDays(first, position - blanks);
      button.dataset.date = date;
      this.#buttons.set(date, button);
      paint(button, cell, date);
    });
  }

  buttonOf(date) {
    return this.#buttons.get(date);
  }

  #head() {
    const row = make("tr");
    for (let index = 0; index < DAYS; index += 1) {
      const day = addDays(SOME_MONDAY, this.#weekStart + index);
      const cell = make("th", "weekday");
      cell.scope = "col";
      cell.abbr = this.#words.weekdayName(day);
      cell.textContent = this.#words.weekday(day);
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

/** An element with these classes, which are its parts as well. */
export function make(tag, name) {
  const element = document.createElement(tag);
  if (name) {
    element.className = name;
    element.setAttribute("part", name);
  }
  return element;
}
