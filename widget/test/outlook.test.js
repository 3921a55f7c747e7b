// What the site says of a payment: each status of a payment in each state of its booking.

import assert from "node:assert/strict";
import { test } from "node:test";

globalThis.document = { documentElement: { lang: "en" } };
const {
  askAgainMs, currentPayment, due, isPayable, outlook, refundable, refundsOf,
} = await import("../demo/stay/outlook.js");

const STATUSES = [
  "created", "requires_action", "processing", "authorized", "captured", "partially_refunded",
  "refunded", "failed", "voided", "expired", "conflicted",
];
const HELD = { id: "b", status: "PENDING", awaiting: "payment", change_request: null };
const REQUEST = { ...HELD, awaiting: "host" };
const RELEASE = { ...HELD, awaiting: "release" };
const BOOKED = { ...HELD, status: "CONFIRMED", awaiting: null };
const CHANGING = { ...BOOKED, change_request: { due_amount: 500 } };
const EXPIRED = { ...HELD, status: "EXPIRED", awaiting: null };
const CANCELED = { ...EXPIRED, status: "CANCELED" };

let ids = 0;
function payment(status, facts = {}) {
  ids += 1;
  return {
    id: `p${ids}`, booking_id: "b", status, amount: 12_000, currency: "USD", refunded_amount: 0,
    refunds: [], next_action: null, created_at: `2027-03-01T12:00:0${ids % 10}Z`, ...facts,
  };
}
const back = (status, amount, at = 1) => ({
  id: `r${at}`, amount, status, reason: null, created_at: `2027-03-02T12:00:0${at}Z`,
});
const redirect = { type: "redirect", url: "https://pay.example/pi_1" };

test("each payment of each booking is said in one tone, and waits where more is to come", () => {
  for (const [booking, tones] of [
    [HELD, "wait wait wait wait wait wait wait bad bad bad bad"],
    [REQUEST, "wait wait wait good good good good bad bad bad bad"],
    [RELEASE, "wait wait wait wait wait wait wait bad bad bad bad"],
    [BOOKED, "wait wait wait good good good note - - - bad"],
    [CHANGING, "wait wait wait good good good note bad bad bad bad"],
    [EXPIRED, "wait wait wait wait wait wait note note note note bad"],
    [CANCELED, "wait wait wait wait note note note note note note bad"],
  ]) {
    const said = STATUSES.map((status) => outlook(booking, payment(status)));
    assert.equal(said.map((each) => each?.tone ?? "-").join(" "), tones, JSON.stringify(booking));
    for (const each of said.filter(Boolean)) {
      assert.equal(each.waits, each.tone === "wait");
      assert.ok(each.heading.length > 0);
      assert.equal(each.way, null);
    }
  }
  assert.equal(outlook(HELD, null), null);
});

test("a payment page that waits for its guest is led to, but for the moment after coming back",
  () => {
    const waiting = payment("requires_action", { next_action: redirect });
    const said = outlook(HELD, waiting);
    assert.deepEqual([said.tone, said.waits, said.way], ["note", true, redirect.url]);
    const justBack = outlook(HELD, waiting, 500);
    assert.deepEqual([justBack.tone, justBack.way], ["wait", null]);
    assert.match(justBack.heading, /^Checking/);
    const turnedBack = outlook(HELD, waiting, 6_000);
    assert.deepEqual([turnedBack.heading, turnedBack.way], ["Not paid yet", redirect.url]);
    assert.equal(outlook(BOOKED, payment("captured"), 500).text, "You are booked.");
    assert.equal(outlook(BOOKED, payment("captured")).text, "");
    for (const [type, words] of [
      ["confirm_on_phone", /^Look at your phone/], ["use_client_secret", /elsewhere$/],
      ["something_new", /^Asking/],
    ]) {
      const { heading, way, waits } = outlook(HELD, payment("requires_action", {
        next_action: { type },
      }));
      assert.match(heading, words);
      assert.deepEqual([way, waits], [null, true]);
    }
  });

test("what a decline leaves is said as it is: the hold, the request, or the stay as it was", () => {
  const text = (booking) => outlook(booking, payment("failed")).text;
  assert.match(text(HELD), /still held for you/);
  assert.match(text(REQUEST), /your request all the same/);
  assert.match(text(CHANGING), /stay is as it was/);
  assert.equal(text(RELEASE), "Nothing was taken.");
});

