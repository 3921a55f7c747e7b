// How the site writes money: by whole minor units, whatever a currency calls its cents.

import assert from "node:assert/strict";
import { test } from "node:test";

globalThis.document = { documentElement: { lang: "en" } };
const { minorUnits, money, price, typedAmount } = await import("../demo/words.js");

test("an amount has its currency's digits, and a headline none of them that are zeros", () => {
  for (const [amount, currency, whole, short] of [
    [12_000, "USD", "$120.00", "$120"],
    [12_050, "USD", "$120.50", "$120.50"],
    [-500, "USD", "-$5.00", "-$5"],
    [5, "USD", "$0.05", "$0.05"],
    [12_000, "JPY", "¥12,000", "¥12,000"],
    [1_000_000, "JPY", "¥1,000,000", "¥1,000,000"],
    [12_500, "KWD", "KWD\u00a012.500", "KWD\u00a012.500"],
    [1_000_000_000_000_00, "USD", "$1,000,000,000,000.00", "$1,000,000,000,000"],
  ]) {
    assert.equal(money(amount, currency), whole);
    assert.equal(price(amount, currency), short);
  }
});

test("what is typed is read by its digits, and written so that it can be read again", () => {
  for (const [typed, currency, amount, again] of [
    ["120", "USD", 12_000, "120"],
    ["120.5", "USD", 12_050, "120.50"],
    ["0,05", "USD", 5, "0.05"],
    ["12000", "JPY", 12_000, "12000"],
    ["1.234", "KWD", 1_234, "1.234"],
  ]) {
    assert.equal(minorUnits(typed, currency), amount);
    assert.equal(typedAmount(amount, currency), again);
    assert.equal(minorUnits(again, currency), amount);
  }
  for (const none of ["", "x", "1.234", "-1", "1e3", "1.2.3"]) {
    assert.equal(minorUnits(none, "USD"), null, none);
  }
});
