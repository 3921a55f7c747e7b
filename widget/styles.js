// How the widget looks, as one constructed style sheet that every instance adopts.
//
// A constructed sheet needs no `style-src` permission, so the widget works under a strict content
// security policy of a page on any origin. Colours and shape are custom properties that a page may
// set on the element. Each state differs by line or pattern as well as by colour.

const CSS = `
:host {
  --_ink: var(--vacancy-ink, #22302c);
  --_muted: var(--vacancy-muted, #5f6864);
  --_faint: var(--vacancy-faint, #9aa19d);
  --_surface: var(--vacancy-surface, #ffffff);
  --_line: var(--vacancy-line, #e3e6e2);
  --_accent: var(--vacancy-accent, #1f5c4d);
  --_on-accent: var(--vacancy-on-accent, #ffffff);
  --_tint: var(--vacancy-tint, #dcebe5);
  --_held: var(--vacancy-held, #fdf2d9);
  --_held-line: var(--vacancy-held-line, #b9822b);
  --_held-ink: var(--vacancy-held-ink, #754a06);
  --_booked: var(--vacancy-booked, #e6e7e4);
  --_booked-ink: var(--vacancy-booked-ink, #575e5a);
  --_radius: var(--vacancy-radius, 0.5rem);
  display: block;
  color: var(--_ink);
  background: var(--_surface);
  font: inherit;
  text-align: start;
}
:host([hidden]), [hidden] { display: none !important; }
* { box-sizing: border-box; }
.calendar { position: relative; }
.months { display: flex; gap: 2rem; }
.month { flex: 1 1 0; min-width: 0; }
.name {
  margin: 0; block-size: 2.25rem; line-height: 2.25rem;
  font-size: 1rem; font-weight: 600; text-align: center;
}
.turn {
  position: absolute; inset-block-start: 0; inline-size: 2.25rem; block-size: 2.25rem; padding: 0;
  border: 1px solid var(--_line); border-radius: 50%; background: var(--_surface); color: inherit;
  cursor: pointer;
}
.turn.previous { inset-inline-start: 0; }
.turn.next { inset-inline-end: 0; }
.turn::before {
  content: ""; display: block; inline-size: 0.5rem; block-size: 0.5rem; margin: auto;
  border: solid currentColor; border-width: 2px 0 0 2px; transform: translateX(15%) rotate(-45deg);
}
.turn.next::before { transform: translateX(-15%) rotate(135deg); }
.turn:hover:not([aria-disabled="true"]) { border-color: var(--_accent); color: var(--_accent); }
.turn[aria-disabled="true"] { color: var(--_line); cursor: default; }

.grid { inline-size: 100%; table-layout: fixed; border-collapse: separate; border-spacing: 0 2px; }
.weekday {
  block-size: 1.75rem; padding: 0; color: var(--_muted);
  font-size: 0.75rem; font-weight: 500; text-align: center;
}
td { block-size: 2.75rem; padding: 0 1px; }
.night {
  position: relative; display: block; inline-size: 100%; block-size: 2.75rem; padding: 0;
  border: 1px solid transparent; border-radius: var(--_radius); background: none; color: inherit;
  font: inherit; font-size: 0.875rem; line-height: 1; text-align: center; cursor: default;
  -webkit-tap-highlight-color: transparent;
}
.day { font-variant-numeric: tabular-nums; }
.mark {
  position: absolute; inset-inline: 0; inset-block-end: 0.25rem;
  font-size: 0.625rem; font-weight: 600; white-space: nowrap;
}
.mark:empty { display: none; }
.night:not([aria-disabled="true"]) { font-weight: 600; cursor: pointer; }
.night:not([aria-disabled="true"]):hover { border-color: var(--_accent); }
.night[aria-current] .day { text-decoration: underline; text-underline-offset: 0.25rem; }
:focus-visible { outline: 2px solid var(--_accent); outline-offset: 1px; z-index: 1; }

.swatch {
  inline-size: 1rem; block-size: 1rem; border: 1px solid transparent; border-radius: 0.25rem;
}
[data-state="past"] { color: var(--_faint); }
[data-state="held"] {
  border: 1px dashed var(--_held-line); background: var(--_held); color: var(--_held-ink);
}
.night[data-state="held"] .day { position: relative; inset-block-start: -0.375rem; }
[data-state="booked"] { background: var(--_booked); color: var(--_booked-ink); }
.night[data-state="booked"] .day { text-decoration: line-through; }
[data-state="blocked"] {
  color: var(--_booked-ink);
  background: repeating-linear-gradient(
    -45deg, transparent 0 4px, var(--_booked) 4px 7px);
}
[data-state="closed"] { border: 1px dotted var(--_faint); color: var(--_muted); }

.night[data-stay="middle"] {
  border-color: transparent; border-radius: 0; background: var(--_tint);
}
.night[data-stay="middle"]::before {
  content: ""; position: absolute; z-index: -1; inset: -1px -2px; background: var(--_tint);
}
.night[data-stay] { isolation: isolate; }
.night[data-stay="start"], .night[data-stay="end"] {
  border: 1px solid var(--_accent); background: var(--_accent); color: var(--_on-accent);
}
.night[data-stay="end"].preview {
  border-style: dashed; background: var(--_tint); color: var(--_ink);
}
.night[data-stay] .day { inset-block-start: 0; text-decoration: none; }
.night[data-stay] .mark { display: none; }

.foot {
  display: flex; flex-wrap: wrap; gap: 0.375rem 1rem; align-items: center;
  margin-block-start: 0.75rem; padding-block-start: 0.75rem;
  border-block-start: 1px solid var(--_line);
  color: var(--_muted); font-size: 0.8125rem;
}
.status { flex: 1 1 auto; min-inline-size: 14rem; margin: 0; color: var(--_ink); }
.legend {
  display: flex; flex-wrap: wrap; gap: 0.25rem 0.875rem; margin: 0; padding: 0; list-style: none;
}
.legend li { display: flex; gap: 0.375rem; align-items: center; }
.swatch[data-state="available"] { border-color: var(--_ink); }
.swatch[data-state="booked"] {
  background: linear-gradient(var(--_booked-ink), var(--_booked-ink)) center / 60% 1px no-repeat,
    var(--_booked);
}
.live { display: flex; gap: 0.375rem; align-items: center; margin: 0; }
.live::before {
  content: ""; inline-size: 0.5rem; block-size: 0.5rem; border: 2px solid var(--_held-line);
  border-radius: 50%;
}
:host([data-live="live"]) .live::before { border-color: #2c8a63; background: #2c8a63; }
:host([data-live="connecting"]) .night .day { opacity: 0.35; }
:host([data-live="reconnecting"]) .months { opacity: 0.72; }
@media (prefers-reduced-motion: no-preference) {
  :host(:not([data-live="live"])) .live::before { animation: wait 1.2s ease-in-out infinite; }
}
@keyframes wait { 50% { opacity: 0.25; } }
@media (forced-colors: active) {
  .night[data-stay] { forced-color-adjust: none; }
}
`;

export const styles = new CSSStyleSheet();
styles.replaceSync(CSS);
