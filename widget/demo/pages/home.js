// One home: its picture and facts, the live calendar, and the panel that leads to a booking.
//
// `choice` is what the guest has chosen and where the booking stands; actions change it and redraw
// the panel. The server stays the only judge: nothing here computes whether a stay is free.

import { askWho } from "../account.js";
import { el, fill, message, say, voice } from "../dom.js";
import { followBookings } from "../live.js";
import * as pulse from "../pulse.js";
import { scene } from "../scene/scene.js";
import { askCancellation } from "../stay/booking.js";
import { currentPayment, outlook } from "../stay/outlook.js";
import { showStay } from "../stay/panel.js";
import { Patience } from "../stay/patience.js";
import { askPayment, goTo } from "../stay/pay.js";
import { amenity, counted, monthAndYear, nights, policy, rating, shortDates, whereIs }
  from "../words.js";

const QUOTE_AFTER_MS = 250;
const RELOAD_AFTER_MS = 250;

export function homePage({ main, api, session, id, params }) {
  let over = false;
  const ends = [];
  fill(main, waiting());
  const load = () => api.property(id).then((home) => {
    if (!over) ends.push(new Home({ main, api, session, home, params }).start());
  }, (problem) => over || fill(main, failed(problem, load)));
  load();
  return () => {
    over = true;
    for (const end of ends) end();
  };
}

