// The list of homes: a card for each listing with its live calendar, and the list's other faces
// while it loads, when it is empty, and when it could not be had.

import { el, fill, message } from "./dom.js";
import { counted, price } from "./words.js";

const SCENES = 3;
const PLACEHOLDERS = 2;

export function showLoading(place) {
  place.setAttribute("aria-busy", "true");
  fill(place, Array.from({ length: PLACEHOLDERS }, () => el(
    "div", { class: "home waiting", "aria-hidden": "true" },
    el("div", { class: "scene" }), el("div", { class: "bars" }), el("div", { class: "grid" }),
  )));
}

export function showFailure(place, problem, again) {
  place.setAttribute("aria-busy", "false");
  fill(place, el("div", { class: "panel vacant" },
    message("error", `The homes could not be loaded. ${problem.message}`),
    el("button", { class: "secondary", type: "button", "data-test": "again", onclick: again },
      "Try again")));
}

/** Shows the cards and returns the calendar element of each property by its id. */
export function showHomes(place, homes) {
  place.setAttribute("aria-busy", "false");
  if (homes.length === 0) {
    fill(place, el("div", { class: "panel vacant", "data-test": "no-homes" },
      el("h3", {}, "No homes yet"),
      el("p", {}, "As soon as a host lists one, it appears here with its calendar.")));
    return new Map();
  }
  const calendars = new Map();
  fill(place, homes.map((home, index) => {
    const calendar = el("vacancy-calendar", { property: home.id, "data-test": "calendar" });
    calendars.set(home.id, calendar);
    return card(home, index, calendar);
  }));
  return calendars;
}

function card(home, index, calendar) {
  const source = `/widget/demo/scene-${(index % SCENES) + 1}.svg`;
  return el("article", { class: "home", "data-test": "home", "data-property": home.id },
    el("div", { class: "about" },
      el("img", { class: "scene", src: source, alt: "", width: 240, height: 180 }),
      el("div", { class: "facts" },
        el("h3", {}, home.title),
        el("p", { class: "where" }, [home.city, home.country].filter(Boolean).join(", ")),
        el("p", { class: "price" },
          el("strong", {}, price(home.price_per_night, home.currency)), " a night"),
        el("p", { class: "where" }, `Up to ${counted(home.max_guests, "guest")}`))),
    calendar);
}
