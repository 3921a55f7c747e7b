// Building elements from code: text stays text, whatever a server sends.

/**
 * An element. `facts` sets properties; `class`, `for`, `role` and names with a dash become
 * attributes; `onclick` and the like add listeners. Children are nodes or text; null is left out.
 */
export function el(tag, facts = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(facts)) {
    if (value === null || value === undefined) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (/-|^(class|for|role|property)$/.test(name)) element.setAttribute(name, value);
    else element[name] = value;
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

/**
 * Replaces the content of `place`. The focus stays on the control with the same `data-test` and
 * `data-key`; where that is gone it stays in the place, so that a keyboard never starts over.
 */
export function fill(place, ...children) {
  const focused = place.contains(document.activeElement) ? document.activeElement : null;
  const { test, key } = focused?.dataset ?? {};
  place.replaceChildren(...children.flat(2).filter(Boolean));
  if (!focused) return;
  const controls = test ? [...place.querySelectorAll(`[data-test="${test}"]`)] : [];
  const control = controls.find((each) => each.dataset.key === key && !each.disabled);
  place.tabIndex = -1;
  (control ?? place).focus({ preventScroll: true });
}

/** A message that is read out when it appears; `kind` is `error` or `note`. */
export function message(kind, text) {
  const role = kind === "error" ? "alert" : "status";
  return el("p", { class: `message ${kind}`, role, "data-test": kind }, text);
}

/** A place that nobody sees: what it is given is read out. */
export function voice() {
  return el("p", { class: "sr", role: "status", "data-test": "voice" });
}

/** Has a voice say `text`, unless that was the last it said. */
export function say(place, text) {
  if (place.textContent !== text) place.textContent = text;
}