class Home {
  constructor({ main, api, session, home, params }) {
    Object.assign(this, { main, api, session, home, params });
    this.choice = {
      arrival: null, stay: null, guests: this.#wanted(params.get("guests")), booking: null,
      payments: [], isOver: false, busy: false, taken: false, quote: null, refusal: null,
      failure: null,
    };
    this.turn = 0;
    this.timers = {};
    this.reads = 0;
    this.live = null;
    this.patience = new Patience(() => this.#refresh());
    this.speaker = voice();
    this.calendar = el("vacancy-calendar", { property: home.id, "data-test": "calendar" });
    this.panel = el("section", {
      class: "panel", id: "stay", tabIndex: -1, "aria-label": "Your stay", "data-test": "stay",
    });
    this.jump = el("a", { class: "jump", href: "#stay", hidden: true, "data-test": "jump" });
    this.reviews = el("section", {
      class: "block", "aria-label": "Reviews", "data-test": "reviews",
    });
  }

  start() {
    document.title = `${this.home.title} · Vacancy`;
    const { calendar, session } = this;
    const redraw = () => this.#accountChanged();
    calendar.addEventListener("vacancy-select", (event) => this.#selected(event.detail));
    calendar.addEventListener("vacancy-change", (event) => this.#changed(event.detail));
    session.addEventListener("change", redraw);
    fill(this.main, page(this.home, this));
    const sight = new IntersectionObserver(([entry]) => {
      this.inView = entry.isIntersecting;
      this.#drawJump();
    });
    sight.observe(this.panel);
    this.#draw();
    this.#loadReviews();
    return () => {
      session.removeEventListener("change", redraw);
      sight.disconnect();
      this.turn += 1;
      Object.values(this.timers).forEach(clearTimeout);
      this.#unfollow();
    };
  }

  #wanted(guests) {
    const count = Number(guests) || 1;
    return Math.min(Math.max(count, 1), this.home.max_guests);
  }

  #draw() {
    const signedIn = this.session.user !== null;
    showStay(this.panel, { ...this.choice, home: this.home, signedIn }, {
      book: () => this.#book(),
      guests: (guests) => this.#update({ guests, refusal: null, failure: null, quote: null }, true),
      alternative: (stay) => this.#take(stay),
      pay: () => askPayment({
        session: this.session, booking: this.choice.booking, done: () => this.#refresh(),
      }),
      cancel: () => askCancellation(this.api, this.choice.booking, () => this.#refresh())
        .catch((failure) => this.#update({ failure })),
      other: () => {
        this.#unfollow();
        this.#update({ booking: null, payments: [], arrival: null, stay: null });
      },
      go: (url) => this.#go(url),
      again: () => this.patience.again(),
      signIn: () => askWho(this.session),
    });
    this.#drawJump();
  }

  // On a phone the panel lies below the calendar, so a choice offers the way to it.
  #drawJump() {
    const { stay, booking } = this.choice;
    const chosen = stay ?? (booking?.status === "PENDING" ? booking : null);
    this.jump.hidden = chosen === null || this.inView;
    if (chosen) fill(this.jump, `${shortDates(chosen)} · ${nights(chosen)} · Continue`);
  }

  #update(changes, quotes = false) {
    Object.assign(this.choice, changes);
    this.#draw();
    if (quotes) this.#quoteSoon();
  }

  #selected({ check_in, check_out, taken }) {
    const { booking, busy, refusal } = this.choice;
    if (check_in === null) {
      // While a booking is under way it is our own hold that takes the nights. A refusal stays
      // readable although the nights that caused it have left the selection.
      if (booking || (taken && (busy || refusal))) return;
      this.#update({ arrival: null, stay: null, taken, quote: null, refusal: null, failure: null });
      return;
    }
    const stay = check_out && { check_in, check_out };
    this.#unfollow();
    this.#update({
      arrival: check_in, stay, booking: null, payments: [], taken: false, quote: null,
      refusal: null, failure: null,
    }, true);
  }

  #changed({ live, error, seq }) {
    pulse.report(this.home.id, error ? null : live);
    if (seq !== null && !this.prefilled) this.#prefill();
    if (live !== "live" || !this.choice.booking) return;
    clearTimeout(this.timers.reload);
    this.timers.reload = setTimeout(() => this.#refresh(), RELOAD_AFTER_MS);
  }

  // The dates of the address are chosen as soon as the calendar knows its nights; those that are
  // taken are asked for all the same, because the server then says why and what is free instead.
  #prefill() {
    this.prefilled = true;
    const [check_in, check_out] = [this.params.get("check_in"), this.params.get("check_out")];
    const right = [check_in, check_out].every((date) => /^\d{4}-\d\d-\d\d$/.test(date ?? ""));
    if (right && check_in < check_out) this.#take({ check_in, check_out });
  }

  #take({ check_in, check_out }) {
    this.choice.refusal = null;
    if (this.calendar.select(check_in, check_out)) return;
    this.#update({ arrival: check_in, stay: { check_in, check_out }, quote: null }, true);
  }

  #quoteSoon() {
    clearTimeout(this.timers.quote);
    this.turn += 1;
    if (!this.choice.stay) return;
    this.timers.quote = setTimeout(() => this.#quote(), QUOTE_AFTER_MS);
  }

  async #quote() {
    const { stay, guests } = this.choice;
    const turn = this.turn;
    try {
      const quote = await this.api.quote(this.home.id, { ...stay, guests });
      if (turn === this.turn) this.#update({ quote });
    } catch (problem) {
      if (turn !== this.turn) return;
      this.#update({ [problem.status === 409 ? "refusal" : "failure"]: problem });
    }
  }

  async #book() {
    const { stay, guests, quote, refusal, failure } = this.choice;
    if (refusal || failure) return this.#update({ refusal: null, failure: null }, true);
    this.#update({ busy: true });
    try {
      const booking = await this.api.book(this.home.id, { ...stay, guests, quote_id: quote.id });
      Object.assign(this.choice, {
        booking, payments: [], arrival: null, stay: null, quote: null,
      });
      this.calendar.clear();
      this.#follow();
    } catch (problem) {
      this.choice.quote = null;
      this.choice[problem.status === 409 ? "refusal" : "failure"] = problem;
    }
    this.#update({ busy: false });
    this.#awaitDeadline();
  }

  /** Reads the booking and its payment again, after an action or whenever there may be news. */
  async #refresh() {
    if (!this.choice.booking || !this.session.user) return;
    const { id } = this.choice.booking;
    this.reads += 1;
    const read = this.reads;
    let news;
    try {
      const booking = await this.api.booking(id);
      const payments = booking.payment_id ? [await this.api.payment(booking.payment_id)] : [];
      news = { booking, payments, failure: null };
    } catch (failure) {
      news = { failure };
    }
    if (read !== this.reads || this.choice.booking?.id !== id) return;
    const before = JSON.stringify(this.choice);
    Object.assign(this.choice, news);
    this.#wait();
    // What is the same as before is not drawn again: somebody may be reading it.
    if (JSON.stringify(this.choice) !== before) this.#draw();
    this.#awaitDeadline();
  }

  // A payment is followed by the private topic and, where that is silent, by asking.
  #wait() {
    const { booking, payments } = this.choice;
    if (!booking) return;
    const payment = currentPayment(booking, payments);
    const said = outlook(booking, payment);
    const what = said?.waits ? `${booking.status} ${payment.status} ${said.heading}` : null;
    this.patience.wait(what, this.live?.isTold ?? false);
    this.choice.isOver = this.patience.isOver;
    say(this.speaker, said ? `${said.heading}. ${said.text}` : "");
  }

  #follow() {
    this.#unfollow();
    this.live = followBookings({ api: this.api, side: "guest", changed: () => this.#refresh() });
  }

  #unfollow() {
    this.live?.stop();
    this.live = null;
    this.patience.stop();
  }

  #go(url) {
    try {
      goTo(this.session, url);
    } catch (failure) {
      this.#update({ failure });
    }
  }

  // The server's clock may be a little behind ours, hence the second's grace.
  #awaitDeadline() {
    clearTimeout(this.timers.deadline);
    const { status, expires_at } = this.choice.booking ?? {};
    if (status !== "PENDING" || !expires_at) return;
    const wait = Math.max(Date.parse(expires_at) - Date.now() + 1_000, 5_000);
    this.timers.deadline = setTimeout(() => this.#refresh(), wait);
  }

  #accountChanged() {
    if (!this.session.user) {
      this.#unfollow();
      Object.assign(this.choice, { booking: null, payments: [] });
    }
    this.#draw();
  }

  async #loadReviews() {
    try {
      const { data } = await this.api.reviews(this.home.id);
      fill(this.reviews, reviews(this.home, data));
    } catch (problem) {
      fill(this.reviews, el("h2", {}, "Reviews"), message("error", problem.message),
        el("button", { class: "secondary", type: "button", onclick: () => this.#loadReviews() },
          "Try again"));
    }
  }
}

