// What the chosen stay costs, asked of the server (`POST /api/v1/quotes`, without credentials).
//
// A wish is sent once the reader has been still for a moment, and one request is on its way at a
// time: when it is answered, the newest wish follows, if it is another one. The listener hears
// `null` (nothing is wished for), or `{status}` with `asking`; `shown` {total, currency}; `refused`
// {reasons} as in the problem document; `failed` {detail?}. Answers to former wishes are not told.

const QUIET_MS = 250;
const ANSWER_WITHIN_MS = 10_000;

const BROWSER = {
  fetch: (url, options) => fetch(url, options),
  later: (action, delayMs) => setTimeout(action, delayMs),
  cancel: (timer) => clearTimeout(timer),
};

export class Quotes {
  #tell;
  #world;
  #wish = null;
  #timer = null;
  #busy = false;

  constructor(tell, world = BROWSER) {
    this.#tell = tell;
    this.#world = world;
  }

  /** Wishes for the price of `stay` (the body of the request), or for none where it is null. */
  ask(url, stay) {
    this.#world.cancel(this.#timer);
    this.#wish = stay && { url, stay };
    this.#timer = stay && this.#world.later(() => {
      this.#timer = null;
      this.#send();
    }, QUIET_MS);
    this.#tell(stay && { status: "asking" });
  }

  async #send() {
    const wish = this.#wish;
    if (this.#busy || !wish) return;
    this.#busy = true;
    const answer = await this.#answerTo(wish);
    this.#busy = false;
    if (wish === this.#wish) this.#tell(answer);
    else if (this.#timer === null) this.#send();
  }

  async #answerTo({ url, stay }) {
    try {
      const response = await this.#world.fetch(url, {
        method: "POST",
        credentials: "omit",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(stay),
        signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
      });
      const answer = await response.json();
      if (response.ok) {
        return { status: "shown", total: answer.total_amount, currency: answer.currency };
      }
      const { reasons, detail } = answer;
      const refused = Array.isArray(reasons) && reasons.length > 0;
      return refused ? { status: "refused", reasons } : { status: "failed", detail };
    } catch {
      return { status: "failed" };
    }
  }
}
