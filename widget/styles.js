// How the widget looks, as one constructed style sheet that every instance adopts.
//
// A constructed sheet needs no `style-src` permission, so the widget works under a strict content
// security policy of a page on any origin. Colours and shape are custom properties that a page may
// set on the element. Each has a light and a dark value, and the page's own `color-scheme` chooses,
// unless the attribute `theme` does. Each state differs by line or pattern as well as by colour.

const CSS = `
:host {
  --_ink: var(--vacancy-ink, light-dark(#22302c, #e8edea));
  --_muted: var(--vacancy-muted, light-dark(#5b6460, #a5b0ab));
  --_faint: var(--vacancy-faint, light-dark(#8b938f, #6f7975));
  --_surface: var(--vacancy-surface, light-dark(#ffffff, #171d1b));
  --_line: var(--vacancy-line, light-dark(#dfe3df, #343d39));
  --_accent: var(--vacancy-accent, light-dark(#1f5c4d, #7fd1b9));
  --_on-accent: var(--vacancy-on-accent, light-dark(#ffffff, #0d1f1a));
  --_tint: var(--vacancy-tint, light-dark(#dcebe5, #213d35));
  --_held: var(--vacancy-held, light-dark(#fdf2d9, #3a2d12));
  --_held-line: var(--vacancy-held-line, light-dark(#b9822b, #c8973f));
  --_held-ink: var(--vacancy-held-ink, light-dark(#704605, #f2cf8d));
  --_booked: var(--vacancy-booked, light-dark(#e6e7e4, #2b3330));
  --_booked-ink: var(--vacancy-booked-ink, light-dark(#535a56, #a9b3ae));
  --_good: var(--vacancy-good, light-dark(#2c8a63, #55c795));
  --_radius: var(--vacancy-radius, 0.5rem);
  display: block;
  color: var(--_ink);
  background: var(--_surface);
  font: inherit;
  font-variant-numeric: tabular-nums;
  line-height: 1.4;
  text-align: start;
}
:host([theme="light"]) { color-scheme: light; }
:host([theme="dark"]) { color-scheme: dark; }
:host([theme="auto"]) { color-scheme: light dark; }
:host([hidden]), [hidden] { display: none !important; }
* { box-sizing: border-box; }
.calendar { position: relative; container-type: inline-size; }
.waiting, .absent { visibility: hidden; }
.months {
  display: grid; gap: 1.25rem 2rem;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 15rem), 1fr));
}
.month { min-inline-size: 0; }
.name {
  margin: 0; block-size: 2.25rem; line-height: 2.25rem;
  font-size: 1rem; font-weight: 600; text-align: center;
}
button { color: inherit; font: inherit; }
.turn {
  position: absolute; inset-block-start: 0; inline-size: 2.25rem; block-size: 2.25rem; padding: 0;
  border: 1px solid var(--_line); border-radius: 50%; background: var(--_surface);
  cursor: pointer;
}
.turn.previous { inset-inline-start: 0; }
.turn.next { inset-inline-end: 0; }
.turn::before {
  content: ""; display: block; inline-size: 0.5rem; block-size: 0.5rem; margin: auto;
  border: solid currentColor; border-width: 2px 0 0 2px; transform: translateX(15%) rotate(-45deg);
}
.turn.next, [dir="rtl"] .turn.previous { transform: scaleX(-1); }
[dir="rtl"] .turn.next { transform: none; }
.turn:hover:not([aria-disabled="true"]) { border-color: var(--_accent); color: var(--_accent); }
.turn[aria-disabled="true"] { color: var(--_faint); cursor: default; }

.grid { inline-size: 100%; table-layout: fixed; border-collapse: separate; border-spacing: 0 2px; }
.weekday {
  block-size: 1.75rem; padding: 0; color: var(--_muted); overflow: hidden;
  font-size: 0.75rem; font-weight: 500; text-align: center; white-space: nowrap;
}
td { block-size: 2.75rem; padding: 0 1px; }
.night {
  position: relative; display: flex; flex-direction: column; align-items: center;
  justify-content: center; gap: 0.1875rem; inline-size: 100%; block-size: 2.75rem; padding: 0;
  border: 1px solid transparent; border-radius: var(--_radius); background: none; overflow: hidden;
  font-size: 0.875rem; line-height: 1; text-align: center; cursor: default;
  touch-action: pan-y pinch-zoom; user-select: none; -webkit-user-select: none;
  -webkit-tap-highlight-color: transparent;
}
.mark {
  block-size: 0.625rem; color: var(--_muted); font-size: 0.625rem; font-weight: 500;
  white-space: nowrap;
}
.night:not([aria-disabled="true"]) { font-weight: 600; cursor: pointer; }
.night:not([aria-disabled="true"]):hover { border-color: var(--_accent); }
.night[data-state="available"][aria-disabled="true"] { color: var(--_muted); font-weight: 400; }
.night[aria-current] .day { text-decoration: underline; text-underline-offset: 0.25rem; }
:focus-visible { outline: 2px solid var(--_accent); outline-offset: 1px; z-index: 1; }

.swatch {
  inline-size: 0.875rem; block-size: 0.875rem; border: 1px solid transparent;
  border-radius: 0.25rem;
}
[data-state="past"] { color: var(--_faint); }
[data-state="held"] {
  border: 1px dashed var(--_held-line); background: var(--_held); color: var(--_held-ink);
}
[data-state="held"] .mark { color: inherit; font-weight: 600; }
[data-state="booked"] { background: var(--_booked); color: var(--_booked-ink); }
.night[data-state="booked"] .day { text-decoration: line-through; }
[data-state="blocked"] {
  color: var(--_booked-ink);
  background: repeating-linear-gradient(
    -45deg, transparent 0 4px, var(--_booked) 4px 7px);
}
[data-state="closed"] { border: 1px dotted var(--_faint); color: var(--_muted); }

.night[data-stay] { overflow: visible; }
.night[data-stay="middle"] {
  border-color: transparent; border-radius: 0; background: var(--_tint); color: var(--_ink);
}
.night[data-stay="start"], .night[data-stay="end"] {
  border: 1px solid var(--_accent); background: var(--_accent); color: var(--_on-accent);
}
.night[data-stay="start"]:not(.alone) {
  border-start-end-radius: 0; border-end-end-radius: 0;
}
.night[data-stay="end"] { border-start-start-radius: 0; border-end-start-radius: 0; }
.night[data-stay]:not([data-stay="end"], .alone)::after {
  content: ""; position: absolute; inset-block: -1px; inset-inline-end: -3px; inline-size: 3px;
  background: var(--_tint);
}
.night[data-stay] .mark { color: inherit; }
.night[data-stay="end"].preview {
  border-style: dashed; background: var(--_tint); color: var(--_ink);
}
.night[data-stay] .day { text-decoration: none; }

.choice {
  display: grid; grid-template: "status clear" auto "total book" 2.625rem / 1fr auto;
  gap: 0.375rem 1rem; align-items: center;
  margin-block-start: 0.5rem; padding-block-start: 0.75rem;
  border-block-start: 1px solid var(--_line); font-size: 0.875rem;
}
.status { grid-area: status; min-block-size: 2.8em; margin: 0; align-content: center; }
.status::first-letter { text-transform: uppercase; }
.total { grid-area: total; margin: 0; }
.sum { color: var(--_muted); }
.amount { font-size: 1.125rem; }
.clear { grid-area: clear; justify-self: end; }
.retry { grid-area: total; justify-self: start; }
.book { grid-area: book; }
.clear, .retry {
  padding: 0.375rem 0; border: 0; background: none; color: var(--_accent);
  text-decoration: underline; text-underline-offset: 0.2em; cursor: pointer;
}
.book {
  display: grid; place-content: center; align-self: stretch; padding-inline: 1.5rem;
  border: 1px solid transparent;
  border-radius: var(--_radius); background: var(--_accent); color: var(--_on-accent);
  font-weight: 600; text-align: center; text-decoration: none;
}
.book:hover { filter: brightness(1.1); }

@container (inline-size >= 40rem) {
  .choice { grid-template: "status clear total book" 2.8rem / 1fr auto auto auto; }
  .total { min-inline-size: 12rem; }
}

.foot {
  display: flex; flex-wrap: wrap; gap: 0.375rem 1rem; align-items: center;
  margin-block-start: 0.75rem; padding-block-start: 0.75rem;
  border-block-start: 1px solid var(--_line);
  color: var(--_muted); font-size: 0.75rem;
}
.prices { margin: 0; min-block-size: 1.4em; }
.legend {
  display: flex; flex-wrap: wrap; gap: 0.25rem 0.625rem; margin: 0; padding: 0; list-style: none;
}
.legend li { display: flex; gap: 0.25rem; align-items: center; }
.swatch[data-state="available"] { border-color: var(--_ink); }
.swatch[data-state="booked"] {
  background: linear-gradient(var(--_booked-ink), var(--_booked-ink)) center / 60% 1px no-repeat,
    var(--_booked);
}
.live { display: flex; flex: 1 0 auto; gap: 0.375rem; align-items: center; margin: 0; }
.live::before {
  content: ""; inline-size: 0.5rem; block-size: 0.5rem; border: 2px solid var(--_held-line);
  border-radius: 50%;
}
.live:empty::before { visibility: hidden; }
:host([data-live="live"]) .live::before { border-color: var(--_good); background: var(--_good); }
:host([data-live="connecting"]) .night .day { opacity: 0.35; }
:host([data-live="reconnecting"]) .months { filter: grayscale(1); }
@media (prefers-reduced-motion: no-preference) {
  :host(:not([data-live="live"])) .live::before { animation: wait 1.2s ease-in-out infinite; }
}
@keyframes wait { 50% { opacity: 0.25; } }
@media (forced-colors: active) {
  .night[data-stay] { forced-color-adjust: none; background: Highlight; color: HighlightText; }
  .night[data-stay]::after { background: Highlight; }
  .night[data-stay="end"].preview { background: Canvas; color: CanvasText; }
  .book { border-color: LinkText; }
}
`;

export const styles = new CSSStyleSheet();
styles.replaceSync(CSS);
