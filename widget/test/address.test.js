// Addresses: which server is asked, and that nothing but http and https is ever linked.

import assert from "node:assert/strict";
import { test } from "node:test";
import { propertyOf, serverOf, stayAt } from "../quote.js";

globalThis.document = { baseURI: "https://host.example/house/" };

const element = (attributes) => ({ getAttribute: (name) => attributes[name] ?? null });
const stay = { check_in: "2027-03-01", check_out: "2027-03-03", guests: 2 };
const query = "check_in=2027-03-01&check_out=2027-03-03&guests=2";

test("the attribute names the server, also one that lies in a folder", () => {
  for (const server of ["https://stay.example/at/", "https://stay.example/at?x#y"]) {
    const { socket, quotes, home } = serverOf(element({ server, property: "a/b" }));
    assert.equal(socket.href, "wss://stay.example/at/ws");
    assert.equal(quotes.href, "https://stay.example/at/api/v1/quotes");
    assert.equal(home.href, "https://stay.example/at/stay/a%2Fb");
  }
  assert.equal(serverOf(element({ server: "http://stay.example" })).socket.href,
    "ws://stay.example/ws");
});

test("an id in capital letters is the same property", () => {
  const big = element({ server: "https://stay.example", property: "0192F7A0-7A1C" });
  assert.equal(propertyOf(big), "0192f7a0-7a1c");
  assert.equal(serverOf(big).home.href, "https://stay.example/stay/0192f7a0-7a1c");
});

test("a stay is booked on the server's page, or where the page says", () => {
  const server = "https://stay.example";
  const rows = [
    [undefined, `https://stay.example/stay/p?${query}`],
    ["book?from=widget", `https://host.example/house/book?from=widget&${query}`],
    ["https://other.example/#now", `https://other.example/?${query}#now`],
    ["javascript:alert(1)", `https://stay.example/stay/p?${query}`],
    ["data:text/html,x", `https://stay.example/stay/p?${query}`],
    ["https://", `https://stay.example/stay/p?${query}`],
  ];
  for (const [book, address] of rows) {
    assert.equal(stayAt(element({ server, property: "p", "book-url": book }), stay), address);
  }
});
