// Bookings as they change, for the guest or the host who is signed in.
//
// Two sources, because either may be missing: the private topic of the live socket, which carries
// every change of a booking, and the public calendars of the properties concerned, which the
// widget's feed keeps true and which change with their bookings. Whatever is heard only says that
// it is time to read the list again, so nothing shown here was ever put together from fragments.
// The private topic has a socket of its own: the calendars go on when the session ends.

import { feedAt } from "../feed.js";
import * as pulse from "./pulse.js";

const SOCKET = new URL("../../ws", import.meta.url);
SOCKET.protocol = SOCKET.protocol === "https:" ? "wss:" : "ws:";

const READ_AFTER_MS = 150;
const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 30_000;
const RENEW_BEFORE_MS = 30_000;
const MOST_RENEWALS = 2;
const TOKEN_CODES = ["token_expired", "session_ended", "unauthenticated"];

/**
 * Calls `changed` soon after any booking of this side may have changed. `watch(id, window, listen)`
 * of the returned object follows the public calendar of a property as well; `stop()` ends it all.
 */
export function followBookings({ api, side, changed }) {
  const leave = new Map();
  let timer = null;
  let over = false;
  const soon = () => {
    if (over) return;
    clearTimeout(timer);
    timer = setTimeout(changed, READ_AFTER_MS);
  };
  const topic = new Topic(api, side, soon);
  return {
    watch(id, window, listen = () => null) {
      leave.get(id)?.();
      let seq = null;
      leave.set(id, feedAt(SOCKET).watch(id, window, (view) => {
        pulse.report(id, view.error ? "live" : view.live);
        const now = view.calendar?.seq ?? null;
        if (seq !== null && now !== seq) soon();
        seq = now;
        listen(view);
      }));
    },
    watches: (id) => leave.has(id),
    stop() {
      over = true;
      clearTimeout(timer);
      topic.stop();
      for (const end of leave.values()) end();
    },
  };
}

class Topic {
  #api;
  #side;
  #changed;
  #socket = null;
  #timers = {};
  #failures = 0;
  #renewals = 0;

  constructor(api, side, changed) {
    this.#api = api;
    this.#side = side;
    this.#changed = changed;
    this.#connect();
  }

  stop() {
    Object.values(this.#timers).forEach(clearTimeout);
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
  }

  #connect() {
    const socket = new WebSocket(SOCKET);
    this.#socket = socket;
    socket.onopen = () => this.#say({ type: "authenticate", token: this.#api.token });
    socket.onmessage = ({ data }) => this.#socket === socket && this.#hear(JSON.parse(data));
    socket.onclose = () => this.#socket === socket && this.#again();
  }

  #say(frame) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(frame));
  }

  #hear(frame) {
    if (frame.type === "authenticated") {
      this.#say({ type: "subscribe_bookings", as: this.#side });
      this.#renewBefore(frame.expires_at);
    } else if (frame.type === "bookings") {
      this.#failures = 0;
      this.#renewals = 0;
      this.#changed();
    } else if (frame.type === "booking") {
      this.#changed();
    } else if (TOKEN_CODES.includes(frame.code) && this.#renewals < MOST_RENEWALS) {
      this.#renewals += 1;
      this.#renew();
    } else if (frame.type === "error") {
      // A server that does not know the topic: the public calendars have to do.
      this.stop();
    }
  }

  // A token is renewed while it is still good, so that the topic has no gap.
  #renewBefore(expiresAt) {
    clearTimeout(this.#timers.renew);
    if (!expiresAt) return;
    const wait = Math.max(Date.parse(expiresAt) - Date.now() - RENEW_BEFORE_MS, 1_000);
    this.#timers.renew = setTimeout(() => this.#renew(), wait);
  }

  async #renew() {
    const socket = this.#socket;
    try {
      await this.#api.renew();
      if (this.#socket === socket) this.#say({ type: "authenticate", token: this.#api.token });
    } catch {
      // The next request finds out that the session is over, and says so.
      this.stop();
    }
  }

  #again() {
    this.#failures += 1;
    const ceiling = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** (this.#failures - 1));
    this.#timers.retry = setTimeout(() => this.#connect(), ceiling * (0.5 + Math.random() / 2));
  }
}
