// The demo page: holds what the guest has chosen and is, and redraws the panel that it concerns.
//
// Three small states (`account`, `choice`, `mine`) are changed by the actions below and shown by
// account.js, stay.js and bookings.js. The calendars look after themselves; the page listens to
// their selections and, because a change of a booked property may be a change of a booking, to
// their changes. The server stays the only judge: nothing here computes whether a stay is free.

import { showAccount } from "./account.js";
import { Api } from "./api.js";
import { showBookings } from "./bookings.js";
import { fill } from "./dom.js";
import { showFailure, showHomes, showLoading } from "./homes.js";
import { showStay } from "./stay.js";
import { counted, nights, shortDates } from "./words.js";

const PAYMENT_CHECKS = 20;
const PAYMENT_CHECK_EVERY_MS = 1_000;
const RELOAD_AFTER_MS = 250;
const INTERRUPTED_AFTER_MS = 1_500;
const LONGEST_WAIT_MS = 3_600_000;
const UNSETTLED = ["created", "requires_action", "processing"];
const FAILED = ["failed", "voided", "expired", "conflicted"];

const place = (id) => document.getElementById(id);
const api = new Api(() => signedOut(true));

let homes = new Map();
let calendars = new Map();
const titles = new Map();
const trust = new Map();
const account = {
  email: null, demo: null, mode: "sign-in", typed: {}, busy: false, failure: null, ended: false,
};
const choice = {
  home: null, arrival: null, stay: null, guests: 1, booking: null,
  busy: false, taken: false, refusal: null, failure: null, note: null,
};
const mine = {
  bookings: null, busy: null, asking: null, failure: null, unloaded: null, note: null,
};
let panelInView = false;
let reloads = 0;
let reloadTimer = null;
let deadlineTimer = null;
let interruptedTimer = null;

function draw() {
  const signedIn = account.email !== null;
  const common = { titles, asking: mine.asking };
  showAccount(place("account"), account, accountActions);
  showStay(
    place("choice"),
    { ...choice, ...common, signedIn, busy: choice.busy || mine.busy },
    stayActions,
  );
  place("bookings").hidden = !signedIn;
  showBookings(
    place("bookings"), { ...mine, ...common, current: choice.booking }, bookingActions,
  );
  drawJump();
}

// On a phone the panel lies below the homes, so a choice offers the way to it until it is in view.
function drawJump() {
  const held = choice.booking?.status === "PENDING" ? choice.booking : null;
  const chosen = choice.stay ?? held;
  place("jump").hidden = chosen === null || panelInView;
  if (chosen) fill(place("jump"), `${shortDates(chosen)} · ${nights(chosen)} · Continue`);
}

// Homes and their calendars

async function loadHomes() {
  showLoading(place("listings"));
  try {
    const listed = await api.properties();
    homes = new Map(listed.map((home) => [home.id, home]));
    for (const home of listed) titles.set(home.id, home.title);
    calendars = showHomes(place("listings"), listed);
  } catch (problem) {
    showFailure(place("listings"), problem, loadHomes);
  }
}

function selected({ target, detail }) {
  const home = homes.get(target.getAttribute("property"));
  const { check_in, check_out, taken } = detail;
  if (check_in === null) {
    // While a booking is under way it is our own hold that takes the nights.
    // A refusal stays readable although the nights that caused it have left the selection.
    const explained = taken && (choice.busy || choice.refusal);
    if (choice.home !== home || choice.booking || explained) return;
    Object.assign(choice, { arrival: null, stay: null, taken, refusal: null, failure: null });
  } else {
    Object.assign(choice, {
      home, arrival: check_in, stay: check_out && detail, booking: null,
      guests: Math.min(choice.guests, home.max_guests),
      taken: false, refusal: null, failure: null, note: null,
    });
    for (const calendar of calendars.values()) if (calendar !== target) calendar.clear();
  }
  draw();
}

function changed({ target, detail }) {
  const property = target.getAttribute("property");
  trust.set(property, detail.live);
  showPulse();
  const concerned = [choice.booking, ...(mine.bookings ?? [])];
  if (detail.live !== "live" || !account.email) return;
  if (concerned.some((booking) => booking?.property_id === property)) {
    clearTimeout(reloadTimer);
    reloadTimer = setTimeout(reload, RELOAD_AFTER_MS);
  }
}

function showPulse() {
  const states = [...trust.values()];
  const live = states.every((state) => state === "live");
  const interrupted = states.includes("reconnecting");
  const pulse = place("pulse");
  pulse.dataset.live = live ? "live" : interrupted ? "reconnecting" : "connecting";
  const text = live
    ? `${counted(states.length, "calendar")} live`
    : interrupted ? "Reconnecting…" : "Connecting…";
  if (pulse.textContent !== text) pulse.textContent = text;
  if (!interrupted) {
    clearTimeout(interruptedTimer);
    interruptedTimer = null;
    place("offline").hidden = true;
  } else {
    interruptedTimer ??= setTimeout(showInterruption, INTERRUPTED_AFTER_MS);
  }
}

function showInterruption() {
  const cause = navigator.onLine ? "The server cannot be reached." : "You are offline.";
  place("offline").textContent =
    `${cause} The calendars show what was last known and catch up by themselves.`;
  place("offline").hidden = false;
}

// The account

