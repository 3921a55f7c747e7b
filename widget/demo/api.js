// The REST surface as this page uses it.
//
// The access token lives in this object only: closing the page forgets it. Every failure is a
// `Problem`, also when there was no answer at all. Each POST that creates something carries an
// Idempotency-Key that stays the same until an answer to that very request has come, so that
// pressing a button again after a lost connection can never book or pay twice.

const BASE = new URL("../../api/v1/", import.meta.url);
const ANSWER_WITHIN_MS = 20_000;

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
  #token = null;
  #keys = new Map();
  #sessionEnded;

  /** `sessionEnded` is called when the server no longer accepts the token. */
  constructor(sessionEnded) {
    this.#sessionEnded = sessionEnded;
  }

  async signIn(email, password) {
    const answer = await this.#send("POST", "auth/login", { email, password }, false);
    this.#token = answer.access_token;
  }

  register(account) {
    return this.#send("POST", "users", { ...account, role: "guest" });
  }

  signOut() {
    this.#token = null;
    this.#keys.clear();
  }

  /** The public demo account, or null where the server does not run as a demo. */
  async demoGuest() {
    try {
      return (await this.#send("GET", "../../demo/accounts")).guest;
    } catch {
      return null;
    }
  }

  async properties() {
    return (await this.#send("GET", "properties?limit=6")).data;
  }

  property(id) {
    return this.#send("GET", `properties/${encodeURIComponent(id)}`);
  }

  book(property, stay) {
    return this.#send("POST", `properties/${encodeURIComponent(property)}/bookings`, stay);
  }

  async bookings() {
    return (await this.#send("GET", "bookings?as=guest&limit=20")).data;
  }

  cancel(booking) {
    return this.#send("DELETE", `bookings/${encodeURIComponent(booking)}`);
  }

  pay(booking) {
    return this.#send("POST", "payments", {
      booking_id: booking,
      payment_method: "pm_card_visa",
    });
  }

  payment(id) {
    return this.#send("GET", `payments/${encodeURIComponent(id)}`);
  }

  async #send(method, path, body, creates = true) {
    const headers = { accept: "application/json" };
    if (this.#token) headers.authorization = `Bearer ${this.#token}`;
    const request = { method, headers, signal: AbortSignal.timeout(ANSWER_WITHIN_MS) };
    const intent = `${path} ${JSON.stringify(body)}`;
    if (body) {
      headers["content-type"] = "application/json";
      if (creates) headers["idempotency-key"] = this.#keyFor(intent);
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
    if (response.status === 401 && this.#token) {
      this.signOut();
      this.#sessionEnded();
    }
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
