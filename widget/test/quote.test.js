// Asking for prices: after a moment of stillness, one at a time, and only the newest is told.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Quotes } from "../quote.js";

function world() {
  const told = [];
  const sent = [];
  let timer = null;
  const quotes = new Quotes((quote) => told.push(quote), {
    fetch: (url, options) => new Promise((resolve, reject) => {
      const answer = (status, body) =>
        resolve({ ok: status < 300, json: async () => body });
      sent.push({ url, options, answer, fail: () => reject(new TypeError("no network")) });
    }),
    later: (action) => (timer = action),
    cancel: (known) => { if (known && timer === known) timer = null; },
  });
  // What was started by an answer runs before this resolves.
  const settled = () => new Promise(setImmediate);
  const still = () => {
    const action = timer;
    timer = null;
    action?.();
  };
  return { quotes, told, sent, still, settled };
}

test("a wish is sent without credentials once the reader is still, and its total is told",
  async () => {
    const { quotes, told, sent, still, settled } = world();
    quotes.ask("u", { check_in: "a" });
    quotes.ask("u", { check_in: "b" });
    assert.equal(sent.length, 0);
    still();
    assert.equal(sent.length, 1);
    assert.equal(sent[0].options.credentials, "omit");
    assert.deepEqual(JSON.parse(sent[0].options.body), { check_in: "b" });
    sent[0].answer(201, { total_amount: 36_000, currency: "EUR" });
    await settled();
    assert.deepEqual(told.at(-1), { status: "shown", total: 36_000, currency: "EUR" });
  });

test("one request is on its way at a time, and a former answer is not told", async () => {
  const { quotes, told, sent, still, settled } = world();
  quotes.ask("u", { n: 1 });
  still();
  quotes.ask("u", { n: 2 });
  still();
  quotes.ask("u", { n: 3 });
  still();
  assert.equal(sent.length, 1);
  sent[0].answer(201, { total_amount: 1, currency: "EUR" });
  await settled();
  assert.deepEqual(told.at(-1), { status: "asking" });
  assert.deepEqual(sent.map(({ options }) => JSON.parse(options.body).n), [1, 3]);
  sent[1].answer(201, { total_amount: 3, currency: "EUR" });
  await settled();
  assert.equal(told.at(-1).total, 3);
});

test("a refusal brings its reasons, a failure its detail or nothing", async () => {
  const reasons = [{ code: "min_nights", limit: 3 }];
  const rows = [
    [({ answer }) => answer(409, { detail: "d", reasons }), { status: "refused", reasons }],
    [({ answer }) => answer(422, { detail: "d" }), { status: "failed", detail: "d" }],
    [({ answer }) => answer(409, { reasons: "x" }), { status: "failed", detail: undefined }],
    [({ fail }) => fail(), { status: "failed" }],
  ];
  for (const [act, expected] of rows) {
    const { quotes, told, sent, still, settled } = world();
    quotes.ask("u", {});
    still();
    act(sent[0]);
    await settled();
    assert.deepEqual(told.at(-1), expected);
  }
});

test("no wish is told at once and what was on its way is forgotten", async () => {
  const { quotes, told, sent, still, settled } = world();
  quotes.ask("u", {});
  still();
  quotes.ask("u", null);
  sent[0].answer(201, { total_amount: 1, currency: "EUR" });
  await settled();
  assert.equal(told.at(-1), null);
  assert.equal(sent.length, 1);
});
