// Building SVG through the DOM, and mixing colours. Attributes only, so that the strictest content
// policy is content.

const SPACE = "http://www.w3.org/2000/svg";

/** An SVG element; children may be nested lists, null is left out. */
export function draw(tag, facts = {}, ...children) {
  const element = document.createElementNS(SPACE, tag);
  for (const [name, value] of Object.entries(facts)) {
    if (value !== null && value !== undefined) element.setAttribute(name, rounded(value));
  }
  element.append(...children.flat(Infinity).filter(Boolean));
  return element;
}

export function box(x, y, width, height, fill, rx = 0) {
  return draw("rect", { x, y, width, height, fill, rx: rx || null });
}

/** A closed shape through these points. */
export function shape(points, fill, facts = {}) {
  const d = points.map(([x, y], at) => `${at ? "L" : "M"}${rounded(x)} ${rounded(y)}`).join("");
  return draw("path", { d: `${d}Z`, fill, ...facts });
}

export function path(d, fill, facts = {}) {
  return draw("path", { d, fill, ...facts });
}

export function disc(cx, cy, r, fill, facts = {}) {
  return draw("circle", { cx, cy, r, fill, ...facts });
}

/** The colour between two: `share` 0 is the first, 1 the second. */
export function mix(first, second, share) {
  const parts = (colour) => [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
  const [a, b] = [parts(first), parts(second)];
  const mixed = a.map((part, at) => Math.round(part + (b[at] - part) * share));
  return `#${mixed.map((part) => part.toString(16).padStart(2, "0")).join("")}`;
}

function rounded(value) {
  return typeof value === "number" ? Math.round(value * 10) / 10 : value;
}
