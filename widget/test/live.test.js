// The site's live bookings and calendars: a private topic that outlasts its tokens, and calendars
// of homes that only their host may see.

import assert from "node:assert/strict";
import { test } from "node:test";
import { settled } from "./clock.js";
import { clock, requests, sockets } from "./page.js";

const { Api } = await import("../demo/api.js");
const { followBookings } = await import("../demo/live.js");

const WINDOW = { from: "2027-01-01", to: "2027-03-01" };
const said = (socket, type) => socket.sent.filter((frame) => frame.type === type).length;

/** A topic whose token lasts so long, and what is asked of the Api. */
async function topic({ lasts = 600_000, renew = async () => null } = {}) {
  const api = {
    token: "t", renewals: 0, got: clock.now,
    get tokenLeftMs() {
      return this.got + lasts - clock.now;
    },
    async renew() {
      this.renewals += 1;
      await renew(this.renewals);
      this.got = clock.now;
    },
  };
  let changes = 0;
  const live = followBookings({ api, side: "host", changed: () => { changes += 1; } });
  await settled();
  return { api, live, socket: sockets.at(-1), changes: () => changes };
}

/** The server takes the token and begins the topic; its clock is `ahead` of ours. */
function accept(socket, ahead = 0) {
  const expires_at = new Date(Date.now() + 600_000 + ahead).toISOString();
  socket.tell({ type: "authenticated", user: "u", expires_at });
  socket.tell({ type: "bookings", as: "host" });
}

async function pass(ms, step = 1_000) {
  for (let passed = 0; passed < ms; passed += step) {
    clock.pass(Math.min(step, ms - passed));
    await settled();
  }
}

test("a token is renewed once in its life, whatever the two clocks say", async () => {
  for (const ahead of [0, -660_000, 660_000]) {
    const { api, live, socket } = await topic();
    accept(socket, ahead);
    await pass(569_000);
    assert.equal(api.renewals, 0);
    await pass(2_000);
    assert.equal(api.renewals, 1);
    assert.equal(said(socket, "authenticate"), 2);
    accept(socket, ahead);
    await pass(568_000);
    assert.equal(api.renewals, 1);
    live.stop();
  }
});

test("a token that seems to have run out already is renewed once a minute at most", async () => {
  const { api, live, socket } = await topic({ lasts: 0 });
  accept(socket);
  for (let second = 0; second < 300; second += 1) {
    const before = said(socket, "authenticate");
    await pass(1_000);
    if (said(socket, "authenticate") > before) accept(socket);
  }
  assert.equal(api.renewals, 5);
  live.stop();
});

test("a topic that lost its socket comes back, and renews its token once like any other",
  async () => {
    const { api, live, socket } = await topic();
    accept(socket);
    await pass(300_000);
    socket.onclose();
    await pass(1_000);
    const second = sockets.at(-1);
    assert.notEqual(second, socket);
    accept(second);
    await pass(300_000);
    assert.equal(api.renewals, 1);
    assert.equal(said(second, "authenticate"), 2);
    live.stop();
  });

test("a renewal that fails is tried again, ever more slowly, and the topic goes on", async () => {
  for (const status of [0, 429, 503]) {
    const renew = async (count) => {
      if (count !== 6 && count !== 8) throw Object.assign(new Error("later"), { status });
    };
    const { api, live, socket, changes } = await topic({ renew });
    accept(socket);
    await pass(570_000);
    assert.equal(api.renewals, 1);
    await pass(5_000, 125);
    assert.ok(api.renewals < 6, `${api.renewals} in five seconds`);
    await pass(20_000);
    assert.equal(api.renewals, 6);
    assert.equal(said(socket, "authenticate"), 2);
    accept(socket);
    await pass(1_000);
    const before = changes();
    socket.tell({ type: "booking", id: "b" });
    await pass(1_000);
    assert.equal(changes(), before + 1);
    while (api.renewals < 7) await pass(1_000);
    await pass(1_000);
    assert.equal(api.renewals, 8, "and the next failure is a first one again");
    live.stop();
  }
});

test("a payment that moves is a change like any other, and who tells of it is known", async () => {
  const { live, socket, changes } = await topic();
  assert.equal(live.isTold, false);
  accept(socket);
  await pass(1_000);
  assert.equal(live.isTold, true);
  const before = changes();
  socket.tell({ type: "payment", id: "p", booking: "b", status: "captured" });
  await pass(1_000);
  assert.equal(changes(), before + 1);
  socket.onclose();
  assert.equal(live.isTold, false);
  accept(socket);
  live.stop();
  assert.equal(live.isTold, false);
});

test("a token that ran out while it could not be renewed costs the topic nothing", async () => {
  const renew = async (count) => {
    if (count < 6) throw Object.assign(new Error("later"), { status: 503 });
  };
  const { live, socket } = await topic({ renew });
  accept(socket);
  for (let time = 0; time < 4; time += 1) {
    socket.tell({ type: "error", code: "session_ended" });
    await settled();
  }
  await pass(20_000);
  assert.equal(said(socket, "authenticate"), 2);
  assert.equal(socket.readyState, 1);
  live.stop();
});

test("a session that is over ends the topic, as does a token that is good nowhere", async () => {
  const over = await topic({
    renew: async () => { throw Object.assign(new Error("over"), { status: 401 }); },
  });
  accept(over.socket);
  await pass(600_000);
  assert.equal(over.api.renewals, 1);
  assert.equal(over.socket.readyState, 3);

  const odd = await topic();
  for (let time = 0; time < 3; time += 1) {
    odd.socket.tell({ type: "error", code: "unauthenticated" });
    await settled();
  }
  assert.equal(odd.api.renewals, 2);
  assert.equal(odd.socket.readyState, 3);
});

