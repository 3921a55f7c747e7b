// The stay panel: from choosing dates to a held and then a paid booking, with refusals in between.

import { el, fill, message } from "./dom.js";
import { bookingActions, bookingState } from "./bookings.js";
import { dayOf, money, nights, reason, shortDates, stayDates } from "./words.js";

/**
 * `state` is `{home, stay, guests, signedIn, busy, refusal, failure, taken, booking}`; `actions`
 * are `book()`, `guests(count)`, `alternative(stay)`, `done()`, and those of a booking.
 */
export function showStay(place, state, actions) {
  if (state.booking) fill(place, booked(state, actions));
  else if (state.stay) fill(place, chosen(state, actions));
  else fill(place, empty(state));
}

function empty({ home, arrival, taken }) {
  return [
    el("h2", {}, "Your stay"),
    taken ? message("note", "Somebody was faster: those nights have just been taken.") : null,
    arrival
      ? el("p", { class: "hint" }, `${home.title}, from ${dayOf(arrival)}. `
        + "Now choose the day you leave.")
      : el("p", { class: "hint" }, "Choose two dates in a calendar: the night you arrive and the "
        + "day you leave."),
  ];
}

function chosen(state, actions) {
  const { home, stay, guests, signedIn, busy, refusal, failure } = state;
  return [
    el("h2", {}, "Your stay"),
    el("p", { class: "title" }, home.title),
    el("dl", { class: "facts", "data-test": "stay-dates" },
      fact("Check-in", dayOf(stay.check_in)),
      fact("Check-out", dayOf(stay.check_out))),
    counter(home, guests, busy, actions),
    refusal ? refused(refusal, actions) : [
      el("p", { class: "sum" },
        el("span", {}, `${nights(stay)} at ${money(home.price_per_night, home.currency)}`),
        el("strong", { "data-test": "estimate" },
          money(home.price_per_night * stay.nights, home.currency))),
    ],
    failure ? message("error", failure.message) : null,
    el("button", {
      class: "primary", type: "button", disabled: busy || !signedIn, "data-test": "book",
      onclick: actions.book,
    }, busy ? "Booking…" : refusal ? "Try again" : "Book"),
    signedIn ? null : el("p", { class: "hint" }, "Sign in below to book."),
  ].flat();
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
  ];
}

function booked(state, actions) {
  const { booking, home, failure, note } = state;
  const { heading, text } = bookingState(booking);
  const ended = !["PENDING", "CONFIRMED"].includes(booking.status);
  return [
    el("div", {
      class: "outcome", "data-test": "current-booking", "data-status": booking.status,
      "data-awaiting": booking.awaiting, "data-booking": booking.id,
    },
      el("h2", {}, heading),
      el("p", { class: "title" }, home?.title),
      el("p", {}, `${stayDates(booking)} · ${nights(booking)}`),
      el("p", { class: "sum" }, el("span", {}, "Total"),
        el("strong", {}, money(booking.total_amount, booking.currency))),
      text ? el("p", { class: "hint" }, text) : null,
      note ? message("note", note) : null,
      failure ? message("error", failure.message) : null,
      bookingActions(booking, state, actions),
      booking.status === "PENDING" ? null : el("button", {
        class: ended ? "primary" : "plain", type: "button", "data-test": "done",
        onclick: actions.done,
      }, "Choose another stay")),
  ];
}
