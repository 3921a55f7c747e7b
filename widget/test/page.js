// As much of a browser as the element needs: a page without looks, on a clock and a network that
// tests hold. It must be imported before the element.

import { Clock } from "./clock.js";

export const clock = new Clock();
export const sockets = [];
export const requests = [];
/** What the window hears. */
export const hub = new EventTarget();

class Node_ extends EventTarget {
  attributes = new Map();
  children = [];
  className = "";
  style = { setProperty() {} };
  #text = "";

  constructor(localName = "") {
    super();
    this.localName = localName;
  }

  dataset = new Proxy({}, {
    get: (_, name) => this.attributes.get(`data-${name}`),
    set: (_, name, value) => this.attributes.set(`data-${name}`, String(value)),
  });

  classList = {
    toggle: (name, isOn) => {
      const others = this.className.split(" ").filter((each) => each && each !== name);
      this.className = [...others, ...(isOn ? [name] : [])].join(" ");
    },
    add: (name) => this.classList.toggle(name, true),
  };

  get textContent() {
    return this.children.length > 0
      ? this.children.map((child) => child.textContent ?? child).join("") : this.#text;
  }

  set textContent(text) {
    this.children = [];
    this.#text = text;
  }

  get firstChild() {
    return this.children[0];
  }

  get lastChild() {
    return this.children.at(-1);
  }

  getAttribute(name) {
    return this.attributes.get(name) ?? null;
  }

  setAttribute(name, value) {
    const before = this.getAttribute(name);
    this.attributes.set(name, String(value));
    if (this.constructor.observedAttributes?.includes(name)) {
      this.attributeChangedCallback(name, before, String(value));
    }
  }

  removeAttribute(name) {
    this.attributes.delete(name);
  }

  append(...children) {
    this.children.push(...children);
  }

  replaceChildren(...children) {
    this.children = children;
  }

  attachShadow() {
    this.shadowRoot = new Node_();
    return this.shadowRoot;
  }

  closest(selector) {
    return selector === ".night" && this.className.split(" ").includes("night") ? this : null;
  }

  getRootNode() {
    return {};
  }

  focus() {}

  /** Every element below this one for which `wanted` is true. */
  all(wanted) {
    return this.children.filter((child) => child instanceof Node_)
      .flatMap((child) => [...(wanted(child) ? [child] : []), ...child.all(wanted)]);
  }
}

const elements = new Map();
const unseen = class { observe() {} disconnect() {} };

Object.assign(globalThis, {
  HTMLElement: Node_,
  ResizeObserver: unseen,
  IntersectionObserver: unseen,
  MutationObserver: unseen,
  CSSStyleSheet: class { replaceSync() {} },
  CustomEvent: class extends Event {
    constructor(type, { detail }) {
      super(type);
      this.detail = detail;
    }
  },
  customElements: {
    get: (name) => elements.get(name),
    define: (name, element) => elements.set(name, element),
  },
  document: Object.assign(new Node_("#document"), {
    baseURI: "https://host.example/house/",
    documentElement: Object.assign(new Node_("html"), { lang: "en" }),
    getElementById: (id) => new Node_(id),
    createElement: (name) => new Node_(name),
  }),
  addEventListener: (...facts) => hub.addEventListener(...facts),
  setTimeout: clock.later,
  clearTimeout: clock.cancel,
  setInterval: () => 0,
  clearInterval: () => null,
  WebSocket: class {
    static OPEN = 1;
    readyState = 0;
    sent = [];

    constructor() {
      sockets.push(this);
      queueMicrotask(() => {
        this.readyState = 1;
        this.onopen?.();
      });
    }

    send(text) {
      this.sent.push(JSON.parse(text));
    }

    close() {
      this.readyState = 3;
    }

    tell(frame) {
      this.onmessage?.({ data: JSON.stringify(frame) });
    }
  },
  fetch: (url, options) => new Promise((resolve) => {
    const answer = (status, body) => resolve({
      ok: status < 300, status, headers: new Headers(), json: async () => body,
    });
    const body = options.body && JSON.parse(options.body);
    requests.push({ url: String(url), ...options, body, answer });
  }),
});
Object.defineProperty(globalThis, "navigator", { value: { onLine: true } });
Math.random = clock.random;
const begun = Date.now();
Date.now = () => begun + clock.now;

/** A `<vacancy-calendar>` in the page, with these attributes. */
export function calendarWith(attributes) {
  const calendar = new (elements.get("vacancy-calendar"))();
  for (const [name, value] of Object.entries(attributes)) calendar.attributes.set(name, value);
  calendar.isConnected = true;
  calendar.connectedCallback();
  return calendar;
}

export function takeAway(calendar) {
  calendar.isConnected = false;
  calendar.disconnectedCallback();
}