const accountActions = {
  demo: () => enter(() => api.signIn(account.demo.email, account.demo.password), account.demo),
  signIn: (fields) => enter(() => api.signIn(fields.email, fields.password), fields),
  register: (fields) => enter(async () => {
    await api.register(fields);
    await api.signIn(fields.email, fields.password);
  }, fields),
  mode: (mode) => {
    Object.assign(account, { mode, failure: null });
    draw();
  },
  signOut: () => signedOut(false),
};

async function enter(action, typed) {
  Object.assign(account, { typed, busy: true, failure: null, ended: false });
  showAccount(place("account"), account, accountActions);
  try {
    await action();
    Object.assign(account, { email: typed.email, mode: "sign-in", typed: {} });
  } catch (problem) {
    account.failure = problem;
  }
  account.busy = false;
  draw();
  if (account.email) await reload();
}

function signedOut(ended) {
  api.signOut();
  reloads += 1;
  clearTimeout(deadlineTimer);
  Object.assign(account, { email: null, busy: false, failure: null, ended });
  Object.assign(mine, {
    bookings: null, busy: null, asking: null, failure: null, unloaded: null, note: null,
  });
  Object.assign(choice, { booking: null, refusal: null, failure: null, note: null });
  draw();
}

// Booking

const bookingActions = {
  pay: (booking) => act(booking, async () => {
    const payment = await settled(await api.pay(booking.id));
    if (FAILED.includes(payment.status)) {
      throw new Error("The card was declined. You can try again while the nights are held.");
    }
    return UNSETTLED.includes(payment.status)
      ? "The payment is still being processed. This page shows it as soon as it is through."
      : null;
  }),
  cancel: (booking) => act(booking, () => api.cancel(booking.id).then(() => null)),
  ask: (id) => {
    mine.asking = id;
    draw();
  },
  reload: () => reload(),
};

const stayActions = {
  ...bookingActions,
  book: bookChoice,
  guests: (guests) => {
    Object.assign(choice, { guests, refusal: null, failure: null });
    draw();
  },
  alternative: ({ check_in, check_out }) => {
    choice.refusal = null;
    if (calendars.get(choice.home.id).select(check_in, check_out)) return;
    Object.assign(choice, { arrival: null, stay: null, taken: true });
    draw();
  },
  done: () => {
    Object.assign(choice, { home: null, arrival: null, stay: null, booking: null, note: null });
    draw();
  },
};

async function bookChoice() {
  const { home, stay, guests } = choice;
  const { check_in, check_out } = stay;
  Object.assign(choice, { busy: true, refusal: null, failure: null });
  draw();
  try {
    const booking = await api.book(home.id, { check_in, check_out, guests });
    if (account.email) Object.assign(choice, { home, booking, arrival: null, stay: null });
    for (const calendar of calendars.values()) calendar.clear();
  } catch (problem) {
    choice[problem.status === 409 ? "refusal" : "failure"] = problem;
  }
  choice.busy = false;
  draw();
  await reload();
}

/** Runs an action on a booking; a failure is shown beside the booking it belongs to. */
async function act(booking, action) {
  const panel = choice.booking?.id === booking.id ? choice : mine;
  Object.assign(mine, { busy: booking.id, asking: null, failure: null, note: null });
  Object.assign(choice, { failure: null, note: null });
  draw();
  try {
    panel.note = await action();
  } catch (problem) {
    panel.failure = problem;
  }
  mine.busy = null;
  draw();
  await reload();
}

async function settled(payment) {
  for (let check = 0; check < PAYMENT_CHECKS && UNSETTLED.includes(payment.status); check += 1) {
    await new Promise((resolve) => setTimeout(resolve, PAYMENT_CHECK_EVERY_MS));
    payment = await api.payment(payment.id);
  }
  return payment;
}

async function reload() {
  if (!account.email) return;
  reloads += 1;
  const turn = reloads;
  try {
    const bookings = await api.bookings();
    if (turn !== reloads) return;
    const current = bookings.find(({ id }) => id === choice.booking?.id);
    if (current && current.status !== choice.booking.status) {
      Object.assign(choice, { note: null, failure: null });
    }
    if (current) choice.booking = current;
    Object.assign(mine, { bookings, unloaded: null });
    awaitDeadline(bookings);
    await nameHomes(bookings);
  } catch (problem) {
    if (turn === reloads && account.email) mine.unloaded = problem;
  }
  draw();
}

// The end of a hold is seen even where no calendar of its home is open. The server's clock may be
// a little behind ours, hence the second's grace.
function awaitDeadline(bookings) {
  clearTimeout(deadlineTimer);
  const ends = bookings
    .filter(({ status, expires_at }) => status === "PENDING" && expires_at)
    .map(({ expires_at }) => Date.parse(expires_at) - Date.now() + 1_000);
  if (ends.length === 0) return;
  const wait = Math.min(Math.max(Math.min(...ends), 5_000), LONGEST_WAIT_MS);
  deadlineTimer = setTimeout(reload, wait);
}

async function nameHomes(bookings) {
  const unknown = new Set(bookings.map(({ property_id }) => property_id));
  for (const id of unknown) {
    if (titles.has(id)) continue;
    const home = await api.property(id).catch(() => null);
    titles.set(id, home?.title ?? "A home");
  }
}

place("listings").addEventListener("vacancy-select", selected);
place("listings").addEventListener("vacancy-change", changed);
new IntersectionObserver(([entry]) => {
  panelInView = entry.isIntersecting;
  drawJump();
}).observe(place("choice"));
draw();
loadHomes();
api.demoGuest().then((guest) => {
  account.demo = guest;
  draw();
});
