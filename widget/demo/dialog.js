// One modal dialog at a time, on the element that brings focus, Escape and inertness along.

import { el, fill } from "./dom.js";

/**
 * Opens a dialog with a heading. `draw(close)` returns its content, and is called again by the
 * returned `redraw`.
 */
export function openDialog({ title, test, wide = false, draw }) {
  const body = el("div", { class: "dialog-body" });
  const dialog = el("dialog", {
    class: wide ? "dialog wide-dialog" : "dialog", "aria-labelledby": "dialog-title",
    "data-test": test,
  },
    el("div", { class: "dialog-head" },
      el("h2", { id: "dialog-title" }, title),
      el("button", {
        class: "icon", type: "button", "aria-label": "Close", "data-test": "close",
        onclick: () => dialog.close(),
      }, "✕")),
    body);
  dialog.addEventListener("close", () => dialog.remove());
  const close = () => dialog.close();
  const redraw = () => fill(body, draw(close));
  document.body.append(dialog);
  redraw();
  dialog.showModal();
  const first = "[autofocus], input, select, textarea, button";
  body.querySelector(first)?.focus();
  return { close, redraw };
}

/**
 * A dialog around one action: `content(state)` is drawn above its buttons, `label` names the main
 * one; `state` is `{busy, failure, fields}` and `fields` what was typed. `submit(fields)` may fail
 * with a Problem; when it does not, the dialog goes, and `done` is called with its outcome once the
 * focus is back.
 */
export function askFor({ title, test, content, label, look = "primary", submit, done }) {
  const state = { busy: false, failure: null, fields: null };
  const dialog = openDialog({
    title, test,
    draw: (close) => el("form", { class: "form", onsubmit: (event) => send(event) },
      content(state),
      state.failure
        ? el("p", { class: "message error", role: "alert", "data-test": "error" },
          state.failure.message)
        : null,
      el("div", { class: "actions" },
        el("button", { class: look, disabled: state.busy, "data-test": "sure" },
          state.busy ? "One moment…" : label),
        el("button", {
          class: "secondary", type: "button", disabled: state.busy, "data-test": "leave",
          autofocus: look === "danger", onclick: close,
        }, "Not now"))),
  });
  async function send(event) {
    event.preventDefault();
    const fields = Object.fromEntries(new FormData(event.target));
    Object.assign(state, { busy: true, failure: null, fields });
    dialog.redraw();
    try {
      const outcome = await submit(fields);
      dialog.close();
      done(outcome);
    } catch (problem) {
      Object.assign(state, { busy: false, failure: problem });
      dialog.redraw();
    }
  }
  return dialog;
}
