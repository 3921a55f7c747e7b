// Bookings and calendars as they change, for the guest or the host who is signed in.
//
// Two sources, because either may be missing: the private topic of the live socket, which carries
// every change of a booking or a payment, and the public calendars of the properties concerned,
// which the widget's feed keeps true and which change with their bookings. Whatever is heard only
// says that it is time to read the list again, so nothing shown here was ever put together from
// fragments.
// The private topic has a socket of its own: the calendars go on when the session ends.

import { fromSnapshot } from "../calendar.js";
import { feedAt, retryDelayMs } from "../feed.js";
import * as pulse from "./pulse.js";

const SOCKET = new URL("../../ws", import.meta.url);
SOCKET.protocol = SOCKET.protocol === "https:" ? "wss:" : "ws:";

const READ_AFTER_MS = 150;
const RENEW_BEFORE_MS = 30_000;
const RENEW_AFTER_MS = 60_000;
const MOST_RENEWALS = 2;
const TOKEN_CODES = ["token_expired", "session_ended", "unauthenticated"];

/**
 * Calls `changed` soon after any booking of this side, or a payment for one, may have changed.
 * `watch(id, window, listen)` of the returned object follows the calendar of a property as well,
 * `refresh(id)` says that one's own edit may have changed it, `isTold` whether the server tells of
 * changes at present, and `stop()` ends it all.
 */
export function followBookings({ api, side, changed }) {
  const followed = new Map();
  let timer = null;
  let over = false;
  const soon = () => {
    if (over) return;
    clearTimeout(timer);
    timer = setTimeout(() => {
      for (const calendar of followed.values()) calendar.refresh();
      changed();
    }, READ_AFTER_MS);
  };
  const topic = new Topic(api, side, soon);
  return {
    watch(id, window, listen = () => null) {
      followed.get(id)?.leave();
      const reader = side === "host" ? api : null;
      followed.set(id, new Calendar({ id, window, reader, listen, changed: soon }));
    },
    watches: (id) => followed.has(id),
    refresh: (id) => followed.get(id)?.refresh(),
    get isTold() {
      return topic.isTold;
    },
    stop() {
      over = true;
      clearTimeout(timer);
      topic.stop();
      for (const calendar of followed.values()) calendar.leave();
    },
  };
}

// The calendar of one property, as the feed tells it. The feed is anonymous and knows nothing of a
// home that is not listed; its host reads it instead, each time that there may be something new.
class Calendar {
  #facts;
  #leave;
  #view = null;
  #own = null;
  #seq = null;
  #reads = 0;

  /** `reader` is the Api of the property's host, or null for anybody else. */
  constructor(facts) {
    this.#facts = facts;
    const { id, window } = facts;
    this.#leave = feedAt(SOCKET).watch(id, window, (view) => this.#hear(view));
  }

  leave() {
    this.#reads += 1;
    this.#leave();
  }

  /** Reads it again where nobody tells of it. What was read last stays when that fails. */
  async refresh() {
    const { id, window, reader } = this.#facts;
    if (!reader || this.#view.error?.code !== "not_found") return;
    this.#reads += 1;
    const read = this.#reads;
    const frame = await reader.calendar(id, window).catch(() => null);
    if (!frame || read !== this.#reads) return;
    const { timezone, currency } = frame;
    this.#own = fromSnapshot({ ...frame, rules: { timezone, currency } });
    this.#tell();
  }

  #hear(view) {
    const { id, changed } = this.#facts;
    const { calendar, error, live } = view;
    pulse.report(id, error ? null : live);
    const seq = calendar?.seq ?? null;
    if (this.#seq !== null && seq !== this.#seq) changed();
    this.#seq = seq;
    this.#view = view;
    this.#reads += 1;
    if (!error) this.#own = null;
    this.#tell();
    this.refresh();
  }

  #tell() {
    this.#facts.listen({ ...this.#view, calendar: this.#own ?? this.#view.calendar });
  }
}

class Topic {
  #api;
  #side;
  #changed;
  #socket = null;
  #timers = {};
  #failures = 0;
  #renewals = 0;
  #refusals = 0;
  /** Whether the server has begun to tell, and its socket is still there. */
  isTold = false;

  constructor(api, side, changed) {
    this.#api = api;
    this.#side = side;
    this.#changed = changed;
    this.#connect();
  }

  stop() {
    Object.values(this.#timers).forEach(clearTimeout);
    this.isTold = false;
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
  }

  #connect() {
    const socket = new WebSocket(SOCKET);
    this.#socket = socket;
    socket.onopen = () => this.#authenticate();
    socket.onmessage = ({ data }) => this.#socket === socket && this.#hear(JSON.parse(data));
    socket.onclose = () => this.#socket === socket && this.#again();
  }

  #authenticate() {
    this.#say({ type: "authenticate", token: this.#api.token });
  }

  #say(frame) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(frame));
  }

  #hear(frame) {
    if (frame.type === "authenticated") {
      this.#say({ type: "subscribe_bookings", as: this.#side });
      this.#renewInTime();
    } else if (frame.type === "bookings") {
      this.#failures = 0;
      this.#renewals = 0;
      this.isTold = true;
      this.#changed();
    } else if (frame.type === "booking" || frame.type === "payment") {
      this.#changed();
    } else if (TOKEN_CODES.includes(frame.code) && this.#renewals < MOST_RENEWALS) {
      this.#renew();
    } else if (frame.type === "error") {
      // A server that does not know the topic: the public calendars have to do.
      this.stop();
    }
  }

  // A token is renewed while it is still good, so that the topic has no gap. The Api knows how long
  // that is whatever this device takes for the time; should it be wrong, the floor keeps it calm.
  #renewInTime() {
    const waitMs = Math.max(this.#api.tokenLeftMs - RENEW_BEFORE_MS, RENEW_AFTER_MS);
    this.#renewIn(waitMs);
  }

  #renewIn(waitMs) {
    clearTimeout(this.#timers.renew);
    this.#timers.renew = setTimeout(() => this.#renew(), waitMs);
  }

  async #renew() {
    try {
      await this.#api.renew();
    } catch (problem) {
      if (this.#socket === null) return;
      // The next request finds out that the session is over, and says so.
      if (problem.status === 401) return this.stop();
      this.#refusals += 1;
      return this.#renewIn(retryDelayMs(this.#refusals, Math.random));
    }
    this.#refusals = 0;
    this.#renewals += 1;
    this.#authenticate();
  }

  #again() {
    this.isTold = false;
    this.#failures += 1;
    const waitMs = retryDelayMs(this.#failures, Math.random);
    this.#timers.retry = setTimeout(() => this.#connect(), waitMs);
  }
}
