// A price line by line, as a receipt says it.

import { el } from "../dom.js";
import { counted, dayOf, money } from "../words.js";

const KINDS = {
  extra_guests: "Extra guests",
  weekly_discount: "Weekly discount",
  monthly_discount: "Monthly discount",
  cleaning_fee: "Cleaning",
  service_fee: "Service fee",
  tax: "Tax",
  goodwill: "Given back by the host",
};

/** The receipt of a quote or a booking: `{lines, total_amount, currency}`. */
export function receipt({ lines, total_amount, currency }, test = "total") {
  return el("dl", { class: "receipt", "data-test": "receipt" },
    lines.map((line) => el("div", { "data-kind": line.kind },
      el("dt", {}, words(line, currency)), el("dd", {}, money(line.amount, currency)))),
    el("div", { class: "total" },
      el("dt", {}, "Total"), el("dd", { "data-test": test }, money(total_amount, currency))));
}

function words(line, currency) {
  const { kind, from, name, included, quantity, unit_amount, basis_points } = line;
  if (kind === "nights") {
    const text = `${counted(quantity, "night")} × ${money(unit_amount, currency)}`;
    return from ? `${text}, from ${dayOf(from)}` : text;
  }
  const share = basis_points ? ` ${basis_points / 100} %` : "";
  const base = name ?? KINDS[kind] ?? kind.replaceAll("_", " ");
  return `${base}${share}${included ? " (included)" : ""}`;
}
