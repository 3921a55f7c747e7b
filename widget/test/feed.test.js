// The feed against a server made of plain values: sockets, timers and chance are all in `World`.

import assert from "node:assert/strict";
import { test } from "node:test";
import { digestOf, fold, fromSnapshot } from "../calendar.js";
import { addDays } from "../dates.js";
import { Feed, retryDelayMs } from "../feed.js";
import { Clock } from "./clock.js";
import { randomFrom } from "./random.js";

const WINDOW = { from: "2027-01-01", to: "2027-03-01" };

class World extends Clock {
  sockets = [];

  connect = () => {
    const socket = {
      readyState: 0,
      sent: [],
      send: (text) => socket.sent.push(JSON.parse(text)),
      close: () => { socket.readyState = 3; },
    };
    this.sockets.push(socket);
    return socket;
  };

  get socket() {
    return this.sockets.at(-1);
  }

  open() {
    this.socket.readyState = 1;
    this.socket.onopen();
  }

  tell(frame) {
    this.socket.onmessage({ data: JSON.stringify(frame) });
  }

  close(event = { code: 1006, reason: "" }) {
    this.socket.onclose(event);
  }

  /** Time passes, and the server gives the signs of life that it is asked for. */
  live(ms) {
    this.pass(ms, () => {
      if (this.socket.sent.at(-1)?.type === "ping") this.tell({ type: "pong" });
    });
  }

  asked() {
    return this.socket.sent.filter(({ type }) => type === "subscribe");
  }
}

const snapshot = (seq, more = {}) => ({
  type: "snapshot", property: "p", epoch: "e", seq, ...WINDOW, ranges: [], ...more,
});
const delta = (seq, more = {}) => ({
  type: "delta", property: "p", epoch: "e", prev_seq: seq - 1, seq, changes: [], digests: {},
  ...more,
});

function watching() {
  const world = new World();
  const feed = new Feed("ws://test/ws", world);
  const seen = [];
  const stop = feed.watch("p", WINDOW, (view) => seen.push(view));
  world.open();
  const last = () => seen.at(-1);
  return { world, feed, seen, stop, last };
}

function live(seq = 5) {
  const stage = watching();
  stage.world.tell(snapshot(seq));
  return stage;
}

test("a first snapshot makes the calendar live, and deltas move it", () => {
  const { world, last, seen } = watching();
  assert.equal(seen[0].live, "connecting");
  assert.deepEqual(world.asked(), [{ type: "subscribe", property: "p", ...WINDOW }]);
  world.tell(snapshot(5));
  assert.equal(last().live, "live");
  world.tell(delta(6, { changes: [{ from: "2027-01-03", to: "2027-01-04", state: "booked" }] }));
  assert.equal(last().calendar.seq, 6);
  assert.equal(last().calendar.nights.get("2027-01-03").state, "booked");
});

test("all watchers of a page share one socket and one subscription for each property", () => {
  const { world, feed } = live();
  const views = [];
  feed.watch("p", WINDOW, (view) => views.push(view));
  feed.watch("q", WINDOW, () => {});
  assert.equal(world.sockets.length, 1);
  assert.equal(views[0].calendar.seq, 5);
  assert.deepEqual(world.asked().map(({ property }) => property), ["p", "q"]);
});

test("a hole in the numbering resumes from the last seq and is live again at the goal", () => {
  const { world, last } = live(5);
  world.tell(delta(8));
  assert.equal(last().live, "reconnecting");
  assert.deepEqual(world.asked().at(-1).after, { epoch: "e", seq: 5 });
  world.tell(delta(9));
  assert.equal(last().calendar.seq, 5);
  world.tell({ type: "resumed", property: "p", epoch: "e", seq: 9 });
  for (const seq of [6, 7, 8]) {
    world.tell(delta(seq));
    assert.equal(last().live, "reconnecting");
  }
  world.tell(delta(9));
  assert.equal(last().live, "live");
  assert.equal(last().calendar.seq, 9);
  assert.equal(world.asked().length, 2);
});

