// Asking for prices: after a moment of stillness, one at a time, and only the newest is told.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Quotes } from "../quote.js";
import { Clock, settled } from "./clock.js";

function world() {
  const told = [];
  const sent = [];
  const clock = new Clock();
  const { later, cancel, random } = clock;
  const quotes = new Quotes((quote) => told.push(quote), {
    fetch: (url, options) => new Promise((resolve, reject) => {
      const answer = (status, body, headers = {}) => resolve({
        ok: status < 300, status, headers: new Headers(headers),
        json: async () => body ?? JSON.parse("<html>"),
      });
      sent.push({ url, options, answer, fail: () => reject(new TypeError("no network")) });
    }),
    later, cancel, random,
  });
  return { quotes, told, sent, clock, still: () => clock.pass(250) };
}

test("a wish is sent without credentials once the reader is still, and its total is told",
  async () => {
    const { quotes, told, sent, still } = world();
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
  const { quotes, told, sent, still } = world();
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
    const { quotes, told, sent, still } = world();
    quotes.ask("u", {});
    still();
    act(sent[0]);
    await settled();
    assert.deepEqual(told.at(-1), expected);
  }
});

test("no wish is told at once and what was on its way is forgotten", async () => {
  const { quotes, told, sent, still } = world();
  quotes.ask("u", {});
  still();
  quotes.ask("u", null);
  sent[0].answer(201, { total_amount: 1, currency: "EUR" });
  await settled();
  assert.equal(told.at(-1), null);
  assert.equal(sent.length, 1);
});

test("a change of the calendar asks again at some time within two seconds, and once", async () => {
  for (const [chance, waitMs] of [[0.05, 100], [0.4, 800], [0.999, 1_998]]) {
    const { quotes, told, sent, still, clock } = world();
    quotes.ask("u", { n: 1 });
    still();
    sent[0].answer(201, { total_amount: 1, currency: "EUR" });
    await settled();
    clock.chance = chance;
    quotes.askAgain();
    assert.deepEqual(told.at(-1), { status: "asking" });
    clock.pass(waitMs / 2);
    quotes.askAgain();
    clock.pass(waitMs / 2 - 1);
    assert.equal(sent.length, 1);
    clock.pass(1);
    assert.equal(sent.length, 2);
    assert.deepEqual(JSON.parse(sent[1].options.body), { n: 1 });
    sent[1].answer(201, { total_amount: 2, currency: "EUR" });
    await settled();
    assert.equal(told.at(-1).total, 2);
    clock.pass(60_000);
    assert.equal(sent.length, 2);
  }
});

test("what the reader chooses is not kept waiting by changes", async () => {
  const { quotes, sent, still } = world();
  quotes.ask("u", { n: 1 });
  quotes.askAgain();
  still();
  assert.equal(sent.length, 1);
  quotes.askAgain();
  quotes.ask("u", { n: 2 });
  still();
  sent[0].answer(201, { total_amount: 1, currency: "EUR" });
  await settled();
  assert.deepEqual(sent.map(({ options }) => JSON.parse(options.body).n), [1, 2]);
});

test("a change while a price is on its way makes that price a former one", async () => {
  const { quotes, told, sent, still, clock } = world();
  quotes.ask("u", {});
  still();
  quotes.askAgain();
  sent[0].answer(201, { total_amount: 1, currency: "EUR" });
  await settled();
  assert.deepEqual(told.at(-1), { status: "asking" });
  clock.pass(2_000);
  sent[1].answer(201, { total_amount: 2, currency: "EUR" });
  await settled();
  assert.equal(told.at(-1).total, 2);
});

test("a change asks for nothing where nothing is wished for", () => {
  const { quotes, told, clock } = world();
  quotes.askAgain();
  quotes.ask("u", {});
  quotes.ask("u", null);
  quotes.askAgain();
  assert.equal(told.at(-1), null);
  assert.equal(clock.timers.size, 0);
});

test("a server that is busy is asked once more when it says, before there is a failure",
  async () => {
    for (const [status, after, waitMs] of [
      [429, { "Retry-After": "7" }, 8_000], [503, { "Retry-After": "0" }, 1_000], [503, {}, 1_000],
    ]) {
      const body = status === 429 ? { detail: "busy" } : undefined;
      const { quotes, told, sent, still, clock } = world();
      quotes.ask("u", { n: 1 });
      still();
      sent[0].answer(status, body, after);
      await settled();
      clock.pass(waitMs - 1);
      assert.deepEqual(told, [{ status: "asking" }]);
      assert.equal(sent.length, 1);
      clock.pass(1);
      assert.equal(sent.length, 2);
      sent[1].answer(status, body, after);
      await settled();
      assert.deepEqual(told.at(-1), { status: "failed", ...body });
      clock.pass(60_000);
      assert.equal(sent.length, 2);
      quotes.ask("u", { n: 1 });
      still();
      sent[2].answer(status, body, after);
      await settled();
      assert.deepEqual(told.at(-1), { status: "asking" }, "whoever asks anew is waited for anew");
    }
  });

test("nobody waits for a server that is busy for long, or for what is no failure of its own",
  async () => {
    const rows = [[429, "11"], [503, "Fri, 31 Dec 1999 23:59:59 GMT"], [500, "1"]];
    for (const [status, after] of rows) {
      const { quotes, told, sent, still } = world();
      quotes.ask("u", {});
      still();
      sent[0].answer(status, { detail: "d" }, { "Retry-After": after });
      await settled();
      assert.deepEqual(told.at(-1), { status: "failed", detail: "d" });
    }
  });

test("a new wish takes the place of one that waits for a busy server", async () => {
  const { quotes, sent, still, clock } = world();
  quotes.ask("u", { n: 1 });
  still();
  sent[0].answer(429, {}, { "Retry-After": "5" });
  await settled();
  quotes.ask("u", { n: 2 });
  still();
  clock.pass(60_000);
  assert.deepEqual(sent.map(({ options }) => JSON.parse(options.body).n), [1, 2]);
});
