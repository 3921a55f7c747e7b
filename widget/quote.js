// Where an element's server is, what the chosen stay costs there, and where it is booked.
//
// The server is the one that this module came from, unless the attribute `server` names another.
// Only http and https are ever linked or asked. Prices come from `POST /api/v1/quotes`, without
// credentials.

import { BROWSER } from "./feed.js";

const QUIET_MS = 250;
const SPREAD_MS = 2_000;
const LONGEST_WAIT_MS = 10_000;
const ANSWER_WITHIN_MS = 10_000;
const BUSY = [429, 503];
const HERE = new URL("..", import.meta.url);

/** The id of an element's property as the server writes it, which is in small letters. */
export function propertyOf(element) {
  return String(element.getAttribute("property")).toLowerCase();
}

/** `{socket, quotes, home}`: where to follow, to ask for prices, and to look at a property. */
export function serverOf(element) {
  const base = addressIn(element.getAttribute("server")) ?? HERE;
  const folder = base.pathname.replace(/\/*$/, "/");
  const below = (path) => new URL(folder + path, base.origin);
  const socket = below("ws");
  socket.protocol = socket.protocol === "https:" ? "wss:" : "ws:";
  return {
    socket,
    quotes: below("api/v1/quotes"),
    home: below(`stay/${encodeURIComponent(propertyOf(element))}`),
  };
}

/** Where a stay is booked: on the server's page of the property, or where `book-url` says. */
export function stayAt(element, { check_in, check_out, guests }) {
  const address = addressIn(element.getAttribute("book-url")) ?? serverOf(element).home;
  for (const [name, value] of Object.entries({ check_in, check_out, guests })) {
    address.searchParams.set(name, value);
  }
  return address.href;
}

function addressIn(text) {
  if (!text || !URL.canParse(text, document.baseURI)) return null;
  const address = new URL(text, document.baseURI);
  return ["http:", "https:"].includes(address.protocol) ? address : null;
}

/**
 * Asks for prices, one request at a time: when it is answered, the newest wish follows, if it is
 * another one. The listener hears `null` (nothing is wished for), or `{status}` with `asking`;
 * `shown` {total, currency}; `refused` {reasons} as in the problem document; `failed` {detail?}.
 * Answers to former wishes are not told.
 */
export class Quotes {
  #tell;
  #world;
  #wish = null;
  #timer = null;
  #busy = false;

  constructor(tell, world = BROWSER) {
    this.#tell = tell;
    this.#world = world;
  }

  /**
   * Wishes for the price of `stay` (the body of the request), or for none where it is null. It is
   * asked for once the reader has been still for a moment.
   */
  ask(url, stay) {
    this.#world.cancel(this.#timer);
    this.#wish = stay && { url, stay };
    if (stay) this.#sendIn(QUIET_MS);
    this.#tell(stay && { status: "asking" });
  }

  /**
   * Wishes for the same once more, because the calendar changed. All who look at it wish that in
   * the same moment, so it is spread; and what is about to be asked for anyway need not wait.
   */
  askAgain() {
    if (!this.#wish) return;
    this.#wish = { ...this.#wish, isRepeated: false };
    if (this.#timer === null) this.#sendIn(SPREAD_MS * this.#world.random());
    this.#tell({ status: "asking" });
  }

  #sendIn(delayMs) {
    this.#timer = this.#world.later(() => {
      this.#timer = null;
      this.#send();
    }, delayMs);
  }

  async #send() {
    const wish = this.#wish;
    if (this.#busy || !wish) return;
    this.#busy = true;
    const { answer, waitMs } = await this.#answerTo(wish);
    this.#busy = false;
    if (wish !== this.#wish) {
      if (this.#timer === null) this.#send();
    } else if (waitMs <= LONGEST_WAIT_MS && !wish.isRepeated) {
      // A server that is busy says when to come back, and only the second time is a failure.
      wish.isRepeated = true;
      this.#sendIn(waitMs + SPREAD_MS * this.#world.random());
    } else {
      this.#tell(answer);
    }
  }

  async #answerTo({ url, stay }) {
    let waitMs;
    try {
      const response = await this.#world.fetch(url, {
        method: "POST",
        credentials: "omit",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(stay),
        signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
      });
      const { ok, status, headers } = response;
      if (BUSY.includes(status)) waitMs = headers.get("Retry-After") * 1_000;
      const { total_amount: total, currency, reasons, detail } = await response.json();
      if (ok) return { answer: { status: "shown", total, currency } };
      const isRefused = Array.isArray(reasons) && reasons.length > 0;
      const answer = isRefused ? { status: "refused", reasons } : { status: "failed", detail };
      return { answer, waitMs };
    } catch {
      return { answer: { status: "failed" }, waitMs };
    }
  }
}
