// The dialog to pay: how the card of the sandbox behaves, and where that leads.

import { askFor } from "../dialog.js";
import { el } from "../dom.js";
import { isWebAddress, wayBack } from "./away.js";
import { isVoid, outlook, toPay } from "./outlook.js";

/** What the sandbox offers instead of cards; without a method its payment page asks. */
const CARDS = [
  ["pm_card_visa", "Pays", "The bank agrees at once."],
  ["pm_card_chargeDeclined", "Declined", "The bank says no."],
  ["pm_card_authenticationRequired", "3-D Secure", "The bank asks you first, on its own page."],
  ["pm_late", "Pays late", "The bank takes longer than your hold may last."],
  ["", "Pay on the payment page", "You choose there, and come back."],
];

/**
 * Asks for a card and pays. Where that needs a page of the provider or the bank, the browser goes
 * there; else `done` is called once the server has answered.
 */
export function askPayment({ session, booking, done }) {
  const { api } = session;
  const isPromise = booking.awaiting === "host";
  askFor({
    title: toPay(booking), test: "payment",
    content: ({ fields }) => [
      isPromise
        ? el("p", {}, "Your card agrees to it now. Nothing is collected before the host accepts.")
        : null,
      el("p", { class: "hint" }, "This is a sandbox, nobody pays: choose how your card behaves."),
      el("fieldset", { class: "choices column" }, el("legend", {}, "Card"),
        CARDS.map(([method, name, text], at) => el("label", { class: "choice card-choice" },
          el("input", {
            type: "radio", name: "method", value: method, "data-test": method || "hosted",
            checked: fields ? fields.method === method : at === 0,
          }), el("span", {}, el("strong", {}, name), el("span", { class: "hint" }, text))))),
    ],
    label: isPromise ? "Agree" : toPay(booking),
    submit: async ({ method }) => {
      const back = wayBack(location.origin, booking.id);
      const payment = await api.pay(booking.id, method, back);
      if (isVoid(payment)) {
        const { heading, text } = outlook(booking, payment);
        throw new Error(`${heading}. ${text}`);
      }
      const { type, url } = payment.next_action ?? {};
      if (type !== "redirect") return payment;
      goTo(session, url);
      // The dialog stays as it is until the other page is there.
      return new Promise(() => null);
    },
    done,
  });
}

/** Leads to a payment page. */
export function goTo(session, url) {
  if (!isWebAddress(url)) throw new Error("The payment page has no address that can be opened.");
  session.leaveFor(url);
}