test("missed deltas that do not come are asked for anew, those that came are not", () => {
  for (const [reached, asked] of [[7, 3], [8, 2]]) {
    const { world, last } = live(5);
    world.tell(delta(8));
    world.tell({ type: "resumed", property: "p", epoch: "e", seq: 8 });
    for (let seq = 6; seq <= reached; seq += 1) world.tell(delta(seq));
    world.pass(10_000);
    assert.equal(world.asked().length, asked);
    assert.equal(last().live, reached === 8 ? "live" : "reconnecting");
  }
});

test("a joined delta of a slow reader is no hole", () => {
  const { world, last } = live(5);
  world.tell(delta(9, { prev_seq: 5 }));
  assert.equal(last().live, "live");
  assert.equal(last().calendar.seq, 9);
});

test("a wrong digest, a reset and another epoch ask for a new snapshot", () => {
  for (const lie of [{ digests: { "2027-01": "00000000" } }, { reset: true }, { epoch: "f" }]) {
    const { world, last } = live(5);
    world.tell(delta(6, lie));
    assert.equal(last().live, "reconnecting");
    world.pass(250);
    assert.equal(world.asked().at(-1).after, undefined);
    world.tell(snapshot(6));
    assert.equal(last().live, "live");
    world.close();
    world.pass(1_000);
    world.open();
    assert.equal(world.asked().at(-1).after.seq, 6);
  }
});

test("deltas that come before the answer raise no further doubt", () => {
  const { world } = live(5);
  for (const seq of [8, 9, 10, 11]) world.tell(delta(seq));
  world.close();
  world.pass(1_000);
  world.open();
  assert.deepEqual(world.asked().at(-1).after, { epoch: "e", seq: 5 });
});

test("a server that never agrees is asked ever more slowly", () => {
  const { world } = watching();
  const bad = snapshot(5, { digests: { "2027-01": "00000000" } });
  let answered = 0;
  for (let round = 0; round < 400; round += 1) {
    if (world.asked().length > answered) {
      answered = world.asked().length;
      world.tell(bad);
    }
    world.pass(250);
  }
  assert.ok(world.asked().length < 14, `${world.asked().length} questions in 100 s`);
});

test("a lost socket comes back after a growing wait and resumes every calendar", () => {
  const { world, last } = live(5);
  world.close();
  assert.equal(last().live, "reconnecting");
  assert.equal(last().calendar.seq, 5);
  for (const waitMs of [375, 750, 1_500]) {
    const before = world.sockets.length;
    world.pass(waitMs - 1);
    assert.equal(world.sockets.length, before);
    world.pass(1);
    assert.equal(world.sockets.length, before + 1);
    world.close();
  }
  world.pass(3_000);
  world.open();
  assert.deepEqual(world.asked().at(-1).after, { epoch: "e", seq: 5 });
  world.tell({ type: "resumed", property: "p", epoch: "e", seq: 5 });
  assert.equal(last().live, "live");
  world.close();
  world.pass(375);
  world.open();
  assert.equal(world.sockets.length, 6);
});

test("waits are spread, doubled and capped", () => {
  assert.equal(retryDelayMs(1, () => 0), 250);
  assert.equal(retryDelayMs(1, () => 1), 500);
  assert.equal(retryDelayMs(3, () => 1), 2_000);
  assert.equal(retryDelayMs(40, () => 1), 30_000);
});

test("a stopping server's hint is added to the wait", () => {
  const { world } = live();
  world.close({ code: 1012, reason: "retry_ms=2000" });
  world.pass(2_374);
  assert.equal(world.sockets.length, 1);
  world.pass(1);
  assert.equal(world.sockets.length, 2);
});

