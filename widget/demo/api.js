// The REST surface as this site uses it.
//
// Both tokens live in this object only: closing or reloading the page forgets them, but for the way
// to a payment page and back (`handOver`). An access token that has run out is exchanged once, by
// whoever notices first. Every failure is a `Problem`, also
// when there was no answer at all. Each POST with a body carries an Idempotency-Key that stays the
// same until an answer to that very request has come, so that pressing a button again after a lost
// connection can never book or pay twice.

const BASE = new URL("../../api/v1/", import.meta.url);
const ANSWER_WITHIN_MS = 20_000;
/** The longest list that is read: so many pages of a hundred. */
const MOST_PAGES = 10;

/** A refusal or a failure: RFC 9457 fields, or `code: "offline"` when no answer came. */
export class Problem extends Error {
  constructor(status, { code, title, detail, errors, reasons, alternatives }) {
    const fields = (errors ?? []).map((each) => each.detail).filter(Boolean);
    super([detail ?? title, ...fields].filter(Boolean).join(" ") || `The server said ${status}.`);
    this.status = status;
    this.code = code ?? "unexpected";
    this.title = title ?? "That did not work";
    this.reasons = reasons ?? [];
    this.alternatives = alternatives ?? [];
  }
}

export class Api {
  #access = null;
  #refresh = null;
  #expiresAt = 0;
  #renewal = null;
  #keys = new Map();
  #sessionEnded;

  /** `sessionEnded` is called when the server no longer accepts the tokens. */
  constructor(sessionEnded) {
    this.#sessionEnded = sessionEnded;
  }

  /** The access token for the private topics of the live socket, or null. */
  get token() {
    return this.#access;
  }

  /**
   * For how long the access token is still good, in milliseconds: the server says how long it lasts
   * from when it came, so a clock that is wrong on either side makes no difference.
   */
  get tokenLeftMs() {
    return this.#expiresAt - Date.now();
  }

  async signIn(email, password) {
    this.#keep(await this.#send("POST", "auth/login", { email, password }, false));
  }

  register(account) {
    return this.#send("POST", "users", account);
  }

  /** Forgets the session here at once; the server hears of it where it can be reached. */
  signOut() {
    if (this.#access) this.#send("POST", "auth/logout").catch(() => null);
    this.#forget();
  }

  /**
   * Gives the refresh token away to whoever takes the session on, and keeps none: used from two
   * places it would look stolen.
   */
  handOver() {
    const token = this.#refresh;
    this.#refresh = null;
    return token;
  }

  /** Takes a session on that another document has handed over. */
  async takeOver(token) {
    this.#refresh = token;
    await this.renew();
  }

  me() {
    return this.#send("GET", "users/me");
  }

  /** The public demo accounts `{guest, host}`, or null where the server does not run as a demo. */
  async demoAccounts() {
    return this.#send("GET", "../../demo/accounts").catch(() => null);
  }

  /** A page `{data, next_cursor}` of what a search finds; empty parameters are left out. */
  search(wish) {
    const filled = Object.entries(wish).filter(([, value]) => value !== "" && value != null);
    return this.#send("GET", `properties?${new URLSearchParams(filled)}`);
  }

  property(id) {
    return this.#send("GET", `properties/${encodeURIComponent(id)}`);
  }

  /** Every property of a host, in any status. */
  propertiesOf(host) {
    return this.#all(`properties?host=${encodeURIComponent(host)}`);
  }

  reviews(property) {
    return this.#send("GET", `reviews?property=${encodeURIComponent(property)}&limit=20`);
  }

  /** What the guest has written of a booking. */
  async ownReview(booking) {
    const path = `reviews?booking=${encodeURIComponent(booking)}&direction=guest_to_host`;
    return (await this.#send("GET", path)).data[0] ?? null;
  }

  review(booking, rating, comment) {
    return this.#send("POST", "reviews", { booking_id: booking, rating, comment });
  }

  quote(property, stay) {
    return this.#send("POST", "quotes", { property_id: property, ...stay });
  }

  book(property, stay) {
    return this.#send("POST", `properties/${encodeURIComponent(property)}/bookings`, stay);
  }

  /** Every booking of the caller on this side, with `from` and `to` those that meet the range. */
  bookings(side, range = {}) {
    return this.#all(`bookings?${new URLSearchParams({ as: side, ...range })}`);
  }

  booking(id) {
    return this.#send("GET", `bookings/${encodeURIComponent(id)}`);
  }

  change(booking, stay) {
    return this.#send("PUT", `bookings/${encodeURIComponent(booking)}`, stay);
  }

  cancellation(booking) {
    return this.#send("GET", `bookings/${encodeURIComponent(booking)}/cancellation`);
  }

  cancel(booking) {
    return this.#send("DELETE", `bookings/${encodeURIComponent(booking)}`);
  }

  /** `word` is accept or decline. */
  answer(booking, word) {
    return this.#send("POST", `bookings/${encodeURIComponent(booking)}/${word}`);
  }

  /**
   * Begins to pay. Without a `method` the guest chooses on the payment page, which leads back to
   * `wayBack`, as does a bank that wants to see its customer.
   */
  pay(booking, method, wayBack) {
    const how = method ? { payment_method: method } : {};
    return this.#send("POST", "payments", { booking_id: booking, ...how, return_url: wayBack });
  }

  payment(id) {
    return this.#send("GET", `payments/${encodeURIComponent(id)}`);
  }

  /** Every payment of the caller. */
  payments() {
    return this.#all("payments");
  }

  refund(payment, amount) {
    return this.#send("POST", `payments/${encodeURIComponent(payment)}/refunds`, { amount });
  }

  /** The nights `[from, to)` as one who may see them; one's own home need not be listed. */
  calendar(property, window) {
    const path = `properties/${encodeURIComponent(property)}/calendar`;
    return this.#send("GET", `${path}?${new URLSearchParams(window)}`);
  }

  async blocks(property, from) {
    const path = `properties/${encodeURIComponent(property)}/blocks?from=${from}`;
    return (await this.#send("GET", path)).data;
  }

  /** Edits nights, all or nothing; with `dry` it only says what would change. */
  editCalendar(property, edit, dry = false) {
    const path = `properties/${encodeURIComponent(property)}/calendar${dry ? "?dry_run=true" : ""}`;
    return this.#send("PATCH", path, edit, false);
  }

  /** Exchanges the refresh token; everybody who asks meanwhile waits for the same exchange. */
  renew() {
    this.#renewal ??= this.#exchange().finally(() => { this.#renewal = null; });
    return this.#renewal;
  }

  async #exchange() {
    const token = this.#refresh;
    if (!token) throw new Problem(401, { code: "unauthenticated" });
    this.#keep(await this.#ask("POST", "auth/refresh", { refresh_token: token }, false));
  }

  #keep({ access_token, refresh_token, expires_in = 0 }) {
    this.#access = access_token;
    this.#refresh = refresh_token;
    this.#expiresAt = Date.now() + expires_in * 1_000;
  }

  #forget() {
    this.#access = null;
    this.#refresh = null;
    this.#keys.clear();
  }

