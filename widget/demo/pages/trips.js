// The trips of the guest: what waits for them first, then what comes, then what was. The list is
// read again whenever one of its bookings or payments may have changed.
//
// Payment pages lead back to here. The trip that was paid for then stands above all others until
// the page is left, and says what the server knows of it, whatever the address claims.

import { addMonths, firstOf, monthOf, todayIn } from "../../dates.js";
import { invitation } from "../account.js";
import { el, fill, message, say, voice } from "../dom.js";
import { followBookings } from "../live.js";
import { scene } from "../scene/scene.js";
import { arrival } from "../stay/away.js";
import {
  askCancellation, askChange, askReview, bookingState, changeRequest, deadline, facts,
} from "../stay/booking.js";
import { currentPayment, isJustBack, isPayable, outlook, paymentsOf, toPay }
  from "../stay/outlook.js";
import { Patience } from "../stay/patience.js";
import { askPayment, goTo } from "../stay/pay.js";
import { progress } from "../stay/progress.js";
import { counted, money, nights, stayDates, whereIs } from "../words.js";

const OPEN = ["PENDING", "CONFIRMED"];
const MONTHS_AHEAD = 13;
const LONGEST_WAIT_MS = 3_600_000;

export function tripsPage({ main, api, session }) {
  const list = el("div", { class: "trips", "data-test": "trips" });
  const speaker = voice();
  fill(main, el("div", { class: "wide page narrow" }, el("h1", {}, "Your trips"), speaker, list));
  const { booking: paidFor, cameBack, address } = arrival(location);
  if (cameBack) history.replaceState(history.state, "", address);
  const state = {
    bookings: null, payments: [], homes: new Map(), reviewed: new Map(), failure: null, note: null,
    opened: new Set(), isOver: false,
    back: cameBack ? { booking: paidFor, at: Date.now() } : null,
  };
  const patience = new Patience(load);
  let live = null;
  let turn = 0;
  let timer = null;
  let drawn = null;

  function begin() {
    live?.stop();
    live = null;
    turn += 1;
    Object.assign(state, { bookings: null, payments: [], failure: null, note: null });
    patience.stop();
    if (session.user) {
      live = followBookings({ api, side: "guest", changed: load });
      load();
    }
    show();
  }

  async function load() {
    turn += 1;
    const mine = turn;
    try {
      const [bookings, payments] = await Promise.all([api.bookings("guest"), api.payments()]);
      await meet(bookings);
      if (mine !== turn) return;
      Object.assign(state, { bookings, payments, failure: null });
      follow(bookings);
    } catch (failure) {
      if (mine !== turn) return;
      state.failure = failure;
    }
    wait();
    show();
  }

  /** Asks again while a payment is on its way, and says aloud what became of the last one. */
  function wait() {
    const stands = (state.bookings ?? []).map((booking) => [booking, standing(booking, state)]);
    const awaited = stands.filter(([, { said }]) => said?.waits)
      .map(([{ id, status }, { payment, said }]) => [id, status, payment.status, said.heading]);
    const isTold = (live?.isTold ?? false) && !isJustBack(state.back && Date.now() - state.back.at);
    patience.wait(awaited.length > 0 ? JSON.stringify(awaited) : null, isTold);
    state.isOver = patience.isOver;
    const back = stands.find(([{ id }]) => id === state.back?.booking)?.[1].said;
    if (back) say(speaker, `${back.heading}. ${back.text}`);
  }

  /** Reads what the list needs to know besides: the homes, and which stays have a review. */
  async function meet(bookings) {
    const unknown = [...new Set(bookings.map(({ property_id }) => property_id))]
      .filter((id) => !state.homes.has(id));
    const over = bookings.filter(({ id, status }) =>
      status === "COMPLETED" && !state.reviewed.has(id));
    await Promise.all([
      ...unknown.map(async (id) =>
        state.homes.set(id, await api.property(id).catch(() => null))),
      ...over.map(async ({ id }) =>
        state.reviewed.set(id, await api.ownReview(id).catch(() => null))),
    ]);
  }

  function follow(bookings) {
    const month = monthOf(todayIn("UTC", Date.now()));
    const window = { from: firstOf(month), to: firstOf(addMonths(month, MONTHS_AHEAD)) };
    for (const { status, property_id } of bookings) {
      if (OPEN.includes(status) && !live.watches(property_id)) live.watch(property_id, window);
    }
    clearTimeout(timer);
    const ends = bookings
      .map((booking) => booking.change_request?.expires_at ?? booking.expires_at)
      .filter(Boolean).map((at) => Date.parse(at) - Date.now() + 1_000).filter((wait) => wait > 0);
    if (ends.length > 0) timer = setTimeout(load, Math.min(...ends, LONGEST_WAIT_MS));
  }

  function show() {
    if (!session.user) {
      fill(list, invitation(session, {
        title: session.ended ? "Your session has ended"
          : state.back ? "You are back from the payment page" : "See where you are going",
        text: state.back ? "Sign in again to see what came of your payment."
          : "Sign in to see your stays, pay for what is held, change dates or write a review.",
        role: "guest",
      }));
      drawn = null;
      return;
    }
    // What is the same as before stays as it is, with whatever somebody is reading or opening.
    const facts = JSON.stringify([factsOf(state), [...state.homes], [...state.reviewed]]);
    if (facts === drawn) return;
    drawn = facts;
    fill(list, contents(state, actions, load));
  }

  const done = (note = null) => {
    state.note = note;
    load();
  };
  const failed = (failure) => {
    state.note = failure.message;
    show();
  };
  const actions = {
    pay: (booking) => askPayment({ session, booking, done: () => done() }),
    go: (url) => {
      try {
        goTo(session, url);
      } catch (failure) {
        failed(failure);
      }
    },
    again: () => patience.again(),
    cancel: (booking) => askCancellation(api, booking, ({ refund, currency }) => done(
      refund?.amount > 0 ? `${money(refund.amount, currency)} goes back to you.` : null,
    )).catch(failed),
    change: (booking) => askChange(api, booking, state.homes.get(booking.property_id),
      (changed) => done(changed.change_request
        ? "The new nights are held. Pay the difference to take them."
        : "Your stay is changed.")),
    review: (booking) => askReview(api, booking, titleOf(state, booking), () => {
      state.reviewed.delete(booking.id);
      done("Thank you for your words.");
    }),
  };

  session.addEventListener("change", begin);
  begin();
  return () => {
    session.removeEventListener("change", begin);
    turn += 1;
    clearTimeout(timer);
    patience.stop();
    live?.stop();
  };
}

