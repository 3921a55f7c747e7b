// What waits for the host's answer, and the dialog of one booking.

import { countdown } from "../countdown.js";
import { askFor, openDialog } from "../dialog.js";
import { el } from "../dom.js";
import { counted, fullDay, money, nights, shortDates } from "../words.js";
import { receipt } from "../stay/lines.js";
import { label } from "./grid.js";
import { paymentFacts } from "./refund.js";

const isRequest = ({ status, awaiting }) => status === "PENDING" && awaiting === "host";

/** The requests as cards, each with its deadline; nothing where none waits. */
export function requestCards(bookings, titles, actions) {
  const requests = bookings.filter(isRequest)
    .sort((a, b) => (a.expires_at < b.expires_at ? -1 : 1));
  if (requests.length === 0) return null;
  return el("section", { class: "requests", "aria-label": "Requests", "data-test": "requests" },
    el("h2", {}, `${counted(requests.length, "request")} to answer`),
    el("ul", {}, requests.map((booking) => el("li", {
      class: "panel request", "data-test": "request", "data-booking": booking.id,
    },
      el("div", {},
        el("p", { class: "title" }, titles.get(booking.property_id) ?? "A home"),
        el("p", {}, [
          shortDates(booking), nights(booking), counted(booking.guests, "guest"),
          money(booking.total_amount, booking.currency),
        ].join(" · ")),
        el("p", { class: "deadline" }, "Answer within ", countdown(booking.expires_at))),
      answers(booking, actions)))));
}

function answers(booking, actions) {
  const button = (look, word, text) => el("button", {
    class: look, type: "button", "data-test": word, "data-key": booking.id,
    onclick: () => actions[word](booking),
  }, text);
  return el("div", { class: "actions" },
    button("primary", "accept", "Accept"), button("secondary", "decline", "Decline"));
}

/** Declining is asked once more: the guest hears of it at once. */
export function askDecline(api, booking, done) {
  askFor({
    title: "Decline this request?", test: "decline-dialog", look: "danger",
    content: () => el("p", {}, `${shortDates(booking)} · ${nights(booking)}. The nights are free `
      + "again, and what was paid goes back to the guest."),
    label: "Decline it",
    submit: () => api.answer(booking.id, "decline"),
    done,
  });
}

/**
 * One booking, as the host may know it. Its payment is read once the dialog is there, and is left
 * out where it cannot be had.
 */
export function showBooking(booking, title, actions) {
  let paid = null;
  const dialog = openDialog({
    title: label(booking), test: "booking-dialog",
    draw: () => [
      el("p", { class: "title" }, title),
      el("dl", { class: "facts" },
        el("div", {}, el("dt", {}, "Check-in"), el("dd", {}, fullDay(booking.check_in))),
        el("div", {}, el("dt", {}, "Check-out"), el("dd", {}, fullDay(booking.check_out)))),
      el("p", {}, `${counted(booking.guests, "guest")} · `
        + `${booking.payment === "offline" ? "settled outside" : "paid online"}`),
      receipt(booking),
      paid,
      booking.expires_at ? el("p", { class: "deadline" },
        booking.awaiting === "host" ? "Answer within " : "Held for ",
        countdown(booking.expires_at)) : null,
      isRequest(booking) ? answers(booking, {
        accept: (one) => {
          dialog.close();
          actions.accept(one);
        },
        decline: (one) => {
          dialog.close();
          actions.decline(one);
        },
      }) : null,
    ],
  });
  actions.payment(booking).then((payment) => {
    if (!payment) return;
    paid = paymentFacts(payment, {
      refund: () => {
        dialog.close();
        actions.refund(payment);
      },
    });
    dialog.redraw();
  }, () => null);
}
