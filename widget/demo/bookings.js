// A guest's bookings: what each status means, what can be done about it, and the list of them all.

import { el, fill, message } from "./dom.js";
import { clock, counted, money, shortDates } from "./words.js";

const STATES = {
  CONFIRMED: { heading: "You are booked", label: "Confirmed" },
  COMPLETED: { heading: "Your stay is over", label: "Completed" },
  CANCELED: { heading: "Booking canceled", label: "Canceled", text: "The nights are free again." },
  DECLINED: { heading: "Not accepted", label: "Declined", text: "The host could not take you in." },
  EXPIRED: {
    heading: "The hold has ended", label: "Expired",
    text: "It was not paid in time, so the nights are free again.",
  },
  NO_SHOW: { heading: "You were missed", label: "No show" },
};

/** `{heading, label, text?}` of a booking. */
export function bookingState({ status, awaiting, expires_at }) {
  if (status !== "PENDING") return STATES[status] ?? { heading: status, label: status };
  const until = expires_at ? ` until ${clock(expires_at)}` : "";
  if (awaiting === "host") {
    return {
      heading: "Waiting for the host", label: "Requested",
      text: `The nights are yours${until}, while the host decides.`,
    };
  }
  if (awaiting === "release") {
    return { heading: "Checking your payment", label: "Held", text: "This takes a moment." };
  }
  return {
    heading: "Held for you", label: "Held",
    text: `Nobody else can take these nights${until}. Pay to confirm.`,
  };
}

/** Pay and Cancel, as far as the status allows them; a confirmed booking asks once more. */
export function bookingActions(booking, { busy, asking }, actions) {
  const { id, status, awaiting } = booking;
  if (!["PENDING", "CONFIRMED"].includes(status)) return null;
  const button = (look, test, text, action) => el("button", {
    class: look, type: "button", disabled: Boolean(busy), "data-test": test, "data-key": id,
    onclick: () => action(booking),
  }, text);
  if (asking === id) {
    return el("div", { class: "actions" },
      button("danger", "cancel-sure", "Yes, cancel it", actions.cancel),
      button("secondary", "keep", "Keep it", () => actions.ask(null)));
  }
  const payable = status === "PENDING" && awaiting === "payment";
  return el("div", { class: "actions" },
    payable
      ? button("primary", "pay", busy === id ? "Paying…" : "Pay", actions.pay)
      : null,
    status === "PENDING"
      ? button("secondary", "cancel", "Cancel", actions.cancel)
      : button("secondary", "cancel", "Cancel booking", () => actions.ask(id)));
}

/**
 * `state` is `{bookings, current, titles, busy, asking, failure, unloaded, note}`; `bookings` is
 * null until loaded, and `current`, the booking that the stay panel shows, is left out here.
 */
export function showBookings(place, state, actions) {
  const { current, failure, unloaded, note } = state;
  const bookings = state.bookings?.filter(({ id }) => id !== current?.id) ?? null;
  fill(place,
    el("h2", {}, "My bookings"),
    note ? message("note", note) : null,
    failure ? message("error", failure.message) : null,
    unloaded ? [
      message("error", `Your bookings could not be loaded. ${unloaded.message}`),
      el("button", {
        class: "secondary", type: "button", "data-test": "reload", onclick: actions.reload,
      }, "Try again"),
    ] : null,
    bookings === null && !unloaded ? el("p", { class: "hint" }, "Loading…") : null,
    bookings?.length === 0
      ? el("p", { class: "hint", "data-test": "no-bookings" },
        current ? "No others yet." : "Nothing yet. Your stays appear here.")
      : null,
    bookings?.length > 0
      ? el("ul", { class: "bookings" }, bookings.map((booking) => row(booking, state, actions)))
      : null);
}

function row(booking, state, actions) {
  const { id, status, guests, total_amount, currency, property_id } = booking;
  return el("li", { "data-test": "booking", "data-status": status, "data-booking": id },
    el("div", { class: "row" },
      el("span", { class: "title" }, state.titles.get(property_id) ?? "A home"),
      el("span", { class: "badge", "data-status": status }, bookingState(booking).label)),
    el("p", { class: "quiet" },
      `${shortDates(booking)} · ${counted(guests, "guest")} · ${money(total_amount, currency)}`),
    bookingActions(booking, state, actions));
}