function factsOf({ bookings, payments, failure, note, isOver, ...state }) {
  const said = (bookings ?? []).map((booking) =>
    standing(booking, { payments, back: state.back }).said);
  return [bookings, said, payments, failure?.message, note, isOver];
}

/** `{payment, payments, said}`: a booking's payment that counts, all of them, and what is said. */
function standing(booking, { payments, back }) {
  const payment = currentPayment(booking, payments);
  const backMs = back?.booking === booking.id ? Date.now() - back.at : null;
  const mine = paymentsOf(booking, payments);
  return { payment, payments: mine, said: outlook(booking, payment, backMs) };
}

function titleOf({ homes }, { property_id }) {
  return homes.get(property_id)?.title ?? "A home";
}

function contents(state, actions, again) {
  const { bookings: all, failure, note, back } = state;
  if (failure) {
    return el("div", { class: "panel vacant" },
      el("h2", {}, "Your trips could not be loaded"), message("error", failure.message),
      el("button", { class: "primary", type: "button", "data-test": "reload", onclick: again },
        "Try again"));
  }
  if (all === null) {
    return [0, 1].map(() => el("div", { class: "trip waiting", "aria-hidden": "true" },
      el("div", { class: "picture" }), el("div", { class: "bar" })));
  }
  if (all.length === 0) {
    return el("div", { class: "panel vacant", "data-test": "no-bookings" },
      el("h2", {}, "No trips yet"),
      el("p", { class: "hint" }, "What you book appears here, with all you can do about it."),
      el("a", { class: "button primary", href: "/" }, "Find a home"));
  }
  const paidFor = all.filter(({ id }) => id === back?.booking);
  const bookings = all.filter(({ id }) => id !== back?.booking);
  const byArrival = (a, b) => (a.check_in < b.check_in ? -1 : 1);
  const waiting = bookings.filter(({ status, change_request }) =>
    status === "PENDING" || change_request);
  const coming = bookings.filter(({ status, change_request }) =>
    status === "CONFIRMED" && !change_request).sort(byArrival);
  const past = bookings.filter(({ status }) => !OPEN.includes(status));
  const part = (title, data, test) => (data.length === 0 ? null
    : el("section", { "data-test": test },
      el("h2", {}, title),
      el("ul", {}, data.map((booking) => trip(booking, state, actions)))));
  return [
    note ? message("note", note) : null,
    part("Just now", paidFor, "came-back"),
    part("Waiting", waiting, "waiting"),
    part("Coming up", coming, "coming"),
    part("Past and ended", past, "past"),
  ];
}

function trip(booking, state, actions) {
  const { id, status, guests, total_amount, currency, property_id } = booking;
  const home = state.homes.get(property_id);
  const { label, text } = bookingState(booking);
  const { payment, payments, said } = standing(booking, state);
  const button = (look, test, words, action) => el("button", {
    class: look, type: "button", "data-test": test, "data-key": id,
    onclick: () => action(booking),
  }, words);
  const open = OPEN.includes(status);
  return el("li", {
    class: "trip", "data-test": "booking", "data-status": status, "data-booking": id,
    "data-awaiting": booking.awaiting,
  },
    el("div", { class: "picture" }, scene(home ?? { id: property_id, city: "", country: "" })),
    el("div", { class: "trip-text" },
      el("div", { class: "row" },
        el("h3", {}, el("a", { href: `/stay/${property_id}` }, titleOf(state, booking))),
        el("span", { class: "badge", "data-status": status }, label)),
      el("p", {}, `${stayDates(booking)} · ${nights(booking)}`),
      el("p", { class: "quiet" }, [
        home && whereIs(home), counted(guests, "guest"), money(total_amount, currency),
      ].filter(Boolean).join(" · ")),
      deadline(booking),
      status === "PENDING" && text && !said ? el("p", { class: "hint" }, text) : null,
      changeRequest(booking),
      progress({ said, payments, isOver: state.isOver, key: id }, actions),
      review(booking, state),
      el("div", { class: "actions start" },
        isPayable(booking, payment)
          ? button("primary", "pay", toPay(booking), actions.pay) : null,
        open ? button("secondary", "change", "Change", actions.change) : null,
        open ? button("secondary", "cancel", "Cancel", actions.cancel) : null,
        status === "COMPLETED" && state.reviewed.get(id) === null
          ? button("primary", "review", "Write a review", actions.review) : null),
      el("details", {
        open: state.opened.has(id),
        ontoggle: ({ target }) => state.opened[target.open ? "add" : "delete"](id),
      }, el("summary", { "data-test": "details", "data-key": id }, "Details"), facts(booking))));
}

function review({ id }, { reviewed }) {
  const written = reviewed.get(id);
  return written ? el("blockquote", { class: "own-review" },
    el("span", { class: "stars", "aria-label": `${written.rating} of 5 stars`, role: "img" },
      "★".repeat(written.rating)),
    ` ${written.comment}`) : null;
}