test("a silent connection is asked for a sign of life and given up without one", () => {
  const { world, last } = live();
  world.pass(25_000);
  assert.equal(world.socket.sent.at(-1).type, "ping");
  world.tell({ type: "pong" });
  world.pass(34_999);
  assert.equal(last().live, "live");
  world.pass(1);
  assert.equal(last().live, "reconnecting");
});

test("two sides that disagree on every step ask ever more slowly, although snapshots agree", () => {
  for (const lie of [{ digests: { "2027-01": "00000000" } }, { epoch: "f" }]) {
    const { world } = watching();
    let [seq, answered] = [5, 0];
    for (let round = 0; round < 400; round += 1) {
      if (world.asked().length > answered) {
        answered = world.asked().length;
        world.tell(snapshot(seq));
        seq += 1;
        world.tell(delta(seq, lie));
      }
      world.pass(250);
    }
    assert.ok(world.asked().length < 14, `${world.asked().length} questions in 100 s`);
  }
});

test("a calendar that was right for a minute has no doubts of former times", () => {
  for (const [stoodMs, asked] of [[59_000, 4], [60_000, 5]]) {
    const { world } = live(5);
    const lie = delta(6, { digests: { "2027-01": "00000000" } });
    for (const waitMs of [0, 375, 750]) {
      world.tell(lie);
      world.pass(waitMs);
      world.tell(snapshot(5));
    }
    assert.equal(world.asked().length, 4);
    world.live(stoodMs);
    world.tell(lie);
    assert.equal(world.asked().length, asked);
  }
});

test("a host who edits all day raises no doubt: each reset is asked for within a moment", () => {
  const { world, last } = live(5);
  for (let seq = 6; seq < 40; seq += 1) {
    world.tell(delta(seq, { reset: true }));
    assert.equal(last().live, "reconnecting");
    world.pass(250);
    assert.equal(world.asked().length, seq - 4);
    assert.equal(world.asked().at(-1).after, undefined);
    world.tell(snapshot(seq));
    assert.equal(last().live, "live");
  }
});

test("readers who all hear a reset ask over a quarter of a second, and once for several", () => {
  for (const [chance, waitMs] of [[0, 0], [0.2, 50], [0.99, 247.5]]) {
    const { world } = live(5);
    world.chance = chance;
    for (const seq of [6, 7, 8]) world.tell(delta(seq, { reset: true }));
    if (waitMs > 0) {
      world.pass(waitMs - 1);
      assert.equal(world.asked().length, 1);
      world.pass(1);
    }
    assert.equal(world.asked().length, 2);
  }
});

test("a nudge retries at once while waiting", () => {
  const { world, feed } = live();
  world.close();
  feed.nudge();
  assert.equal(world.sockets.length, 2);
});

test("nudges do not prolong the life of a dead connection", () => {
  const { world, feed, last } = live();
  for (let second = 0; second < 10; second += 1) {
    feed.nudge();
    world.pass(1_000);
  }
  assert.equal(last().live, "reconnecting");
  assert.equal(world.socket.sent.filter(({ type }) => type === "ping").length, 1);
});

test("a connection that gave its sign of life is asked for the next one by the next nudge", () => {
  const { world, feed, last } = live();
  feed.nudge();
  world.tell({ type: "pong" });
  feed.nudge();
  world.pass(10_000);
  assert.equal(last().live, "reconnecting");
});

test("an answer that never comes is asked for again", () => {
  const { world } = watching();
  world.pass(9_000);
  world.tell({ type: "pong" });
  world.pass(1_000);
  assert.equal(world.asked().length, 2);
});

const refusal = (code) => ({ type: "error", code, detail: "Because.", ref: "p" });

test("a refusal reaches the listener and the next connection asks again", () => {
  const { world, last } = watching();
  world.tell(refusal("not_found"));
  assert.deepEqual(last().error, { code: "not_found", detail: "Because." });
  world.close();
  world.pass(1_000);
  world.open();
  world.tell(snapshot(5));
  assert.equal(last().error, null);
  assert.equal(last().live, "live");
});

