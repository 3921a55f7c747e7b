// What a payment means for its booking, in words: one function of facts, like the server's own. The
// page shows what it says and nothing else, so every state that a payment can be in stands here.

import { money } from "../words.js";

const OPEN = ["created", "requires_action", "processing"];
const VOID = ["failed", "voided", "expired"];
const CAPTURED = ["captured", "partially_refunded", "refunded"];
const OVER = ["CANCELED", "DECLINED", "NO_SHOW"];

/** For how long a payment page that has let somebody go may not have told the server yet. */
const TELLS_WITHIN_MS = 5_000;
/** How often is asked, until when: soon at first, then more calmly, and then no more. */
const ASKS = [
  { until: 30_000, every: 2_000 }, { until: 120_000, every: 5_000 },
  { until: 900_000, every: 20_000 },
];
/** Where the live topic tells of payments, asking only covers for what it may have lost. */
const ASKS_BESIDE_TOPIC_MS = 15_000;

const REFUNDS = {
  requested: { label: "Asked for", tone: "wait" },
  submitted: { label: "On its way", tone: "wait" },
  succeeded: { label: "Sent back", tone: "good" },
  failed: { label: "Did not go through", tone: "bad" },
};

/** Whether the provider's last word is still to come. */
export const isOpen = ({ status }) => OPEN.includes(status);
/** Whether it ended without money. */
export const isVoid = ({ status }) => VOID.includes(status);
/** Whether the money came, whatever went back since. */
export const isCaptured = ({ status }) => CAPTURED.includes(status);

/** Of all payments those of one booking, oldest first. */
export function paymentsOf({ id }, payments) {
  return payments.filter((payment) => payment.booking_id === id)
    .sort((a, b) => (a.created_at < b.created_at ? -1 : 1));
}

/** The payment that says most of a booking: the last one while something is due, else its own. */
export function currentPayment(booking, payments) {
  const mine = paymentsOf(booking, payments);
  const isDue = booking.status === "PENDING" || booking.change_request;
  const own = isDue ? null : mine.find(({ id }) => id === booking.payment_id);
  return own ?? mine.at(-1) ?? null;
}

/** Whether the guest can pay now: something is due, and no payment is on its way or promised. */
export function isPayable({ status, awaiting, change_request }, payment) {
  if (payment && isOpen(payment)) return false;
  if (change_request) return true;
  const waits = status === "PENDING" && ["payment", "host"].includes(awaiting);
  return waits && !(payment && (payment.status === "authorized" || isCaptured(payment)));
}

/** Whether somebody is back from the payment page since so short a time that news may come. */
export function isJustBack(backMs) {
  return backMs !== null && backMs < TELLS_WITHIN_MS;
}

/** What is to be paid for a booking now. */
export function due({ total_amount, change_request }) {
  return change_request ? change_request.due_amount : total_amount;
}

/** What paying for a booking is called. */
export function toPay(booking) {
  const amount = money(due(booking), booking.currency);
  return booking.awaiting === "host" ? `Pay ${amount} in advance` : `Pay ${amount}`;
}

/**
 * `{tone, heading, text, waits, way}` of a booking and its payment, or null where there is nothing
 * to say. `tone` is wait, good, bad or note; `waits` says that more is to come by itself, and `way`
 * is the address of the payment page where the guest has to go on. `backMs` is how long ago the
 * guest came back from there, or null.
 */
export function outlook(booking, payment, backMs = null) {
  if (!payment) return null;
  const said = saidOf(booking, payment, backMs);
  return said && { text: "", waits: said.tone === "wait", way: null, ...said };
}

function saidOf(booking, payment, backMs) {
  const { status, change_request } = booking;
  if (payment.status === "conflicted") return CONFLICT;
  if (status === "EXPIRED") return late(payment);
  if (OVER.includes(status)) return afterEnd(booking, payment);
  if (status === "PENDING" || change_request) {
    return isOpen(payment) ? underWay(booking, payment, backMs) : ended(booking, payment);
  }
  return settled(payment, backMs !== null);
}