function page(home, { calendar, panel, jump, reviews, speaker }) {
  const stars = rating(home);
  return [
    el("div", { class: "wide page home-page" },
      el("p", {}, el("a", { class: "back", href: "/" }, "← All homes")),
      el("div", { class: "picture banner" }, scene(home, true)),
      el("div", { class: "title-row" },
        el("h1", { "data-test": "title" }, home.title),
        el("p", { class: "quiet" }, whereIs(home), stars ? ` · ★ ${stars}` : "")),
      el("div", { class: "layout" },
        el("div", { class: "story" },
          home.description ? el("p", { class: "lead", "data-test": "description" },
            home.description) : null,
          el("ul", { class: "tags" },
            el("li", {}, `Up to ${counted(home.max_guests, "guest")}`),
            el("li", {}, home.instant_book ? "Booked at once" : "The host answers"),
            home.amenities.map((slug) => el("li", {}, amenity(slug)))),
          el("section", { class: "block", "aria-label": "Calendar" },
            el("h2", {}, "When is it free?"), calendar)),
        el("aside", { class: "side" }, speaker, panel)),
      el("div", { class: "layout" },
        el("div", { class: "story" }, reviews),
        el("section", { class: "block" },
          el("h2", {}, "Good to know"),
          el("dl", { class: "rules" },
            rule("Arrive", `from ${home.check_in_from}`),
            rule("Leave", `by ${home.check_out_by}`),
            rule("Time zone", home.timezone.replaceAll("_", " ")),
            rule("If you cancel", policy(home.cancellation_policy)))))),
    jump,
  ];
}

function rule(name, text) {
  return el("div", {}, el("dt", {}, name), el("dd", {}, text));
}

function reviews(home, data) {
  const stars = rating(home);
  return [
    el("h2", {}, stars ? `★ ${stars}` : "Reviews"),
    data.length === 0
      ? el("p", { class: "hint" }, "Nobody has written about this home yet.")
      : el("ul", { class: "reviews" }, data.map((review) => el("li", {},
        el("p", { class: "stars" },
          el("span", { "aria-label": `${review.rating} of 5 stars`, role: "img" },
            "★".repeat(review.rating) + "☆".repeat(5 - review.rating)),
          el("span", { class: "quiet" }, ` ${monthAndYear(review.created_at)}`)),
        el("p", { "data-test": "review-text" }, review.comment),
        review.reply ? el("p", { class: "reply" },
          el("strong", {}, "The host: "), review.reply.comment) : null))),
  ];
}

function waiting() {
  return el("div", {
    class: "wide page home-page", role: "status", "aria-busy": "true", "aria-label": "Loading",
  },
    el("div", { class: "picture banner waiting" }),
    el("div", { class: "bar waiting" }), el("div", { class: "bar waiting short" }),
    el("div", { class: "grid-bar waiting" }));
}

function failed(problem, again) {
  const gone = problem.status === 404 || problem.status === 422 || problem.status === 400;
  return el("div", { class: "wide page" }, el("div", { class: "panel vacant" },
    el("h1", {}, gone ? "This home is not listed" : "The home could not be loaded"),
    gone ? el("p", { class: "hint" }, "Its host may have taken it off, or the address is wrong.")
      : message("error", problem.message),
    gone ? el("a", { class: "button primary", href: "/" }, "Show all homes")
      : el("button", { class: "primary", type: "button", "data-test": "again", onclick: again },
        "Try again")));
}
