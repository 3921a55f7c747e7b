// The way to a payment page and back: addresses, and the session that waits in the tab.

import assert from "node:assert/strict";
import { test } from "node:test";
import { settled } from "./clock.js";
import { clock, requests } from "./page.js";

const { arrival, isWebAddress, wayBack } = await import("../demo/stay/away.js");
const { Session } = await import("../demo/session.js");

const at = (url) => {
  const { pathname, search, hash } = new URL(url, "https://stay.example");
  return arrival({ pathname, search, hash });
};

test("all that a provider adds to an address goes, and the rest stays", () => {
  const added = "payment_intent=pi_1&payment_intent_client_secret=pi_1_secret_2"
    + "&redirect_status=succeeded";
  for (const [url, booking, cameBack, address] of [
    [`/trips?booking=b1&${added}`, "b1", true, "/trips?booking=b1"],
    [`/trips?${added}&booking=b%2F1`, "b/1", true, "/trips?booking=b%2F1"],
    [`/trips?booking=b1&redirect_pm_type=card&source_type=card&${added}#top`, "b1", true,
      "/trips?booking=b1#top"],
    [`/trips?${added}`, null, true, "/trips"],
    ["/trips?booking=b1", "b1", false, "/trips?booking=b1"],
    ["/trips", null, false, "/trips"],
    ["/trips?payment_intentions=1", null, false, "/trips?payment_intentions=1"],
  ]) {
    assert.deepEqual(at(url), { booking, cameBack, address });
  }
});

test("the way back names the booking and survives whatever is in its id", () => {
  const url = wayBack("https://stay.example", "a&b=c#d");
  assert.deepEqual(at(url).booking, "a&b=c#d");
  assert.equal(new URL(url).pathname, "/trips");
});

test("a browser is only ever sent to web addresses", () => {
  for (const url of ["https://pay.example/x", "http://127.0.0.1:12111/pay/pi_1"]) {
    assert.ok(isWebAddress(url));
  }
  for (const url of ["javascript:alert(1)", "data:text/html,x", "/pay", "", undefined]) {
    assert.ok(!isWebAddress(url), String(url));
  }
});

const kept = new Map();
globalThis.sessionStorage = {
  getItem: (name) => kept.get(name) ?? null,
  setItem: (name, value) => kept.set(name, String(value)),
  removeItem: (name) => kept.delete(name),
};
const places = [];
globalThis.location = { assign: (url) => places.push(url) };

async function signedIn() {
  const session = new Session();
  const entering = session.signIn({ email: "a@b.example", password: "secret" });
  requests.at(-1).answer(200, { access_token: "a", refresh_token: "r1", expires_in: 600 });
  await settled();
  requests.at(-1).answer(200, { id: "u", first_name: "Ada" });
  await entering;
  return session;
}

/** Comes back in a new document; `answer` says how the exchange of the token ends. */
async function comeBack(answer) {
  const session = new Session();
  const coming = session.comeBack();
  await settled();
  answer?.(requests.at(-1));
  await settled();
  if (session.api.token) requests.at(-1).answer(200, { id: "u", first_name: "Ada" });
  await coming;
  return session;
}

test("who goes to a payment page is still signed in afterwards, and leaves nothing behind",
  async () => {
    const session = await signedIn();
    session.leaveFor("https://pay.example/pi_1");
    assert.equal(places.at(-1), "https://pay.example/pi_1");
    assert.ok(session.isAway);
    await assert.rejects(session.api.renew(), { status: 401 }, "the token is used in one place");

    const back = await comeBack((request) => {
      assert.equal(request.body.refresh_token, "r1");
      request.answer(200, { access_token: "b", refresh_token: "r2", expires_in: 600 });
    });
    assert.equal(back.user.first_name, "Ada");
    assert.equal(kept.size, 0);
  });

test("a session that ended meanwhile says so; one without an answer can be taken up again",
  async () => {
    (await signedIn()).leaveFor("https://pay.example/pi_1");
    const offline = await comeBack((request) => request.answer(503, { code: "unavailable" }));
    assert.deepEqual([offline.user, offline.ended, offline.isAway], [null, false, true]);
    const over = await comeBack((request) => request.answer(401, { code: "unauthenticated" }));
    assert.deepEqual([over.user, over.ended, over.isAway], [null, true, false]);
  });

test("who comes back after an hour, or was not signed in, is nobody", async () => {
  (await signedIn()).leaveFor("https://pay.example/pi_1");
  clock.pass(3_600_000);
  const asked = requests.length;
  const late = await comeBack();
  assert.deepEqual([late.user, late.isAway, requests.length], [null, false, asked]);
  new Session().leaveFor("https://pay.example/pi_2");
  assert.equal(kept.size, 0);
  for (const odd of ["{", "null", "[]", '{"token":"r1"}']) {
    sessionStorage.setItem("vacancy.away", odd);
    assert.deepEqual([(await comeBack()).user, kept.size], [null, 0], odd);
  }
});