const CONFLICT = {
  tone: "bad", heading: "The payment does not match the booking",
  text: "It does not count for this stay. Whatever was taken goes back to you.",
};

function underWay(booking, { status, next_action }, backMs) {
  if (status === "created") {
    return { tone: "wait", heading: "Asking your bank", text: "This takes a moment." };
  }
  if (status === "requires_action") return asks(next_action, backMs);
  if (booking.awaiting === "release") {
    return {
      tone: "wait", heading: "Your hold has ended, your payment is still on its way",
      text: "The nights stay yours for a moment while we ask your bank how it ends.",
    };
  }
  return {
    tone: "wait", heading: "Your payment is being processed",
    text: booking.status === "CONFIRMED"
      ? "Your stay changes as soon as it arrives. You can leave this page meanwhile."
      : "Your bank takes its time. You are booked as soon as it arrives, and you can leave this "
        + "page meanwhile.",
  };
}

function asks(action, backMs) {
  if (isJustBack(backMs)) {
    return {
      tone: "wait", heading: "Checking your payment",
      text: "You are back from the payment page. We are asking what came of it.",
    };
  }
  if (action?.type === "redirect") {
    const words = backMs === null
      ? ["Your payment is not finished",
        "Go on where you left off. Nothing is taken before you agree there."]
      : ["Not paid yet", "Nothing was taken. Whether your card was declined or you turned back: "
        + "the payment page lets you try again."];
    return {
      tone: "note", heading: words[0], text: words[1], waits: true, way: action.url,
    };
  }
  if (action?.type === "confirm_on_phone") {
    return {
      tone: "wait", heading: "Look at your phone",
      text: "It asks you to confirm the payment. This page goes on by itself.",
    };
  }
  if (action?.type === "use_client_secret") {
    return {
      tone: "note", heading: "Your payment goes on elsewhere", waits: true,
      text: "It waits for the card form of its provider, which this sample site does not have.",
    };
  }
  return { tone: "wait", heading: "Asking your bank", text: "This takes a moment." };
}

// What is said of a payment without an answer to come, while something is or was due.
function ended(booking, payment) {
  const { status, awaiting, change_request } = booking;
  const waitsForHost = status === "PENDING" && awaiting === "host";
  if (isVoid(payment)) {
    const kept = waitsForHost ? "The host has your request all the same."
      : change_request ? "Your stay is as it was, and the new nights are still held."
        : awaiting === "release" ? "" : "The nights are still held for you.";
    return {
      tone: "bad",
      heading: payment.status === "failed" ? "Your payment was declined"
        : "Your payment did not go through",
      text: ["Nothing was taken.", kept, kept && "Try again, or take another card."]
        .filter(Boolean).join(" "),
    };
  }
  // A change waits, and nobody has begun to pay for it: the payment is that of the stay so far.
  if (status === "CONFIRMED") return settled(payment);
  const amount = money(payment.amount, payment.currency);
  if (!waitsForHost) {
    return { tone: "wait", heading: "Paid", text: "Your booking is being confirmed." };
  }
  return isCaptured(payment)
    ? { tone: "good", heading: `Paid ${amount}`, text: "All of it goes back if the host declines." }
    : {
      tone: "good", heading: `Your card has agreed to ${amount}`,
      text: "Nothing is collected before the host accepts, and nothing at all if they do not.",
    };
}

function settled(payment, isBack = false) {
  const amount = money(payment.amount, payment.currency);
  const text = isBack ? "You are booked." : "";
  switch (payment.status) {
    case "authorized":
      return {
        tone: "good", heading: `Paid ${amount}`, text: text || "Your bank is collecting it.",
      };
    case "captured":
    case "partially_refunded":
      return { tone: "good", heading: `Paid ${amount}`, text };
    case "refunded":
      return { tone: "note", heading: `${amount} has gone back to you` };
    default:
      return isOpen(payment)
        ? { tone: "wait", heading: "Your payment is being processed" } : null;
  }
}