  async #all(path) {
    const found = [];
    let cursor = "";
    for (let page = 0; page < MOST_PAGES && cursor !== null; page += 1) {
      const more = cursor && `&cursor=${encodeURIComponent(cursor)}`;
      const joint = path.includes("?") ? "&" : "?";
      const answer = await this.#send("GET", `${path}${joint}limit=100${more}`);
      found.push(...answer.data);
      cursor = answer.next_cursor;
    }
    return found;
  }

  async #send(method, path, body, creates = true) {
    try {
      return await this.#ask(method, path, body, creates);
    } catch (problem) {
      if (problem.status !== 401 || !this.#access || path.startsWith("auth/")) throw problem;
    }
    try {
      await this.renew();
    } catch (problem) {
      if (problem.status === 401) {
        this.#forget();
        this.#sessionEnded();
      }
      throw problem;
    }
    return this.#ask(method, path, body, creates);
  }

  async #ask(method, path, body, creates) {
    const headers = { accept: "application/json" };
    if (this.#access) headers.authorization = `Bearer ${this.#access}`;
    const request = { method, headers, signal: AbortSignal.timeout(ANSWER_WITHIN_MS) };
    const intent = `${path} ${JSON.stringify(body)}`;
    if (body) {
      headers["content-type"] = "application/json";
      if (creates && method === "POST") headers["idempotency-key"] = this.#keyFor(intent);
      request.body = JSON.stringify(body);
    }
    const response = await fetch(new URL(path, BASE), request).catch(() => {
      throw new Problem(0, {
        code: "offline",
        title: "No connection",
        detail: "The server did not answer. Nothing is lost: try again in a moment.",
      });
    });
    const answer = await response.json().catch(() => ({}));
    if (response.status < 500) this.#keys.delete(intent);
    if (response.ok) return answer;
    throw new Problem(response.status, answer);
  }

  #keyFor(intent) {
    if (!this.#keys.has(intent)) this.#keys.set(intent, freshKey());
    return this.#keys.get(intent);
  }
}

// `crypto.randomUUID` exists in secure contexts only, and a demo is often opened by plain address.
function freshKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
