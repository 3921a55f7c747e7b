// A guest's booking: what each status means, and what can be done about it.

import { countdown } from "../countdown.js";
import { askFor } from "../dialog.js";
import { el } from "../dom.js";
import { clock, dayOf, fullDay, money, nights, stayDates } from "../words.js";
import { receipt } from "./lines.js";

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
export function bookingState({ status, awaiting }) {
  if (status !== "PENDING") return STATES[status] ?? { heading: status, label: status };
  if (awaiting === "host") {
    return {
      heading: "Waiting for the host", label: "Requested",
      text: "The nights are kept for you while the host decides. You may pay in advance: nothing "
        + "is collected before they accept.",
    };
  }
  if (awaiting === "release") {
    return { heading: "Your hold is ending", label: "Held" };
  }
  return {
    heading: "Held for you", label: "Held",
    text: "Nobody else can take these nights meanwhile. Pay to confirm.",
  };
}

/** How long a booking waits for what it waits for, ticking; null where nothing is awaited. */
export function deadline({ status, awaiting, expires_at }) {
  if (status !== "PENDING" || !expires_at) return null;
  const what = { host: "The host has", release: "Kept for at most" }[awaiting] ?? "Held for";
  return el("p", { class: "deadline" },
    el("span", {}, `${what} `), countdown(expires_at),
    el("span", { class: "sr" }, ` until ${clock(expires_at)}`));
}

/** Says what a cancellation gives back, and cancels; `done` is called with the ended booking. */
export async function askCancellation(api, booking, done) {
  const preview = booking.status === "CONFIRMED"
    ? await api.cancellation(booking.id)
    : { refund: { amount: 0 }, retained: { amount: 0 } };
  const { refund, retained } = preview;
  const sum = (name, { amount, currency }) => el("div", {},
    el("dt", {}, name), el("dd", {}, money(amount, currency)));
  askFor({
    title: "Cancel this booking?", test: "cancellation", look: "danger",
    content: () => [
      el("p", {}, `${stayDates(booking)} · ${nights(booking)}. Its nights are free for others at `
        + "once."),
      refund.amount + retained.amount > 0
        ? el("dl", { class: "receipt" }, sum("Goes back to you", refund),
          sum("Stays with the host", retained))
        : el("p", { class: "hint" }, booking.status === "CONFIRMED"
          ? "Nothing was paid, so nothing is due."
          : "You pay nothing: what is promised or paid by now goes back."),
    ],
    label: "Cancel it",
    submit: () => api.cancel(booking.id),
    done,
  });
}

/** Other dates or guests. What is dearer waits for its payment; the old nights stay until then. */
export function askChange(api, booking, home, done) {
  const field = (name, label, facts) => el("label", { class: "field" },
    el("span", {}, label), el("input", { name, required: true, "data-test": name, ...facts }));
  askFor({
    title: "Change dates or guests", test: "change",
    content: ({ fields }) => [
      el("div", { class: "pair" },
        field("check_in", "Check-in", { type: "date", value: (fields ?? booking).check_in }),
        field("check_out", "Check-out", { type: "date", value: (fields ?? booking).check_out })),
      field("guests", "Guests", {
        type: "number", min: 1, max: home?.max_guests ?? 99,
        value: (fields ?? booking).guests,
      }),
      el("p", { class: "hint" }, "Nights that you keep keep their price. If it costs less, the "
        + "difference goes back; if it costs more, the new nights are held until you pay it."),
    ],
    label: "Change it",
    submit: ({ check_in, check_out, guests }) => api.change(
      booking.id, { check_in, check_out, guests: Number(guests) },
    ),
    done,
  });
}

/** Stars and words about a stay that is over. */
export function askReview(api, booking, title, done) {
  const star = (value, chosen) => el("label", { class: "star" },
    el("input", {
      type: "radio", name: "rating", value: String(value), required: true,
      checked: value === chosen, "data-test": `star-${value}`,
    }),
    el("span", { "aria-hidden": "true" }, "★"),
    el("span", { class: "sr" }, value === 1 ? "1 star" : `${value} stars`));
  askFor({
    title: `How was ${title}?`, test: "review",
    content: ({ fields }) => [
      el("fieldset", { class: "star-row" }, el("legend", {}, "Stars"),
        [5, 4, 3, 2, 1].map((value) => star(value, Number(fields?.rating)))),
      el("label", { class: "field" }, el("span", {}, "In your words"),
        el("textarea", {
          name: "comment", rows: 4, maxLength: 2_000, required: true, "data-test": "comment",
          value: fields?.comment ?? "",
        })),
    ],
    label: "Publish it",
    submit: ({ rating, comment }) => api.review(booking.id, Number(rating), comment),
    done,
  });
}

/** A change that waits for its payment, in words. */
export function changeRequest({ change_request: request, currency }) {
  return request === null ? null : el("div", { class: "message note", "data-test": "change-due" },
    el("p", {}, `${dayOf(request.check_in)} to ${dayOf(request.check_out)} instead: `
      + `${money(request.due_amount, currency)} is due. Held for `, countdown(request.expires_at)));
}

/** Everything about a booking that a guest may want to read again. */
export function facts(booking) {
  return [
    el("dl", { class: "facts" },
      el("div", {}, el("dt", {}, "Check-in"), el("dd", {}, fullDay(booking.check_in))),
      el("div", {}, el("dt", {}, "Check-out"), el("dd", {}, fullDay(booking.check_out)))),
    receipt(booking),
  ];
}
