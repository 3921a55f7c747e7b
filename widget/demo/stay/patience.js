// Asking again while something is on its way, ever more calmly, and not for ever.

import { askAgainMs } from "./outlook.js";

export class Patience {
  #ask;
  #what = null;
  #since = 0;
  #timer = null;
  /** Whether it was waited for long enough: from now on somebody has to ask. */
  isOver = false;

  /** `ask()` reads again, and has `wait` called whatever comes of it. */
  constructor(ask) {
    this.#ask = ask;
  }

  /**
   * Waits for `what`, any text that changes when there is news; null where nothing is awaited.
   * `isTold` says whether the live topic tells of it.
   */
  wait(what, isTold) {
    if (what !== this.#what) this.#since = Date.now();
    this.#what = what;
    clearTimeout(this.#timer);
    const waitMs = what === null ? null : askAgainMs(Date.now() - this.#since, isTold);
    this.isOver = what !== null && waitMs === null;
    if (waitMs !== null) this.#timer = setTimeout(this.#ask, waitMs);
  }

  /** Begins anew and asks at once. */
  again() {
    this.#what = null;
    this.isOver = false;
    this.#ask();
  }

  stop() {
    clearTimeout(this.#timer);
  }
}
