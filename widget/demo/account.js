// The account panel: continue as the demo guest, sign in, or register; afterwards who is signed in.

import { el, fill, message } from "./dom.js";

/**
 * `state` is `{email, demo, mode, typed, busy, failure, ended}`, `typed` being the fields of the
 * last try; `actions` are `demo()`, `signIn(fields)`, `register(fields)`, `signOut()` and
 * `mode(name)`.
 */
export function showAccount(place, state, actions) {
  if (state.email) fill(place, signedIn(state, actions));
  else fill(place, signedOut(state, actions));
}

function signedIn({ email }, actions) {
  return [
    el("div", { class: "row" },
      el("span", { class: "quiet" }, "Signed in as"),
      el("button", {
        class: "plain", type: "button", "data-test": "sign-out", onclick: actions.signOut,
      }, "Sign out")),
    el("p", { class: "who", "data-test": "signed-in" }, email),
  ];
}

function signedOut(state, actions) {
  const { demo, mode, failure, ended, busy } = state;
  return [
    el("h2", {}, mode === "register" ? "Create an account" : "Sign in"),
    ended ? message("note", "Your session has ended. Sign in again to go on.") : null,
    failure ? message("error", failure.message) : null,
    demo ? el("button", {
      class: "primary", type: "button", disabled: busy, "data-test": "demo-guest",
      onclick: actions.demo,
    }, "Continue as demo guest") : null,
    demo ? el("p", { class: "or" }, el("span", {}, "or use your own account")) : null,
    mode === "register" ? registration(state, actions) : login(state, actions),
  ];
}

function login({ busy, demo, typed }, actions) {
  return form("sign-in", actions.signIn, [
    field("email", "Email", {
      type: "email", autocomplete: "username", value: typed.email,
    }),
    field("password", "Password", { type: "password", autocomplete: "current-password" }),
    submit(demo ? "secondary" : "primary", busy, "Sign in"),
    change("No account yet? Register", () => actions.mode("register")),
  ]);
}

function registration({ busy, typed }, actions) {
  return form("register", actions.register, [
    el("div", { class: "pair" },
      field("first_name", "First name", {
        autocomplete: "given-name", value: typed.first_name,
      }),
      field("last_name", "Last name", {
        autocomplete: "family-name", value: typed.last_name,
      })),
    field("email", "Email", {
      type: "email", autocomplete: "username", value: typed.email,
    }),
    field("password", "Password, 12 characters or more", {
      type: "password", autocomplete: "new-password", minLength: 12, maxLength: 128,
    }),
    submit("primary", busy, "Register"),
    change("Have an account? Sign in", () => actions.mode("sign-in")),
  ]);
}

function form(name, action, children) {
  return el("form", {
    class: "form", "data-test": name,
    onsubmit: (event) => {
      event.preventDefault();
      action(Object.fromEntries(new FormData(event.target)));
    },
  }, children);
}

function field(name, label, facts) {
  return el("label", { class: "field" },
    el("span", {}, label),
    el("input", { name, required: true, "data-test": name, ...facts }));
}

function submit(look, busy, text) {
  return el("button", { class: look, disabled: busy, "data-test": "submit" },
    busy ? "One moment…" : text);
}

function change(text, action) {
  return el("button", { class: "plain", type: "button", "data-test": "mode", onclick: action },
    text);
}
