// Time that passes when a test says so.

export class Clock {
  timers = new Map();
  now = 0;
  chance = 0.5;
  #ids = 0;

  later = (action, delayMs) => {
    this.#ids += 1;
    this.timers.set(this.#ids, { action, at: this.now + delayMs });
    return this.#ids;
  };

  cancel = (id) => this.timers.delete(id);
  random = () => this.chance;

  /** Does what is due, in its order; `after` is called each time. */
  pass(ms, after = () => null) {
    const end = this.now + ms;
    for (;;) {
      const due = [...this.timers].filter(([, { at }]) => at <= end);
      due.sort(([, one], [, other]) => one.at - other.at);
      if (due.length === 0) break;
      const [id, { action, at }] = due[0];
      this.timers.delete(id);
      this.now = at;
      action();
      after();
    }
    this.now = end;
  }
}

/** Whatever was started by now, and needs nothing but its turn, has run when this resolves. */
export const settled = () => new Promise(setImmediate);
