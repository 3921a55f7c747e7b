// The element as a page meets it, from its attributes to what it asks, shows and tells.

import assert from "node:assert/strict";
import { test } from "node:test";
import { addDays, todayIn } from "../dates.js";
import { settled } from "./clock.js";
import { calendarWith, clock, hub, requests, sockets, takeAway } from "./page.js";

await import("../vacancy-calendar.js");

const TODAY = todayIn("UTC", Date.now());
const day = (from_now) => addDays(TODAY, from_now);
const RULES = { timezone: "UTC", currency: "EUR", min_nights: 1 };

let homes = 0;

/** A calendar of a home of its own, and what its server hears and says. */
async function stage(property) {
  homes += 1;
  const id = property ?? `0192f7a0-7a1c-7c3e-9a54-${String(homes).padStart(12, "0")}`;
  const server = `https://s${homes}.example/`;
  // With two months, the days that tests look at are in view on every day of the year.
  const calendar = calendarWith({ property: id, server, months: "2" });
  await settled();
  const socket = sockets.at(-1);
  const [{ property: asked, from, to }] = socket.sent;
  const snapshot = (seq, ranges = []) => socket.tell({
    type: "snapshot", property: asked, epoch: "e", seq, from, to, rules: RULES, digests: {},
    ranges: [{ from, to, state: "available", price: 10_000 }, ...ranges],
  });
  const refuse = (code) => socket.tell({ type: "error", code, detail: "Because.", ref: asked });
  const text = (part) => calendar.shadowRoot
    .all(({ className }) => className === part)[0]?.textContent;
  const night = (date) => calendar.shadowRoot.all(({ dataset }) => dataset.date === date)[0];
  const prices = () => requests.filter(({ url }) => url.startsWith(server));
  return { calendar, id, server, socket, asked, snapshot, refuse, text, night, prices };
}

test("a calendar becomes live and says what its nights are", async () => {
  const { calendar, snapshot, night, text } = await stage();
  assert.equal(calendar.dataset.live, "connecting");
  snapshot(5, [{ from: TODAY, to: day(1), state: "booked" }]);
  await settled();
  assert.equal(calendar.dataset.live, "live");
  assert.equal(calendar.dataset.seq, "5");
  assert.equal(night(TODAY).dataset.state, "booked");
  assert.equal(text("status"), "Choose a check-in date");
  takeAway(calendar);
});

test("an id in capital letters is followed, priced and linked in small ones", async () => {
  const property = "0192F7A0-7A1C-7C3E-9A54-ABCDEFABCDEF";
  const { calendar, asked, snapshot, prices } = await stage(property);
  assert.equal(asked, property.toLowerCase());
  snapshot(5);
  await settled();
  assert.equal(calendar.dataset.live, "live");
  assert.equal(calendar.select(day(2), day(4)), true);
  clock.pass(250);
  assert.equal(prices()[0].body.property_id, property.toLowerCase());
  await settled();
  const book = calendar.shadowRoot.all(({ className }) => className.startsWith("book"))[0];
  assert.match(book.getAttribute("href"), /stay\/0192f7a0-7a1c-7c3e-9a54-abcdefabcdef\?/);
  takeAway(calendar);
});

test("a stay can be chosen as soon as the calendar is told of, before it is painted", async () => {
  const { calendar, snapshot, id, server } = await stage();
  snapshot(5);
  await settled();
  const second = calendarWith({});
  const chosen = [];
  second.addEventListener("vacancy-change", () => chosen.push(second.select(day(40), day(42))));
  second.setAttribute("server", server);
  second.setAttribute("property", id);
  await settled();
  assert.equal(chosen[0], true);
  assert.equal(second.selection.nights, 2);
  takeAway(second);
  takeAway(calendar);
});

