// Asking again while something is on its way.

import assert from "node:assert/strict";
import { test } from "node:test";
import { clock } from "./page.js";

const { Patience } = await import("../demo/stay/patience.js");

/** How often is asked within so many milliseconds, while what is awaited and who tells stay so. */
function asked(ms, { isTold = false, what = () => "processing" } = {}) {
  let times = 0;
  const patience = new Patience(() => {
    times += 1;
    patience.wait(what(times), isTold);
  });
  patience.wait(what(0), isTold);
  clock.pass(ms);
  return { patience, times: () => times };
}

test("it asks until there is nothing to wait for", () => {
  const { patience, times } = asked(60_000, { what: (time) => (time < 3 ? "processing" : null) });
  assert.equal(times(), 3);
  assert.equal(patience.isOver, false);
});

test("it gives up, says so, and begins anew when it is told to", () => {
  const { patience, times } = asked(3_600_000);
  assert.ok(times() < 100, `${times()} times in an hour`);
  assert.equal(patience.isOver, true);
  const before = times();
  patience.again();
  assert.equal(times(), before + 1);
  assert.equal(patience.isOver, false);
  clock.pass(10_000);
  assert.ok(times() > before + 3);
  patience.stop();
  const stopped = times();
  clock.pass(60_000);
  assert.equal(times(), stopped);
});

test("news makes it patient again, and a topic that tells makes it calm", () => {
  const fresh = asked(1_800_000, { what: (time) => `step ${Math.floor(time / 20)}` });
  assert.equal(fresh.patience.isOver, false);
  fresh.patience.stop();
  const told = asked(60_000, { isTold: true });
  assert.equal(told.times(), 4);
  told.patience.stop();
});
