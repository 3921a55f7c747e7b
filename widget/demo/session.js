// Who is signed in. Pages listen to `change`; the tokens themselves stay in the Api.

import { Api } from "./api.js";

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
