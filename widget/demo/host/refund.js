// Money that a host sends back: how much of a payment is left, and the dialog that sends some.

import { askFor } from "../dialog.js";
import { el } from "../dom.js";
import { isCaptured, refundable, refundsOf } from "../stay/outlook.js";
import { minorUnits, money, typedAmount } from "../words.js";

/** The payment of a booking as its host sees it, with the way to send some back. */
export function paymentFacts(payment, actions) {
  if (!isCaptured(payment)) return null;
  const { amount, currency } = payment;
  const refunds = refundsOf([payment]);
  return el("div", { class: "progress", "data-test": "paid", "data-tone": "note" },
    el("p", { class: "progress-head" }, `${money(amount, currency)} came from the guest`),
    refunds.length > 0 ? el("ul", { class: "refunds", "aria-label": "Refunds" },
      refunds.map((refund) => el("li", { "data-test": "refund", "data-tone": refund.tone },
        el("span", {}, `${refund.amount} back`),
        el("span", { class: "badge" }, refund.label)))) : null,
    refundable(payment) > 0 ? el("button", {
      class: "secondary small", type: "button", "data-test": "refund-open",
      onclick: () => actions.refund(payment),
    }, "Refund…") : null);
}

/** Asks how much goes back, and sends it; `done(note)` follows. */
export function askRefund(api, payment, done) {
  const { currency } = payment;
  const most = refundable(payment);
  const usual = typedAmount(most, currency);
  askFor({
    title: "Send money back", test: "refund-dialog", look: "danger",
    content: ({ fields }) => [
      el("p", {}, `Up to ${money(most, currency)} of this payment can go back to the guest. The `
        + "booking stays as it is, and what is sent back cannot be fetched again."),
      el("label", { class: "field" }, el("span", {}, `Amount, in ${currency}`),
        el("input", {
          name: "amount", inputMode: "decimal", autocomplete: "off", required: true,
          "data-test": "amount", value: fields?.amount ?? usual,
        })),
    ],
    label: "Send it back",
    submit: async ({ amount }) => {
      const wanted = amountToRefund(amount, payment);
      if (typeof wanted === "string") throw new Error(wanted);
      return sentWords(await api.refund(payment.id, wanted), wanted);
    },
    done,
  });
}

/** What was typed in minor units, or a sentence that says why it cannot go back. */
export function amountToRefund(typed, payment) {
  const { currency } = payment;
  const most = refundable(payment);
  const amount = minorUnits(typed, currency);
  if (!amount) return `An amount like ${typedAmount(most, currency)}, please.`;
  if (amount > most) return `That is more than the ${money(most, currency)} that can go back.`;
  return amount;
}

/** What became of a refund, by the payment that the server has answered with. */
export function sentWords({ refunds = [], currency }, amount) {
  const newest = [...refunds].sort((a, b) => (a.created_at < b.created_at ? -1 : 1)).at(-1);
  const sum = money(amount, currency);
  if (newest?.status === "failed") return `${sum} could not be sent back. It is still owed.`;
  return newest?.status === "succeeded" ? `${sum} has gone back to the guest.`
    : `${sum} is on its way back to the guest.`;
}