test("a calendar that cannot be read now is in doubt, and asked for ever more slowly", () => {
  for (const known of [false, true]) {
    const { world, last } = known ? live(5) : watching();
    if (known) world.tell(delta(8));
    let asked = world.asked().length;
    for (const waitMs of known ? [750, 1_500] : [375, 750, 1_500]) {
      world.tell(refusal("unavailable"));
      assert.equal(last().live, known ? "reconnecting" : "connecting");
      assert.equal(last().error, null);
      world.pass(waitMs - 1);
      assert.equal(world.asked().length, asked);
      world.pass(1);
      asked += 1;
      assert.equal(world.asked().length, asked);
      assert.deepEqual(world.asked().at(-1).after, known ? { epoch: "e", seq: 5 } : undefined);
    }
    world.tell(snapshot(9));
    assert.equal(last().live, "live");
  }
});

test("a calendar that is taken off the list is gone, and comes back when it is listed", () => {
  const { world, last } = live(5);
  world.tell(delta(6, { reset: true }));
  world.tell(refusal("not_found"));
  assert.equal(last().calendar, null);
  assert.equal(last().live, "connecting");
  assert.equal(last().error.code, "not_found");
  world.live(44_999);
  assert.equal(world.asked().length, 1);
  world.live(1);
  assert.equal(world.asked().length, 2);
  world.tell(refusal("not_found"));
  world.live(45_000);
  assert.equal(world.asked().length, 3);
  assert.equal(last().error.code, "not_found");
  world.tell(snapshot(7));
  assert.equal(last().live, "live");
  assert.equal(last().error, null);
});

test("readers of a calendar that is not listed do not all ask in the same moment", () => {
  const waits = [0, 0.999].map((chance) => {
    const { world } = watching();
    world.chance = chance;
    world.tell(refusal("not_found"));
    let waitMs = 0;
    for (; world.asked().length === 1; waitMs += 500) world.live(500);
    return waitMs;
  });
  assert.deepEqual(waits, [30_000, 60_000]);
});

test("a question that is wrong is not asked again, by no nudge either", () => {
  const { world, feed, last } = live(5);
  world.tell(refusal("invalid_field"));
  assert.equal(last().live, "connecting");
  world.tell(delta(6));
  assert.equal(last().calendar, null);
  world.pass(20_000);
  feed.nudge();
  world.tell({ type: "pong" });
  world.live(3_600_000);
  assert.equal(world.sockets[0].sent.filter(({ type }) => type === "subscribe").length, 1);
});

test("a nudge asks at once for what was refused, but not with every change of tabs", () => {
  for (const code of ["not_found", "unavailable"]) {
    const { world, feed } = watching();
    const refuse = () => {
      world.tell(refusal(code));
      world.tell({ type: "pong" });
    };
    for (let doubts = 0; doubts < 6; doubts += 1) {
      refuse();
      if (code === "unavailable") world.pass(16_000);
    }
    refuse();
    const asked = world.asked().length;
    feed.nudge();
    assert.equal(world.asked().length, asked + 1);
    refuse();
    feed.nudge();
    assert.equal(world.asked().length, asked + 1);
    world.tell({ type: "pong" });
    world.pass(5_000);
    feed.nudge();
    assert.equal(world.asked().length, asked + 2);
  }
});

test("a nudge does not ask again for what is already asked for", () => {
  const { world, feed } = watching();
  world.tell(refusal("not_found"));
  feed.nudge();
  world.tell({ type: "pong" });
  world.pass(5_000);
  feed.nudge();
  assert.equal(world.asked().length, 2);
});

