// The host board: all homes and their nights at once, live.
//
// The public calendars of all rows come over the widget's one socket and colour the nights; those
// of homes that are not listed, and the bookings, come over REST and are read again whenever the
// host's topic, or one of the calendars, says that something changed.

import { addDays, addMonths, firstOf, monthOf, todayIn } from "../../dates.js";
import { invitation } from "../account.js";
import { el, fill, message } from "../dom.js";
import { followBookings } from "../live.js";
import { nights, shortDates } from "../words.js";
import { askBlock, askPrice, unblock } from "./edit.js";
import { showEmbed } from "./embed.js";
import { Grid, daysFrom } from "./grid.js";
import { askRefund } from "./refund.js";
import { askDecline, requestCards, showBooking } from "./requests.js";

const DAYS = 42;
const STEP = 14;
/** As many calendars as one socket may carry. */
const MOST_HOMES = 100;

export function boardPage({ main, api, session }) {
  const board = new Board(main, api, session);
  const begin = () => board.begin();
  session.addEventListener("change", begin);
  begin();
  return () => {
    session.removeEventListener("change", begin);
    board.end();
  };
}

class Board {
  #main;
  #api;
  #session;
  #live = null;
  #turn = 0;
  #reads = 0;
  #homes = [];
  #titles = new Map();
  #views = new Map();
  #bookings = [];
  #selection = null;
  #start = todayIn(undefined, Date.now());
  #grid = null;
  #note = el("p", { class: "board-note", role: "status", "data-test": "note" });
  #requests = el("div", {});
  #place = el("div", { class: "board-place" });
  #tools = el("div", {
    class: "tools", role: "toolbar", "aria-label": "Selected nights", "data-test": "tools",
    hidden: true,
  });

  constructor(main, api, session) {
    this.#main = main;
    this.#api = api;
    this.#session = session;
  }

  begin() {
    this.end();
    const { user } = this.#session;
    if (user && user.role !== "guest") this.#open();
    else fill(this.#main, door(this.#session));
  }

  end() {
    this.#turn += 1;
    this.#live?.stop();
    this.#live = null;
  }

  async #open() {
    const turn = this.#turn;
    fill(this.#main, page({
      place: this.#place, requests: this.#requests, note: this.#note, tools: this.#tools,
      shift: (by) => this.#shift(by),
    }));
    fill(this.#place, waiting());
    try {
      const found = await this.#api.propertiesOf(this.#session.user.id);
      if (turn !== this.#turn) return;
      this.#homes = found.filter(({ status }) => status !== "archived").slice(0, MOST_HOMES);
      this.#titles = new Map(found.map(({ id, title }) => [id, title]));
      if (this.#homes.length === 0) return fill(this.#place, nothing());
      this.#live = followBookings({ api: this.#api, side: "host", changed: () => this.#load() });
      this.#build();
    } catch (problem) {
      if (turn === this.#turn) fill(this.#place, failed(problem, () => this.begin()));
    }
  }

  #build() {
    this.#select(null);
    this.#grid = new Grid({
      homes: this.#homes, days: daysFrom(this.#start, DAYS),
      told: {
        select: (selection) => this.#select(selection),
        key: (letter) => this.#act({ b: "block", u: "unblock", p: "price" }[letter]),
        open: (booking) => showBooking(
          booking, this.#titles.get(booking.property_id), this.#answers(),
        ),
        embed: showEmbed,
      },
    });
    fill(this.#place, this.#grid.element);
    const from = firstOf(monthOf(this.#start));
    const window = { from, to: firstOf(addMonths(monthOf(addDays(this.#start, DAYS)), 1)) };
    for (const home of this.#homes) {
      this.#live.watch(home.id, window, (view) => {
        this.#views.set(home.id, view);
        this.#paint(home.id);
      });
    }
    this.#load();
  }

  #shift(by) {
    if (!this.#live) return;
    this.#start = by === 0 ? todayIn(undefined, Date.now()) : addDays(this.#start, by * STEP);
    this.#build();
  }

  async #load() {
    this.#reads += 1;
    const [turn, read] = [this.#turn, this.#reads];
    const range = { from: this.#start, to: addDays(this.#start, DAYS) };
    try {
      const [inView, pending] = await Promise.all([
        this.#api.bookings("host", range), this.#api.bookings("host", { status: "PENDING" }),
      ]);
      if (turn !== this.#turn || read !== this.#reads) return;
      this.#bookings = inView;
      fill(this.#requests, requestCards(pending, this.#titles, this.#answers()));
      for (const home of this.#homes) this.#paint(home.id);
    } catch (problem) {
      if (turn !== this.#turn) return;
      this.#say(`The bookings could not be read. ${problem.message}`, true);
    }
  }

  #paint(id) {
    const view = this.#views.get(id);
    this.#grid.paint(id, {
      calendar: view?.calendar, refused: view?.error,
      bookings: this.#of(id),
    });
  }

  /** The bookings of one home. */
  #of(id) {
    return this.#bookings.filter(({ property_id }) => property_id === id);
  }

  #answers() {
    const done = (words) => {
      this.#say(words);
      this.#load();
    };
    return {
      accept: async (booking) => {
        try {
          await this.#api.answer(booking.id, "accept");
          done("Accepted. The guest sees it now.");
        } catch (problem) {
          this.#say(problem.message, true);
        }
      },
      decline: (booking) => askDecline(this.#api, booking, () => done("Declined.")),
      payment: async ({ payment_id }) => (payment_id ? this.#api.payment(payment_id) : null),
      refund: (payment) => askRefund(this.#api, payment, done),
    };
  }

  #select(selection) {
    this.#selection = selection;
    this.#tools.hidden = selection === null;
    if (!selection) return;
    const { home, from, to } = selection;
    const stay = { check_in: from, check_out: to };
    const tool = (look, test, text) => el("button", {
      class: look, type: "button", "data-test": test, onclick: () => this.#act(test),
    }, text);
    fill(this.#tools,
      el("p", { "data-test": "selected" },
        el("strong", {}, `${shortDates(stay)} · ${nights(stay)}`), el("span", {}, home.title)),
      el("div", { class: "actions" },
        tool("primary", "block", "Block"), tool("secondary", "unblock", "Unblock"),
        tool("secondary", "price", "Price"), tool("quiet-button", "clear", "Clear")));
  }

  async #act(what) {
    const selection = this.#selection;
    if (!selection) return;
    const done = (words) => {
      this.#live?.refresh(selection.home.id);
      this.#say(words);
      this.#grid.clear();
      this.#grid.refocus();
    };
    try {
      if (what === "block") await askBlock(this.#api, selection, this.#of(selection.home.id), done);
      else if (what === "price") askPrice(this.#api, selection, done);
      else if (what === "unblock") done(await unblock(this.#api, selection));
      else this.#grid.clear();
    } catch (problem) {
      this.#say(problem.message, true);
    }
  }

  #say(words, failed = false) {
    this.#note.textContent = words;
    this.#note.classList.toggle("error", failed);
  }
}

function door(session) {
  return el("div", { class: "wide page narrow" },
    el("h1", {}, "Host board"),
    session.user
      ? el("section", { class: "panel vacant", "data-test": "not-a-host" },
        el("h2", {}, "This is for hosts"),
        el("p", { class: "hint" }, "You are signed in as a guest. Sign out, and come back with an "
          + "account that lists homes."))
      : invitation(session, {
        title: session.ended ? "Your session has ended" : "All your nights at one glance",
        text: "See every booking as it happens, answer requests, block nights by dragging, and put "
          + "the live calendar on your own page.",
        role: "host",
      }));
}

function page({ place, requests, note, tools, shift }) {
  const turn = (by, test, text) => el("button", {
    class: "secondary small", type: "button", "data-test": test, onclick: () => shift(by),
  }, text);
  return el("div", { class: "page board-page" },
    el("div", { class: "wide" },
      el("div", { class: "title-row" }, el("h1", {}, "Host board"),
        el("div", { class: "actions" },
          turn(-1, "earlier", "← Earlier"), turn(0, "today", "Today"),
          turn(1, "later", "Later →"))),
      requests, note),
    place,
    el("div", { class: "wide" },
      el("ul", { class: "legend" }, ["available", "held", "booked", "blocked"].map((state) =>
        el("li", {}, el("span", { class: "swatch", "data-state": state }),
          state === "available" ? "free" : state))),
      el("p", { class: "hint" }, "Drag over nights to select them, or rest a finger on one. With "
        + "the keyboard: arrows, Shift with arrows, then B to block, U to unblock, P for the "
        + "price.")),
    tools);
}

function waiting() {
  return el("div", {
    class: "wide", role: "status", "aria-busy": "true", "aria-label": "Loading",
  },
    [0, 1, 2, 3].map(() => el("div", { class: "board-bar waiting" })));
}

function nothing() {
  return el("div", { class: "wide" }, el("div", { class: "panel vacant", "data-test": "no-homes" },
    el("h2", {}, "No home yet"),
    el("p", { class: "hint" }, "As soon as you list one, its nights appear here. Listing is one "
      + "request to the API; its page shows how."),
    el("a", { class: "button primary", href: "/api/docs" }, "How to list a home")));
}

function failed(problem, again) {
  return el("div", { class: "wide" }, el("div", { class: "panel vacant" },
    el("h2", {}, "The board could not be loaded"), message("error", problem.message),
    el("button", { class: "primary", type: "button", "data-test": "again", onclick: again },
      "Try again")));
}
