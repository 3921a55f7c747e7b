// The list of homes: a search whose words stand in the address, cards with pictures, page by page.

import { addDays, todayIn } from "../../dates.js";
import { el, fill, message } from "../dom.js";
import { scene } from "../scene/scene.js";
import {
  counted, minorUnits, money, nights, price, rating, shortDates, whereIs,
} from "../words.js";

const PAGE = 12;
const PLACEHOLDERS = 6;
const CURRENCIES = ["USD", "EUR", "GBP", "CHF", "JPY", "KES", "AUD", "CAD"];
const SORTS = [["newest", "Newest"], ["price", "Price"], ["rating", "Rating"]];
const FIELDS = ["city", "check_in", "check_out", "guests", "max", "currency", "sort"];

export function listPage({ main, api, params, go }) {
  const wish = Object.fromEntries(FIELDS.map((name) => [name, params.get(name) ?? ""]));
  const results = el("div", { class: "results", id: "results", "data-test": "listings" });
  let turn = 0;
  fill(main,
    el("div", { class: "hero" }, el("div", { class: "wide" },
      el("h1", {}, "A place for the night, as it is right now"),
      el("p", { class: "lead" },
        "Every calendar here is live. What you see free is free, and what you book is yours."),
      form(wish, go))),
    el("div", { class: "wide page" }, results));

  async function load() {
    turn += 1;
    const mine = turn;
    results.setAttribute("aria-busy", "true");
    fill(results, waiting());
    try {
      const found = await api.search(query(wish));
      if (mine === turn) show(found);
    } catch (problem) {
      if (mine === turn) fill(results, failed(problem, load));
    }
    results.setAttribute("aria-busy", "false");
  }

  function show({ data, next_cursor }) {
    if (data.length === 0) return fill(results, nothing(wish));
    const cards = el("ul", { class: "cards" }, data.map((home) => card(home, wish)));
    const more = el("div", { class: "more" });
    fill(results, el("h2", {}, heading(wish)), cards, more);
    offerMore(cards, more, next_cursor);
  }

  function offerMore(cards, more, cursor) {
    fill(more, cursor ? el("button", {
      class: "secondary", type: "button", "data-test": "more",
      onclick: async ({ target }) => {
        target.disabled = true;
        target.textContent = "Loading…";
        try {
          const { data, next_cursor } = await api.search({ ...query(wish), cursor });
          const fresh = data.map((home) => card(home, wish));
          cards.append(...fresh);
          offerMore(cards, more, next_cursor);
          fresh[0]?.querySelector("a").focus({ preventScroll: true });
        } catch (problem) {
          offerMore(cards, more, cursor);
          more.prepend(message("error", problem.message));
        }
      },
    }, "Show more homes") : null);
  }

  load();
  return () => { turn += 1; };
}

/** The search as the server takes it; a price needs to know of which currency. */
function query({ max, ...wish }) {
  const currency = wish.currency || (max || wish.sort === "price" ? CURRENCIES[0] : "");
  const limit = max && minorUnits(max, currency);
  const dated = wish.check_in && wish.check_out;
  return {
    ...wish,
    check_in: dated ? wish.check_in : "", check_out: dated ? wish.check_out : "",
    currency, max_price: limit ?? "", limit: PAGE,
  };
}

function form(wish, go) {
  const today = todayIn(undefined, Date.now());
  const field = (name, label, facts) => el("label", { class: `field ${name}` },
    el("span", {}, label),
    el("input", { name, value: wish[name], "data-test": name, ...facts }));
  const choice = (name, label, options) => el("label", { class: `field ${name}` },
    el("span", {}, label),
    el("select", { name, "data-test": name }, options.map(([value, text]) =>
      el("option", { value, selected: wish[name] === value }, text))));
  const arrival = field("check_in", "Check-in", { type: "date", min: today });
  const departure = field("check_out", "Check-out", {
    type: "date", min: addDays(wish.check_in || today, 1),
  });
  return el("form", {
    class: "search", role: "search", "aria-label": "Homes", "data-test": "search",
    onchange: ({ target }) => target.name === "check_in" && follow(arrival, departure),
    onsubmit: (event) => {
      event.preventDefault();
      const filled = [...new FormData(event.target)]
        .filter(([name, value]) => value.trim() && !(name === "sort" && value === "newest"));
      go(`/?${new URLSearchParams(filled)}`);
    },
  },
    field("city", "Where", { placeholder: "Anywhere", maxLength: 120, autocomplete: "off" }),
    arrival, departure,
    field("guests", "Guests", { type: "number", min: 1, max: 99, placeholder: "Any" }),
    field("max", "Up to a night", {
      inputMode: "decimal", pattern: "\\d{1,9}([.,]\\d{1,3})?", placeholder: "Any",
      title: "An amount like 120",
    }),
    choice("currency", "Currency", [["", "Any"], ...CURRENCIES.map((code) => [code, code])]),
    choice("sort", "Sort by", SORTS),
    el("button", { class: "primary", "data-test": "find" }, "Search"));
}

// The day of departure follows an arrival that is moved behind it.
function follow(arrival, departure) {
  const [from, to] = [arrival, departure].map((label) => label.querySelector("input"));
  if (!from.value) return;
  to.min = addDays(from.value, 1);
  if (to.value && to.value <= from.value) to.value = addDays(from.value, 1);
}

function heading({ check_in, check_out, city }) {
  const where = city ? ` in ${city}` : "";
  return check_in && check_out
    ? `Free${where}, ${shortDates({ check_in, check_out })}`
    : `Homes to stay in${where}`;
}

function card(home, { check_in, check_out, guests }) {
  const dated = { check_in, check_out, guests };
  const filled = Object.entries(dated).filter(([, value]) => value);
  const rest = filled.length > 0 ? `?${new URLSearchParams(filled)}` : "";
  const stars = rating(home);
  return el("li", { class: "card", "data-test": "home", "data-property": home.id },
    el("div", { class: "picture" }, scene(home)),
    el("div", { class: "card-text" },
      el("h3", {}, el("a", { href: `/stay/${home.id}${rest}` }, home.title)),
      el("p", { class: "quiet" },
        `${whereIs(home)} · up to ${counted(home.max_guests, "guest")}`),
      stars ? el("p", { class: "stars" }, `★ ${stars}`)
        : el("p", { class: "stars quiet" }, "New here"),
      home.stay
        ? el("p", { class: "price" },
          el("strong", {}, money(home.stay.total_amount, home.stay.currency)),
          ` for ${nights(dated)}`)
        : el("p", { class: "price" },
          el("strong", {}, price(home.price_per_night, home.currency)), " a night")));
}

function waiting() {
  return el("ul", { class: "cards", "aria-label": "Loading" },
    Array.from({ length: PLACEHOLDERS }, () => el("li", { class: "card waiting" },
      el("div", { class: "picture" }), el("div", { class: "bar" }), el("div", { class: "bar" }))));
}

function failed(problem, again) {
  return el("div", { class: "panel vacant" },
    el("h2", {}, "The homes could not be loaded"),
    message("error", problem.message),
    el("button", { class: "primary", type: "button", "data-test": "again", onclick: again },
      "Try again"));
}

function nothing(wish) {
  const searched = FIELDS.some((name) => wish[name]);
  return el("div", { class: "panel vacant", "data-test": "no-homes" },
    el("h2", {}, searched ? "No home is free for that" : "No homes yet"),
    el("p", { class: "hint" }, searched
      ? "Other dates, fewer guests or a higher price may help."
      : "As soon as a host lists one, it appears here with its calendar."),
    searched ? el("a", { class: "button primary", href: "/" }, "Show all homes") : null);
}
