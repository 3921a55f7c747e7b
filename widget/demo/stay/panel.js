// The stay panel: from choosing dates to a held and then a paid booking, with refusals in between.

import { el, fill, message } from "../dom.js";
import { counted, dayOf, nights, price, reason, shortDates, stayDates } from "../words.js";
import { bookingState, deadline } from "./booking.js";
import { receipt } from "./lines.js";
import { currentPayment, isPayable, outlook, toPay } from "./outlook.js";
import { progress } from "./progress.js";

/**
 * `state` is `{home, arrival, stay, guests, signedIn, busy, quote, refusal, failure, taken,
 * booking, payments, isOver}`; `actions` are `book()`, `guests(count)`, `alternative(stay)`,
 * `pay()`, `cancel()`, `other()`, `signIn()`, and `go(url)` and `again()` as in `progress`.
 */
export function showStay(place, state, actions) {
  if (state.booking) fill(place, booked(state, actions));
  else if (state.stay) fill(place, chosen(state, actions));
  else fill(place, empty(state, actions));
}

function empty({ home, arrival, taken, guests, busy }, actions) {
  return [
    el("p", { class: "headline" },
      el("strong", {}, price(home.price_per_night, home.currency)), " a night"),
    taken ? message("note", "Somebody was faster: those nights have just been taken.") : null,
    el("h2", { class: "sr" }, "Your stay"),
    el("p", { class: "hint" }, arrival
      ? `From ${dayOf(arrival)}. Now choose the day you leave.`
      : "Choose two dates in the calendar: the night you arrive and the day you leave."),
    counter(home, guests, busy, actions),
  ];
}

function chosen(state, actions) {
  const { home, stay, guests, signedIn, busy, quote, refusal, failure } = state;
  return [
    el("h2", {}, "Your stay"),
    el("dl", { class: "facts", "data-test": "stay-dates" },
      fact("Check-in", dayOf(stay.check_in)), fact("Check-out", dayOf(stay.check_out))),
    counter(home, guests, busy, actions),
    refusal ? refused(refusal, actions) : quote ? receipt(quote, "estimate") : waiting(stay),
    failure ? message("error", failure.message) : null,
    el("button", {
      class: "primary", type: "button", "data-test": "book",
      disabled: busy || (signedIn && !quote && !refusal && !failure),
      onclick: signedIn ? actions.book : actions.signIn,
    }, busy ? "Booking…" : !signedIn ? "Sign in to book"
      : refusal || failure ? "Try again" : home.instant_book ? "Book" : "Ask the host"),
    el("p", { class: "hint" }, home.instant_book
      ? "Nothing is paid yet: the nights are held for you while you pay."
      : "The host answers first; the nights are kept for you meanwhile."),
  ];
}

function waiting(stay) {
  return el("div", { class: "receipt waiting", "aria-busy": "true" },
    el("p", {}, nights(stay)), el("div", { class: "bar" }));
}

function fact(name, value) {
  return el("div", {}, el("dt", {}, name), el("dd", {}, value));
}

function counter(home, guests, busy, actions) {
  const step = (count, text, label, test) => el("button", {
    class: "step", type: "button", "aria-label": label, "data-test": test,
    disabled: busy || count < 1 || count > home.max_guests,
    onclick: () => actions.guests(count),
  }, text);
  return el("div", { class: "row counter", role: "group", "aria-label": "Guests" },
    el("span", {}, "Guests"),
    el("span", { class: "steps" },
      step(guests - 1, "−", "One guest fewer", "fewer-guests"),
      el("output", { "data-test": "guests" }, String(guests)),
      step(guests + 1, "+", "One guest more", "more-guests")));
}

function refused(refusal, actions) {
  return [
    el("div", { class: "message refusal", role: "alert", "data-test": "refusal" },
      el("h3", {}, "These dates cannot be booked"),
      refusal.reasons.length > 0
        ? el("ul", {}, refusal.reasons.map((each) =>
          el("li", { "data-test": "reason", "data-code": each.code }, reason(each))))
        : el("p", {}, refusal.message)),
    refusal.alternatives.length > 0
      ? el("div", { class: "alternatives" },
        el("h3", {}, "Free instead"),
        refusal.alternatives.map((stay) => el("button", {
          class: "chip", type: "button", "data-test": "alternative",
          "data-check-in": stay.check_in, "data-check-out": stay.check_out,
          onclick: () => actions.alternative(stay),
        }, `${shortDates(stay)} · ${nights(stay)}`)))
      : null,
  ].flat();
}

function booked({ booking, payments, isOver, failure, busy }, actions) {
  const { heading, text } = bookingState(booking);
  const payment = currentPayment(booking, payments);
  const said = outlook(booking, payment);
  const button = (look, test, label, action) => el("button", {
    class: look, type: "button", disabled: busy, "data-test": test, onclick: action,
  }, label);
  const open = ["PENDING", "CONFIRMED"].includes(booking.status);
  return el("div", {
    class: "outcome", "data-test": "current-booking", "data-status": booking.status,
    "data-awaiting": booking.awaiting, "data-booking": booking.id,
  },
    el("h2", { class: "status" }, heading),
    el("p", {},
      [stayDates(booking), nights(booking), counted(booking.guests, "guest")].join(" · ")),
    deadline(booking),
    text && !(said && booking.status === "PENDING") ? el("p", { class: "hint" }, text) : null,
    progress({ said, payments, isOver, key: booking.id }, actions),
    receipt(booking),
    failure ? message("error", failure.message) : null,
    el("div", { class: "actions" },
      isPayable(booking, payment)
        ? button("primary", "pay", toPay(booking), actions.pay)
        : null,
      open ? button("secondary", "cancel", "Cancel", actions.cancel) : null,
      booking.status === "PENDING" ? null
        : button("secondary", "done", "Choose another stay", actions.other)),
    el("a", { class: "plain", href: "/trips" }, "See all your trips"));
}
