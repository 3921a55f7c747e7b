// Who is signed in. Pages listen to `change`; the tokens themselves stay in the Api.
//
// A payment page is another document, and coming back from it is a new one, which would know
// nobody. So whoever goes there leaves the refresh token in the tab's own storage, and whoever
// comes back takes it from there: it lies there for that way only, and half an hour at most.

import { Api } from "./api.js";

const AWAY = "vacancy.away";
const AWAY_AT_MOST_MS = 1_800_000;

export class Session extends EventTarget {
  /** `{id, email, first_name, role}` or null. */
  user = null;
  /** Whether the last session ended by itself. */
  ended = false;
  /** `{guest, host}` of a demo server, else null. */
  demo = null;
  api = new Api(() => this.#leave(true));

  async signIn({ email, password }) {
    await this.api.signIn(email, password);
    this.user = await this.api.me();
    this.ended = false;
    this.#tell();
  }

  async register(account) {
    await this.api.register(account);
    await this.signIn(account);
  }

  signOut() {
    this.api.signOut();
    this.#leave(false);
  }

  /** Goes to a page of somebody else's that leads back to this site. */
  leaveFor(url) {
    const token = this.api.handOver();
    const until = Date.now() + AWAY_AT_MOST_MS;
    if (token) sessionStorage.setItem(AWAY, JSON.stringify({ token, until }));
    location.assign(url);
  }

  /** Whether somebody is on the way to such a page, or has just come back. */
  get isAway() {
    return sessionStorage.getItem(AWAY) !== null;
  }

  /** Takes the session on that was left on the way. Without an answer it stays where it is. */
  async comeBack() {
    const { token, until } = left(sessionStorage.getItem(AWAY));
    if (!token || !(Date.now() <= until)) return sessionStorage.removeItem(AWAY);
    try {
      await this.api.takeOver(token);
      sessionStorage.removeItem(AWAY);
      this.user = await this.api.me();
    } catch (problem) {
      if (problem.status === 401) sessionStorage.removeItem(AWAY);
      this.ended = problem.status === 401;
    }
    this.#tell();
  }

  async findDemo() {
    this.demo = await this.api.demoAccounts();
    if (this.demo) this.#tell();
  }

  #leave(ended) {
    this.user = null;
    this.ended = ended;
    this.#tell();
  }

  #tell() {
    this.dispatchEvent(new Event("change"));
  }
}

function left(text) {
  try {
    return JSON.parse(text) ?? {};
  } catch {
    return {};
  }
}
