// What a host sends back: amounts as they are typed, and what became of them.

import assert from "node:assert/strict";
import { test } from "node:test";
import "./page.js";

const { amountToRefund, sentWords } = await import("../demo/host/refund.js");

const paid = (amount, currency, refunded_amount = 0) => ({
  id: "p", status: "captured", amount, currency, refunded_amount, refunds: [],
});

test("an amount is read by its digits, up to what can go back", () => {
  for (const [typed, payment, amount] of [
    ["120", paid(12_000, "USD"), 12_000],
    ["0.07", paid(12_000, "USD"), 7],
    ["19,99", paid(12_000, "EUR"), 1_999],
    ["1200", paid(1_200, "JPY"), 1_200],
    ["1.234", paid(12_000, "KWD"), 1_234],
  ]) {
    assert.equal(amountToRefund(typed, payment), amount);
  }
});

test("what cannot go back is refused with the reason, in the currency's own decimals", () => {
  for (const [typed, payment, words] of [
    ["", paid(12_000, "USD"), /like 120, please/],
    ["0", paid(12_050, "USD"), /like 120\.50, please/],
    ["0.00", paid(12_000, "USD"), /like 120, please/],
    ["-5", paid(12_000, "USD"), /like 120, please/],
    ["1.005", paid(12_000, "USD"), /like 120, please/],
    ["1.5", paid(1_200, "JPY"), /like 1200, please/],
    ["120.01", paid(12_000, "USD"), /more than the \$120\.00/],
    ["80", paid(12_000, "USD", 5_000), /more than the \$70\.00/],
  ]) {
    assert.match(amountToRefund(typed, payment), words);
  }
});

test("what became of it is told by the newest refund", () => {
  const after = (...statuses) => sentWords({
    currency: "USD",
    refunds: statuses.map((status, at) => ({ status, created_at: `2027-03-0${at + 1}` })).reverse(),
  }, 4_000);
  assert.equal(after("failed", "succeeded"), "$40.00 has gone back to the guest.");
  assert.match(after("succeeded", "requested"), /on its way back/);
  assert.match(after("succeeded", "submitted"), /on its way back/);
  assert.match(after("failed"), /could not be sent back/);
  assert.match(after(), /on its way back/);
});