test("a calendar that was there and is refused cannot be chosen from", async () => {
  const { calendar, snapshot, refuse, night, text } = await stage();
  snapshot(5);
  calendar.select(day(2), day(4));
  const [told, heard] = [[], []];
  calendar.addEventListener("vacancy-select", ({ detail }) => told.push(detail));
  calendar.addEventListener("vacancy-change", ({ detail }) => heard.push(detail));
  refuse("not_found");
  await settled();
  assert.equal(calendar.dataset.error, "not_found");
  assert.notEqual(calendar.dataset.live, "live");
  assert.equal(text("status"), "This calendar is not available");
  assert.deepEqual(told, [{ check_in: null, check_out: null, nights: 0, taken: false }]);
  assert.equal(night(day(2)).getAttribute("aria-disabled"), "true");
  assert.equal(calendar.select(day(2), day(4)), false);
  snapshot(6);
  await settled();
  assert.deepEqual(heard.map(({ seq, live, error }) => [seq, live, error]),
    [[null, "connecting", "not_found"], [6, "live", null]]);
  assert.equal(calendar.dataset.live, "live");
  assert.equal(calendar.dataset.error, undefined);
  assert.equal(calendar.select(day(2), day(4)), true);
  takeAway(calendar);
});

/** What a mouse does at a night of the calendar. */
function point(calendar, type, night) {
  const [months] = calendar.shadowRoot.all(({ className }) => className === "months");
  const event = Object.assign(new Event(type), { isPrimary: true, button: 0 });
  months.dispatchEvent(Object.defineProperty(event, "target", { value: night }));
}

test("a drag that leads nowhere gives back the stay before it, unless that is gone", async () => {
  for (const isGone of [false, true]) {
    const { calendar, snapshot, socket, asked, night } = await stage();
    snapshot(5, [{ from: day(5), to: day(6), state: "booked" }]);
    calendar.select(day(2), day(4));
    await settled();
    point(calendar, "pointerdown", night(day(3)));
    point(calendar, "pointerover", night(day(4)));
    assert.deepEqual(calendar.selection, { check_in: day(3), check_out: null, nights: 0 });
    if (isGone) {
      socket.tell({
        type: "delta", property: asked, epoch: "e", prev_seq: 5, seq: 6, digests: {},
        changes: [{ from: day(2), to: day(4), state: "held" }],
      });
    }
    hub.dispatchEvent(new Event("pointercancel"));
    const kept = { check_in: day(2), check_out: day(4), nights: 2 };
    const none = { check_in: null, check_out: null, nights: 0 };
    assert.deepEqual(calendar.selection, isGone ? none : kept);
    takeAway(calendar);
  }
});

test("a calendar that cannot be read for a moment keeps the stay that was chosen", async () => {
  const { calendar, snapshot, refuse } = await stage();
  snapshot(5);
  calendar.select(day(2), day(4));
  refuse("unavailable");
  await settled();
  assert.equal(calendar.dataset.live, "reconnecting");
  assert.equal(calendar.dataset.error, undefined);
  assert.equal(calendar.selection.nights, 2);
  takeAway(calendar);
});

test("a change by the host asks for the price again at some time, a choice of the reader at once",
  async () => {
    const { calendar, snapshot, socket, asked, prices } = await stage();
    snapshot(5);
    calendar.select(day(2), day(4));
    clock.pass(250);
    assert.equal(prices().length, 1);
    prices()[0].answer(201, { total_amount: 20_000, currency: "EUR" });
    await settled();
    assert.equal(calendar.dataset.quote, "shown");
    clock.chance = 0.9;
    socket.tell({
      type: "delta", property: asked, epoch: "e", prev_seq: 5, seq: 6, digests: {},
      changes: [{ from: day(2), to: day(3), price: 12_000 }],
    });
    await settled();
    assert.equal(calendar.dataset.quote, "asking");
    clock.pass(1_799);
    assert.equal(prices().length, 1);
    clock.pass(1);
    assert.equal(prices().length, 2);
    clock.chance = 0.5;
    takeAway(calendar);
  });

test("a step that does not concern the stay asks for no price", async () => {
  const { calendar, snapshot, socket, asked, prices } = await stage();
  snapshot(5);
  calendar.select(day(2), day(4));
  clock.pass(250);
  prices()[0].answer(201, { total_amount: 20_000, currency: "EUR" });
  await settled();
  socket.tell({
    type: "delta", property: asked, epoch: "e", prev_seq: 5, seq: 6, digests: {},
    changes: [{ from: day(9), to: day(12), state: "booked" }],
  });
  await settled();
  assert.equal(calendar.dataset.quote, "shown");
  takeAway(calendar);
});
