// One WebSocket per server, shared by all calendars of a page, that keeps each of them true.
//
// `watch` hands a listener the folded calendar of one property whenever it changes, with `live`
// saying how far to trust it: `connecting` before the first snapshot, `live` while every event up
// to now is known to be folded, `reconnecting` at any doubt. Doubts are a closed or silent socket,
// a server that cannot read the calendar just now, a hole in the numbering (heals by resuming from
// the last seq), and a digest or an epoch that differs (heals by a new snapshot). A calendar that
// is in doubt stays visible, since the last known truth is more useful than an empty page. One
// that is refused does not: `error` says why, and it comes back by itself once it is listed.
//
// The socket, the timers and the randomness are parameters, so that tests need no network.

import { agrees, fold, fromSnapshot } from "./calendar.js";

const SILENCE_BEFORE_PING_MS = 25_000;
const ANSWER_WITHIN_MS = 10_000;
const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 30_000;
const LISTED_AGAIN_MS = 60_000;
const NUDGED_AGAIN_MS = 5_000;
const RESET_SPREAD_MS = 250;
const STEADY_MS = 60_000;
const RESUMES_BEFORE_SNAPSHOT = 2;
const LINGER_MS = 1_000;
const OPEN = 1;

const feeds = new Map();

/** The feed of the server whose WebSocket is at `url`, the same one for every caller. */
export function feedAt(url) {
  const key = String(url);
  if (!feeds.has(key)) feeds.set(key, wokenByTheBrowser(new Feed(key)));
  return feeds.get(key);
}

// A socket does not notice that a laptop slept or changed networks; the browser does. Being
// offline is only a hint too: a server on this very machine can still be reached.
function wokenByTheBrowser(feed) {
  for (const type of ["online", "offline"]) addEventListener(type, () => feed.nudge());
  document.addEventListener("visibilitychange", () => document.hidden || feed.nudge());
  return feed;
}

/**
 * The wait before try number `failures` (from 1): doubling, capped, and spread over its upper half
 * so that the readers of a restarted server do not all come back in one instant.
 */
export function retryDelayMs(failures, random) {
  return spread(Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** (failures - 1)), random);
}

function spread(ceilingMs, random) {
  return ceilingMs * (0.5 + 0.5 * random());
}

/** What is outside of the widget, where no test stands in for it. */
export const BROWSER = {
  connect: (url) => new WebSocket(url),
  fetch: (url, options) => fetch(url, options),
  later: (action, delayMs) => setTimeout(action, delayMs),
  cancel: (timer) => clearTimeout(timer),
  random: Math.random,
};

export class Feed {
  #url;
  #world;
  #socket = null;
  #subscriptions = new Map();
  #failures = 0;
  #retry = { timer: null };
  #silence = { timer: null };
  #nudged = { timer: null };
  #probed = false;

  constructor(url, world = BROWSER) {
    this.#url = url;
    this.#world = world;
  }

  /**
   * Follows `property` over the window `[from, to)` until the returned function is called.
   * The listener gets `{calendar, live, error, changes}`, at once and after every change.
   */
  watch(property, { from, to }, listener) {
    let subscription = this.#subscriptions.get(property);
    if (!subscription) {
      subscription = {
        property, from, to, calendar: null, error: null, listeners: new Set(),
        awaited: true, goal: 0, doubts: 0, fresh: false, waits: false, timer: null,
      };
      this.#subscriptions.set(property, subscription);
      this.#ask(subscription);
    } else if (from < subscription.from || to > subscription.to) {
      if (from < subscription.from) subscription.from = from;
      if (to > subscription.to) subscription.to = to;
      subscription.fresh = true;
      this.#ask(subscription);
    }
    subscription.listeners.add(listener);
    listener(viewOf(subscription, []));
    this.#connect();
    return () => this.#leave(subscription, listener);
  }

  /**
   * Something outside changed: retries at once when waiting, else asks the server for a sign, and
   * again for what is waiting to be asked for. While a sign is awaited nothing happens, so that a
   * dead connection is found out in time however often tabs change.
   */
  nudge() {
    if (this.#retry.timer !== null) {
      this.#wait(this.#retry);
      this.#connect();
    } else if (this.#socket?.readyState === OPEN && !this.#probed) {
      this.#probe();
      this.#askWaiting();
    }
  }

