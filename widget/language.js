// Which language an element stands in, and when that may have changed.

/** The `lang` of the element or of its nearest ancestor, through shadow roots; "" for none. */
export function languageOf(element) {
  for (let place = element; place; place = place.getRootNode().host) {
    const spoken = place.closest("[lang]");
    if (spoken) return spoken.lang;
  }
  return "";
}

const listeners = new Set();
let observer = null;

/** Calls `listener` when a `lang` in the document changes; the returned function ends that. */
export function onLanguage(listener) {
  observer ??= new MutationObserver(() => listeners.forEach((each) => each()));
  const options = { attributeFilter: ["lang"], subtree: true };
  if (listeners.size === 0) observer.observe(document.documentElement, options);
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) observer.disconnect();
  };
}