test("a listener that leaves when it hears of a doubt is not asked for", () => {
  for (const frame of [delta(8), delta(6, { reset: true }), refusal("not_found")]) {
    const world = new World();
    const feed = new Feed("ws://test/ws", world);
    let stop = null;
    stop = feed.watch("p", WINDOW, ({ calendar, live }) => {
      if (stop && live !== "live") stop();
      return calendar;
    });
    world.open();
    world.tell(snapshot(5));
    world.tell(frame);
    world.pass(900);
    assert.equal(world.socket.sent.at(-1).type, "unsubscribe");
    world.pass(100_000);
    assert.equal(world.timers.size, 0);
  }
});

test("the last watcher unsubscribes and lets the socket go", () => {
  const { world, stop } = live();
  stop();
  assert.deepEqual(world.socket.sent.at(-1), { type: "unsubscribe", property: "p" });
  world.pass(1_000);
  assert.equal(world.socket.readyState, 3);
  assert.equal(world.timers.size, 0);
});

test("a frame that is not JSON ends the connection instead of being skipped", () => {
  const { world, last } = live();
  world.socket.onmessage({ data: "{" });
  assert.equal(last().live, "reconnecting");
});

test("after any mixture of losses, repeats and cuts the calendar equals the server's", () => {
  for (let seed = 1; seed <= 200; seed += 1) {
    const random = randomFrom(seed);
    const { world, last } = watching();
    const server = new Server(world);
    for (let step = 0; step < 60; step += 1) {
      const dice = random(10);
      if (dice < 5) server.change(random, true);
      else if (dice < 7) server.change(random, false);
      else if (dice < 8) server.repeat(random);
      else if (dice < 9 && world.socket.readyState === 1) world.close();
      server.answer();
      world.pass(random(3_000));
      server.answer();
    }
    for (let round = 0; round < 100; round += 1) {
      world.pass(1_000);
      server.answer();
    }
    server.change(random, true);
    server.answer();
    assert.equal(last().live, "live", `seed ${seed}`);
    assert.deepEqual(last().calendar.nights, server.calendar.nights, `seed ${seed}`);
    assert.equal(last().calendar.seq, server.calendar.seq, `seed ${seed}`);
  }
});

// Answers like the real one; may lose a delta on the way, which only the numbering can betray.
class Server {
  calendar = fromSnapshot(snapshot(1));
  #log = [];
  #world;
  #read = new Map();

  constructor(world) {
    this.#world = world;
  }

  change(random, deliver) {
    const from = addDays(WINDOW.from, random(50));
    const state = ["available", "held", "booked", "blocked"][random(4)];
    const changes = [{ from, to: addDays(from, 1 + random(9)), state }];
    const frame = delta(this.calendar.seq + 1, { changes });
    this.calendar = fold(this.calendar, frame).calendar;
    frame.digests = Object.fromEntries(
      ["2027-01", "2027-02"].map((month) => [month, digestOf(this.calendar, month)]));
    this.#log.push(frame);
    if (deliver) this.#send(frame);
  }

  repeat(random) {
    if (this.#log.length > 0) this.#send(this.#log[random(this.#log.length)]);
  }

  answer() {
    const { socket } = this.#world;
    if (socket.readyState === 0) this.#world.open();
    for (;;) {
      const read = this.#read.get(socket) ?? 0;
      if (read >= socket.sent.length) return;
      this.#read.set(socket, read + 1);
      this.#reply(socket.sent[read]);
    }
  }

  #reply({ type, after }) {
    const { seq, nights } = this.calendar;
    if (type === "ping") this.#send({ type: "pong" });
    if (type !== "subscribe") return;
    if (after) {
      this.#send({ type: "resumed", property: "p", epoch: "e", seq });
      for (const frame of this.#log) if (frame.seq > after.seq) this.#send(frame);
    } else {
      const ranges = [...nights].map(([date, night]) => (
        { from: date, to: addDays(date, 1), ...night }));
      this.#send(snapshot(seq, { ranges }));
    }
  }

  #send(frame) {
    if (this.#world.socket.readyState === 1) this.#world.tell(frame);
  }
}