  #askWaiting() {
    if (this.#nudged.timer !== null) return;
    this.#wait(this.#nudged, NUDGED_AGAIN_MS);
    for (const subscription of this.#subscriptions.values()) {
      if (subscription.waits) this.#ask(subscription);
    }
  }

  #leave(subscription, listener) {
    subscription.listeners.delete(listener);
    if (subscription.listeners.size > 0) return;
    this.#wait(subscription);
    this.#subscriptions.delete(subscription.property);
    this.#send({ type: "unsubscribe", property: subscription.property });
    // An element that is moved within its page leaves and comes back in the same moment.
    this.#world.later(() => this.#subscriptions.size === 0 && this.#drop(), LINGER_MS);
  }

  #connect() {
    if (this.#socket || this.#retry.timer !== null || this.#subscriptions.size === 0) return;
    const socket = this.#world.connect(this.#url);
    this.#socket = socket;
    this.#wait(this.#silence, ANSWER_WITHIN_MS, () => this.#drop());
    socket.onopen = () => {
      this.#heard();
      for (const subscription of this.#subscriptions.values()) this.#ask(subscription);
    };
    socket.onmessage = ({ data }) => {
      this.#heard();
      this.#receive(data);
    };
    socket.onclose = (event) => this.#drop(retryHintMs(event));
  }

  // A dead peer never completes the closing handshake, so the socket is let go without waiting.
  #drop(hintMs = 0) {
    const socket = this.#socket;
    if (!socket) return;
    this.#socket = null;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
    this.#wait(this.#silence);
    for (const subscription of this.#subscriptions.values()) {
      this.#wait(subscription);
      subscription.awaited = true;
      tell(subscription, []);
    }
    if (this.#subscriptions.size === 0) return;
    this.#failures += 1;
    const delayMs = hintMs + retryDelayMs(this.#failures, this.#world.random);
    this.#wait(this.#retry, delayMs, () => this.#connect());
  }

  #heard() {
    this.#probed = false;
    this.#wait(this.#silence, SILENCE_BEFORE_PING_MS, () => this.#probe());
  }

  // The server's own pings are invisible to scripts; without a question of ours a connection that
  // died quietly would look alive for ever.
  #probe() {
    this.#probed = true;
    this.#send({ type: "ping" });
    this.#wait(this.#silence, ANSWER_WITHIN_MS, () => this.#drop());
  }

  // Whoever waits has one timer at a time, and none where no delay is given.
  #wait(who, delayMs, then) {
    this.#world.cancel(who.timer);
    who.timer = delayMs === undefined ? null : this.#world.later(() => {
      who.timer = null;
      then?.();
    }, delayMs);
  }

  #send(frame) {
    if (this.#socket?.readyState === OPEN) this.#socket.send(JSON.stringify(frame));
  }

  #ask(subscription) {
    const { property, from, to, calendar, fresh } = subscription;
    subscription.awaited = true;
    subscription.waits = false;
    if (this.#socket?.readyState !== OPEN) return;
    const after = calendar && !fresh ? { epoch: calendar.epoch, seq: calendar.seq } : undefined;
    this.#send({ type: "subscribe", property, from, to, after });
    this.#wait(subscription, ANSWER_WITHIN_MS, () => this.#doubt(subscription, true));
  }

  // The first doubt is cleared up at once; one that comes back waits longer each time, so that a
  // server and a widget that disagree for good do not keep each other busy.
  #doubt(subscription, fresh) {
    const { random } = this.#world;
    const { doubts } = subscription;
    subscription.doubts += 1;
    subscription.fresh ||= fresh || doubts >= RESUMES_BEFORE_SNAPSHOT;
    this.#askIn(subscription, doubts === 0 ? 0 : retryDelayMs(doubts, random));
  }

  // Until it is asked again, and answered, the calendar is not known to be true.
  #askIn(subscription, delayMs) {
    subscription.awaited = true;
    if (delayMs > 0) {
      subscription.waits = true;
      this.#wait(subscription, delayMs, () => this.#ask(subscription));
    } else {
      this.#ask(subscription);
    }
    tell(subscription, []);
  }

  #receive(data) {
    let frame;
    try {
      frame = JSON.parse(data);
    } catch {
      this.#drop();
      return;
    }
    const subscription = this.#subscriptions.get(frame.property ?? frame.ref);
    if (!subscription) return;
    if (frame.type === "snapshot") this.#snapshot(subscription, frame);
    else if (frame.type === "resumed") this.#resumed(subscription, frame);
    else if (frame.type === "delta") this.#delta(subscription, frame);
    else if (frame.type === "error") this.#refused(subscription, frame);
  }

  #snapshot(subscription, frame) {
    const calendar = fromSnapshot(frame);
    if (!agrees(calendar, frame.digests)) return this.#doubt(subscription, true);
    subscription.calendar = calendar;
    subscription.fresh = false;
    this.#answered(subscription, calendar.seq);
    tell(subscription, frame.ranges);
  }

  #resumed(subscription, frame) {
    if (frame.epoch !== subscription.calendar?.epoch) return this.#doubt(subscription, true);
    this.#answered(subscription, frame.seq);
    tell(subscription, []);
  }

  #answered(subscription, goal) {
    this.#failures = 0;
    subscription.error = null;
    subscription.awaited = false;
    subscription.goal = goal;
    if (!isLive(subscription)) return;
    // What has been agreed on for a while is beyond the doubts there were. That a snapshot agrees
    // is not enough: the next delta may be what the two sides disagree on, each time anew.
    this.#wait(subscription, STEADY_MS, () => { subscription.doubts = 0; });
  }

  // Until the answer to a question has come, deltas still belong to what was before it: they are
  // contained in the answer or follow it once more.
  #delta(subscription, frame) {
    if (subscription.awaited) return;
    const { verdict, calendar } = fold(subscription.calendar, frame);
    if (verdict === "known") return;
    if (verdict === "reset") {
      // A host who changes rules raises no doubt. All readers hear of it in the same moment, and
      // those of a host who changes one thing after another ask once for what came together.
      subscription.fresh = true;
      return this.#askIn(subscription, RESET_SPREAD_MS * this.#world.random());
    }
    if (verdict !== "applied") return this.#doubt(subscription, verdict !== "gap");
    subscription.calendar = calendar;
    subscription.doubts = 0;
    if (isLive(subscription)) this.#wait(subscription);
    tell(subscription, frame.changes);
  }

  // What cannot be read now is in doubt. What is not listed may be listed again; any other refusal
  // is of the question itself, which would be the same when it is asked again.
  #refused(subscription, { code, detail }) {
    const { random } = this.#world;
    if (code === "unavailable") {
      subscription.doubts += 1;
      return this.#askIn(subscription, retryDelayMs(subscription.doubts, random));
    }
    subscription.calendar = null;
    subscription.error = { code, detail };
    if (code === "not_found") return this.#askIn(subscription, spread(LISTED_AGAIN_MS, random));
    subscription.awaited = true;
    this.#wait(subscription);
    tell(subscription, []);
  }
}

// A resume is answered with the seq to reach; until the missed deltas are in, the calendar is old.
function isLive({ awaited, calendar, goal }) {
  return !awaited && calendar !== null && calendar.seq >= goal;
}

function viewOf(subscription, changes) {
  const { calendar, error } = subscription;
  const live = isLive(subscription) ? "live" : calendar ? "reconnecting" : "connecting";
  return { calendar, live, error, changes };
}

function tell(subscription, changes) {
  const view = viewOf(subscription, changes);
  for (const listener of [...subscription.listeners]) listener(view);
}

// A server that stops says in the close reason after how many milliseconds to come back.
function retryHintMs({ code, reason }) {
  const hint = code === 1012 ? /retry_ms=(\d+)/.exec(reason) : null;
  return hint ? Math.min(Number(hint[1]), LONGEST_RETRY_MS) : 0;
}
