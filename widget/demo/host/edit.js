// What a host does with selected nights: block them, open them again, give them a price. Each is
// one edit that the server takes whole or refuses, so nothing here is done by halves.

import { askFor } from "../dialog.js";
import { el } from "../dom.js";
import { counted, minorUnits, nights, shortDates, typedAmount } from "../words.js";
import { LIVE, label } from "./grid.js";

const REASONS = [
  ["owner", "I stay there myself"], ["maintenance", "Work on the home"],
  ["external", "Booked elsewhere"], ["other", "Something else"],
];

function inWords({ home, from, to }) {
  const stay = { check_in: from, check_out: to };
  return `${home.title} · ${shortDates(stay)} · ${nights(stay)}`;
}

/**
 * Blocks the selection; `done(note)` follows. Whether bookings are in the way is for the server to
 * say; those of `bookings` that are get shown, and stay.
 */
export async function askBlock(api, selection, bookings, done) {
  const { home, from, to } = selection;
  const conflict = await meetsBookings(api, home, { blocks: [{ from, to, reason: "owner" }] });
  const met = bookings.filter(({ status, check_in, check_out }) =>
    LIVE.includes(status) && check_in < to && from < check_out);
  const mode = conflict ? "around" : "refuse";
  askFor({
    title: conflict ? "Some nights are taken" : "Block these nights", test: "block",
    content: ({ fields }) => [
      el("p", {}, inWords(selection)),
      conflict ? el("div", { class: "message refusal", "data-test": "conflict" },
        el("ul", {}, met.map((booking) =>
          el("li", {}, `${label(booking)}, ${shortDates(booking)}`))),
        el("p", {}, "What is booked stays. The free nights around them can be blocked.")) : null,
      el("label", { class: "field" }, el("span", {}, "Why"),
        el("select", { name: "reason" }, REASONS.map(([value, text]) =>
          el("option", { value, selected: fields?.reason === value }, text)))),
      el("label", { class: "field" }, el("span", {}, "Note, for your eyes only"),
        el("input", {
          name: "note", maxLength: 500, value: fields?.note ?? "", "data-test": "note",
        })),
    ],
    label: conflict ? "Block around them" : "Block",
    submit: async ({ reason: why, note }) => {
      const block = { from, to, reason: why, ...(note ? { note } : {}) };
      const { blocked } = await api.editCalendar(home.id, { blocks: [block], mode });
      return `${counted(blocked.length, "block")} made.`;
    },
    done,
  });
}

/** Opens the selected nights, and no others: what is left of a longer block stays blocked. */
export async function unblock(api, { home, from, to }) {
  const all = await api.blocks(home.id, from);
  const met = all.filter((block) => block.from < to && from < block.to);
  if (met.length === 0) return "None of these nights is blocked.";
  const rest = met.flatMap(({ from: start, to: end, reason: why, note }) => {
    const kept = note ? { reason: why, note } : { reason: why };
    return [
      start < from ? { from: start, to: from, ...kept } : null,
      end > to ? { from: to, to: end, ...kept } : null,
    ].filter(Boolean);
  });
  await api.editCalendar(home.id, { unblock: met.map(({ id }) => id), blocks: rest });
  return "These nights are open again.";
}

/** Asks for the price of the selected nights; an empty one takes their own price away. */
export function askPrice(api, selection, done) {
  const { home, from, to } = selection;
  const usual = typedAmount(home.price_per_night, home.currency);
  askFor({
    title: "Price of these nights", test: "price",
    content: ({ fields }) => [
      el("p", {}, inWords(selection)),
      el("label", { class: "field" }, el("span", {}, `A night, in ${home.currency}`),
        el("input", {
          name: "amount", inputMode: "decimal", autocomplete: "off", "data-test": "amount",
          placeholder: usual,
          value: fields?.amount ?? "",
        })),
      el("p", { class: "hint" }, "Leave it empty for the usual price. Stays that are booked keep "
        + "the price that they were booked at."),
    ],
    label: "Set the price",
    submit: async ({ amount }) => {
      const price = amount.trim() === "" ? null : minorUnits(amount, home.currency);
      if (price === null && amount.trim() !== "") {
        throw new Error(`An amount like ${usual}, please.`);
      }
      await api.editCalendar(home.id, { terms: [{ from, to, price }] });
      return price === null ? "These nights have the usual price." : "The price is set.";
    },
    done,
  });
}

/** Whether an edit would be refused because of bookings. */
async function meetsBookings(api, home, edit) {
  try {
    await api.editCalendar(home.id, edit, true);
    return false;
  } catch (problem) {
    if (problem.code === "live_bookings") return true;
    throw problem;
  }
}