test("a promise to a host is not called paid, and money after the hold is not called lost", () => {
  assert.match(outlook(REQUEST, payment("authorized")).heading, /agreed to \$120\.00$/);
  assert.match(outlook(REQUEST, payment("authorized")).text, /before the host accepts/);
  assert.match(outlook(EXPIRED, payment("processing")).text, /book the nights again or send/);
  assert.match(outlook(EXPIRED, payment("captured")).text, /goes back to you/);
});

test("what goes back of a canceled stay is summed up, and one that failed is owed", () => {
  const said = (...refunds) => outlook(CANCELED, payment("partially_refunded", { refunds }));
  assert.equal(said(back("requested", 4_000)).heading, "$40.00 goes back to you");
  assert.equal(said(back("submitted", 4_000), back("succeeded", 500)).waits, true);
  assert.equal(said(back("succeeded", 4_000), back("succeeded", 500)).heading,
    "$45.00 has gone back to you");
  const failed = said(back("succeeded", 4_000), back("failed", 500));
  assert.deepEqual([failed.tone, failed.heading], ["bad", "$5.00 could not be sent back"]);
  assert.match(failed.text, /owed to you/);
  const before = outlook({ ...CANCELED, refund: { amount: 700 } }, payment("captured"));
  assert.deepEqual([before.waits, before.heading], [true, "$7.00 goes back to you"]);
  const unlisted = outlook(CANCELED, payment("refunded", { refunded_amount: 700 }));
  assert.equal(unlisted.heading, "$7.00 has gone back to you");
});

test("refunds of all payments stand in their order, each with where it stands", () => {
  const payments = [
    payment("refunded", { refunds: [back("succeeded", 200, 3)] }),
    payment("partially_refunded", { refunds: [back("submitted", 100, 2), back("odd", 5, 4)] }),
  ];
  assert.deepEqual(refundsOf(payments).map(({ amount, label }) => [amount, label]), [
    ["$1.00", "On its way"], ["$2.00", "Sent back"], ["$0.05", "odd"],
  ]);
  assert.deepEqual(refundsOf([{ currency: "USD" }]), [], "a server that knows of no refunds");
});

test("only what came, and is not on its way back, can be refunded", () => {
  assert.equal(refundable(payment("authorized")), 0);
  assert.equal(refundable(payment("captured")), 12_000);
  assert.equal(refundable(payment("partially_refunded", {
    refunded_amount: 2_000, refunds: [back("succeeded", 2_000), back("submitted", 500)],
  })), 9_500);
  assert.equal(refundable(payment("captured", { refunds: [back("failed", 12_000)] })), 12_000);
  assert.equal(refundable(payment("refunded", { refunded_amount: 12_000 })), 0);
});

test("one pays when something is due and nothing is under way", () => {
  const payable = (booking) => [null, ...STATUSES.map((status) => payment(status))]
    .map((each) => (isPayable(booking, each) ? "y" : "n")).join("");
  assert.equal(payable(HELD), "ynnnnnnnyyyy");
  assert.equal(payable(REQUEST), "ynnnnnnnyyyy");
  assert.equal(payable(CHANGING), "ynnnyyyyyyyy");
  for (const booking of [RELEASE, BOOKED, EXPIRED, CANCELED]) {
    assert.equal(payable(booking), "nnnnnnnnnnnn");
  }
  assert.equal(due({ total_amount: 900, change_request: null }), 900);
  assert.equal(due({ total_amount: 900, ...CHANGING }), 500);
});

test("the payment that counts is the last one while something is due, and else the booking's own",
  () => {
    const [first, second] = [payment("failed", { created_at: "2027-03-01T12:00:00Z" }),
      payment("captured", { created_at: "2027-03-01T13:00:00Z" })];
    const other = payment("captured", { booking_id: "c", created_at: "2027-03-01T14:00:00Z" });
    const all = [other, second, first];
    assert.equal(currentPayment(HELD, all), second);
    assert.equal(currentPayment({ ...BOOKED, payment_id: first.id }, all), first);
    assert.equal(currentPayment({ ...BOOKED, payment_id: "gone" }, all), second);
    assert.equal(currentPayment(HELD, [other]), null);
  });

test("it is asked again ever more calmly, more so beside the live topic, and not for ever",
  () => {
    const gaps = [0, 29_999, 30_000, 119_000, 120_000, 899_999, 900_000];
    assert.deepEqual(gaps.map((waited) => askAgainMs(waited, false)),
      [2_000, 2_000, 5_000, 5_000, 20_000, 20_000, null]);
    assert.deepEqual(gaps.map((waited) => askAgainMs(waited, true)),
      [15_000, 15_000, 15_000, 15_000, 20_000, 20_000, null]);
  });