// The hold ended before the money came.
function late(payment) {
  if (isVoid(payment)) return { tone: "note", heading: "Nothing was taken" };
  if (isCaptured(payment)) {
    return {
      tone: payment.status === "refunded" ? "note" : "wait",
      heading: "Your payment came after your hold had ended",
      text: "The nights were gone by then, so all of it goes back to you.",
    };
  }
  return {
    tone: "wait", heading: "Your payment is still on its way",
    text: "Your hold ended. If the payment still arrives, we book the nights again or send the "
      + "money back.",
  };
}

function afterEnd({ refund }, payment) {
  const { status, refunds = [], refunded_amount, currency } = payment;
  if (isVoid(payment)) return { tone: "note", heading: "Nothing was taken" };
  if (status === "authorized") {
    return {
      tone: "wait", heading: "Your card is being released",
      text: "What it had agreed to is not collected.",
    };
  }
  if (isOpen(payment)) {
    return {
      tone: "wait", heading: "Your payment is being stopped",
      text: "If it still arrives, all of it goes back to you.",
    };
  }
  if (refunds.length > 0) return backOf(refunds, currency);
  if (refunded_amount > 0) {
    return { tone: "good", heading: `${money(refunded_amount, currency)} has gone back to you` };
  }
  if (refund?.amount > 0) {
    return { tone: "wait", heading: `${money(refund.amount, currency)} goes back to you` };
  }
  return {
    tone: "note", heading: `Paid ${money(payment.amount, currency)}`,
    text: "By the terms of this home nothing of it goes back.",
  };
}

/** What goes back by refunds of one currency, as a heading. */
function backOf(refunds, currency) {
  const sum = (some) => some.reduce((total, { amount }) => total + amount, 0);
  const failed = refunds.filter(({ status }) => status === "failed");
  if (failed.length > 0) {
    return {
      tone: "bad", heading: `${money(sum(failed), currency)} could not be sent back`,
      text: "It is owed to you all the same, and people are looking into it.",
    };
  }
  const isDone = refunds.every(({ status }) => status === "succeeded");
  const words = isDone ? "has gone back to you" : "goes back to you";
  return {
    tone: isDone ? "good" : "wait", heading: `${money(sum(refunds), currency)} ${words}`,
    text: isDone ? "Banks show it within a few days." : "",
  };
}

/** The refunds of a booking's payments, oldest first, each `{id, amount, label, tone}`. */
export function refundsOf(payments) {
  return payments.flatMap(({ refunds, currency }) =>
    (refunds ?? []).map((refund) => ({ ...refund, currency })))
    .sort((a, b) => (a.created_at < b.created_at ? -1 : 1))
    .map(({ id, amount, currency, status }) => ({
      id, amount: money(amount, currency),
      ...REFUNDS[status] ?? { label: status, tone: "note" },
    }));
}

/** How much of a payment can still go back: what came and is not on its way back already. */
export function refundable(payment) {
  if (!isCaptured(payment)) return 0;
  const back = (payment.refunds ?? []).filter(({ status }) => status !== "failed")
    .reduce((total, { amount }) => total + amount, 0);
  return Math.max(0, payment.amount - Math.max(back, payment.refunded_amount));
}

/**
 * In how many milliseconds to ask again what became of a payment, when it has been waited for so
 * long; null when it is time to stop. `isTold` says that the live topic tells of payments.
 */
export function askAgainMs(waitedMs, isTold) {
  const step = ASKS.find(({ until }) => waitedMs < until);
  if (!step) return null;
  return isTold ? Math.max(step.every, ASKS_BESIDE_TOPIC_MS) : step.every;
}
