// Where the payment of a booking stands, and what goes back of it, as both the trips and the stay
// panel show it. It is no live region, because it is drawn anew all the time; pages have a voice.

import { el } from "../dom.js";
import { refundsOf } from "./outlook.js";

/**
 * What `outlook` has `said` of a booking, with the refunds of its `payments`; null where there is
 * nothing to show. `go(url)` leads to the payment page, and `again()` asks once more where waiting
 * `isOver`.
 */
export function progress({ said, payments, isOver, key }, { go, again }) {
  const refunds = refundsOf(payments);
  if (!said && refunds.length === 0) return null;
  const button = (look, test, words, action) => el("button", {
    class: look, type: "button", "data-test": test, "data-key": key, onclick: action,
  }, words);
  return el("div", {
    class: "progress", "data-test": "progress", "data-tone": said?.tone ?? "note",
    "data-payment": payments.at(-1)?.status,
  },
    said ? el("p", { class: "progress-head" }, said.heading) : null,
    said?.text ? el("p", {}, said.text) : null,
    refunds.length > 0
      ? el("ul", { class: "refunds", "aria-label": "Refunds" }, refunds.map((refund) => el("li", {
        "data-test": "refund", "data-tone": refund.tone,
      }, el("span", {}, `${refund.amount} back`), el("span", { class: "badge" }, refund.label))))
      : null,
    said?.way ? button("primary", "go-on", "Go to the payment page", () => go(said.way)) : null,
    said?.waits && isOver ? button("secondary small", "ask-again", "Check again", again) : null);
}