test("whoever left is not signed in again by a renewal that was on its way", async () => {
  let fail = null;
  const renew = () => new Promise((_, reject) => { fail = reject; });
  const { api, live, socket } = await topic({ renew });
  accept(socket);
  await pass(571_000);
  live.stop();
  fail(Object.assign(new Error("later"), { status: 503 }));
  await pass(120_000);
  assert.equal(api.renewals, 1);
});

test("the Api knows by its own clock how long its token is good", async () => {
  const api = new Api(() => null);
  const signing = api.signIn("a@b.example", "secret");
  requests.at(-1).answer(200, { access_token: "a", refresh_token: "r", expires_in: 600 });
  await signing;
  assert.equal(api.tokenLeftMs, 600_000);
  clock.pass(45_000);
  assert.equal(api.tokenLeftMs, 555_000);
  const renewing = api.renew();
  requests.at(-1).answer(200, { access_token: "b", refresh_token: "s" });
  await renewing;
  assert.equal(api.tokenLeftMs, 0);
});

test("the Api reads a calendar as the one who is signed in", async () => {
  const api = new Api(() => null);
  const signing = api.signIn("a@b.example", "secret");
  requests.at(-1).answer(200, { access_token: "a", refresh_token: "r", expires_in: 600 });
  await signing;
  const reading = api.calendar("a/b", WINDOW);
  const { url, headers, answer } = requests.at(-1);
  assert.match(url, /\/api\/v1\/properties\/a%2Fb\/calendar\?from=2027-01-01&to=2027-03-01$/);
  assert.equal(headers.authorization, "Bearer a");
  answer(200, { seq: 1 });
  assert.deepEqual(await reading, { seq: 1 });
});

let homes = 0;

/** A calendar that is followed, its feed's socket, and the reads that wait for an answer. */
async function following(side) {
  homes += 1;
  const id = `home-${homes}`;
  const [views, reads] = [[], []];
  const api = {
    token: "t", tokenLeftMs: 600_000,
    calendar: (property, window) => new Promise((resolve, reject) => {
      const answer = (seq, state = "blocked") => resolve({
        property, epoch: "e", seq, ...window, timezone: "UTC", currency: "EUR", digests: {},
        ranges: [{ from: window.from, to: "2027-01-03", state }],
      });
      reads.push({ property, window, answer, reject });
    }),
  };
  const live = followBookings({ api, side, changed: () => null });
  live.watch(id, WINDOW, (view) => views.push(view));
  await settled();
  const feed = sockets.findLast(({ sent }) => sent.some(({ property }) => property === id));
  const topic = sockets.findLast(({ sent }) => sent.some(({ type }) => type === "authenticate"));
  const refuse = (code = "not_found") => feed.tell({ type: "error", code, detail: "No.", ref: id });
  const state = () => views.at(-1).calendar?.nights.get(WINDOW.from).state;
  return { id, live, feed, topic, refuse, views, reads, state };
}

test("a home of one's own that is not listed is read, and said to be refused", async () => {
  const { id, live, refuse, reads, state, views } = await following("host");
  assert.equal(reads.length, 0);
  refuse();
  assert.equal(reads.length, 1);
  assert.deepEqual([reads[0].property, reads[0].window], [id, WINDOW]);
  reads[0].answer(7);
  await settled();
  assert.equal(state(), "blocked");
  assert.equal(views.at(-1).error.code, "not_found");
  assert.equal(views.at(-1).calendar.rules.timezone, "UTC");
  live.stop();
});

test("it is read again after an edit, when bookings change, and when it is still not listed",
  async () => {
    const { id, live, refuse, topic, reads, state } = await following("host");
    refuse();
    reads[0].answer(7, "available");
    await settled();
    live.refresh(id);
    assert.equal(reads.length, 2);
    reads[1].answer(8, "blocked");
    await settled();
    assert.equal(state(), "blocked");
    topic.tell({ type: "booking", id: "b" });
    await pass(1_000);
    assert.equal(reads.length, 3);
    reads[2].answer(9, "booked");
    await settled();
    assert.equal(state(), "booked");
    refuse();
    assert.equal(reads.length, 4);
    assert.equal(state(), "booked", "what is known stays meanwhile");
    reads[3].reject(new Error("offline"));
    await settled();
    assert.equal(state(), "booked");
    live.stop();
  });

test("an answer that was overtaken is not shown, nor one after it is listed or left", async () => {
  const { id, live, feed, refuse, reads, state, views } = await following("host");
  refuse();
  live.refresh(id);
  reads[1].answer(8, "blocked");
  await settled();
  reads[0].answer(7, "available");
  await settled();
  assert.equal(state(), "blocked");

  live.refresh(id);
  feed.tell({
    type: "snapshot", property: id, epoch: "e", seq: 9, ...WINDOW, rules: {}, digests: {},
    ranges: [],
  });
  assert.equal(state(), "available");
  reads[2].answer(8, "blocked");
  await settled();
  assert.equal(state(), "available");
  live.refresh(id);
  assert.equal(reads.length, 3, "a calendar that is live needs no reading");

  refuse();
  const told = views.length;
  live.stop();
  reads[3].answer(9);
  await settled();
  assert.equal(views.length, told);
});

test("a guest reads no calendar that is not listed, and nobody one that is wrongly asked for",
  async () => {
    for (const [side, code] of [["guest", "not_found"], ["host", "invalid_field"]]) {
      const { id, live, refuse, reads } = await following(side);
      refuse(code);
      live.refresh(id);
      assert.equal(reads.length, 0);
      live.stop();
    }
  });
