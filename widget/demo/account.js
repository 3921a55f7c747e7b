// The account in the header, and the dialog to sign in or register. A demo server offers its own
// accounts first.

import { openDialog } from "./dialog.js";
import { el, fill, message } from "./dom.js";

/** Who is signed in, or the way in. */
export function showAccount(place, session) {
  const { user } = session;
  fill(place, user
    ? [
      el("span", { class: "who", "data-test": "signed-in", title: user.email },
        user.first_name || user.email),
      el("button", {
        class: "quiet-button", type: "button", "data-test": "sign-out",
        onclick: () => session.signOut(),
      }, "Sign out"),
    ]
    : el("button", {
      class: "secondary small", type: "button", "data-test": "sign-in-open",
      onclick: () => askWho(session),
    }, "Sign in"));
}

/** Asks who is there; `role` is what a new account begins with. */
export function askWho(session, role = "guest") {
  const state = { mode: "sign-in", role, typed: {}, busy: false, failure: null };
  const dialog = openDialog({
    title: "Welcome", test: "who",
    draw: (close) => {
      const enter = (action, typed) => run(async () => {
        await action();
        close();
      }, typed);
      const actions = {
        demo: (account) => enter(() => session.signIn(account), {}),
        signIn: (fields) => enter(() => session.signIn(fields), fields),
        register: (fields) => enter(() => session.register(fields), fields),
        mode: (mode) => {
          Object.assign(state, { mode, failure: null });
          dialog.redraw();
        },
      };
      return doors({ ...state, ended: session.ended, demo: session.demo }, actions);
    },
  });
  async function run(action, typed) {
    Object.assign(state, { typed, busy: true, failure: null });
    dialog.redraw();
    try {
      await action();
    } catch (problem) {
      Object.assign(state, { busy: false, failure: problem });
      dialog.redraw();
    }
  }
}

/** What a page shows that is for somebody who is signed in. */
export function invitation(session, { title, text, role }) {
  const demo = session.demo?.[role];
  return el("section", { class: "panel vacant", "data-test": "invitation" },
    el("h2", {}, title),
    el("p", { class: "hint" }, text),
    el("div", { class: "actions" },
      demo
        ? el("button", {
          class: "primary", type: "button", "data-test": `demo-${role}`,
          onclick: (event) => {
            event.target.disabled = true;
            session.signIn(demo).catch(() => askWho(session, role));
          },
        }, `Continue as demo ${role}`)
        : null,
      el("button", {
        class: demo ? "secondary" : "primary", type: "button", "data-test": "enter",
        onclick: () => askWho(session, role),
      }, "Sign in or register")));
}

function doors(state, actions) {
  const { demo, mode, failure, ended, busy } = state;
  const door = (role) => el("button", {
    class: "secondary", type: "button", disabled: busy, "data-test": `demo-${role}`,
    onclick: () => actions.demo(demo[role]),
  }, `Demo ${role}`);
  return [
    ended ? message("note", "Your session has ended. Sign in again to go on.") : null,
    failure ? message("error", failure.message) : null,
    demo ? el("div", { class: "actions" }, door("guest"), door("host")) : null,
    demo ? el("p", { class: "or" }, el("span", {}, "or use your own account")) : null,
    mode === "register" ? registration(state, actions) : login(state, actions),
  ];
}

function login({ busy, typed }, actions) {
  return form("sign-in", actions.signIn, [
    field("email", "Email", { type: "email", autocomplete: "username", value: typed.email }),
    field("password", "Password", { type: "password", autocomplete: "current-password" }),
    submit(busy, "Sign in"),
    change("No account yet? Register", () => actions.mode("register")),
  ]);
}

function registration({ busy, typed, role }, actions) {
  const side = (value, text) => el("label", { class: "choice" },
    el("input", {
      type: "radio", name: "role", value, checked: (typed.role ?? role) === value,
    }), el("span", {}, text));
  return form("register", actions.register, [
    el("fieldset", { class: "choices" },
      el("legend", {}, "I want to"), side("guest", "Travel"), side("host", "Host")),
    el("div", { class: "pair" },
      field("first_name", "First name", {
        autocomplete: "given-name", value: typed.first_name,
      }),
      field("last_name", "Last name", {
        autocomplete: "family-name", value: typed.last_name,
      })),
    field("email", "Email", { type: "email", autocomplete: "username", value: typed.email }),
    field("password", "Password, 12 characters or more", {
      type: "password", autocomplete: "new-password", minLength: 12, maxLength: 128,
    }),
    submit(busy, "Register"),
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

function submit(busy, text) {
  return el("button", { class: "primary", disabled: busy, "data-test": "submit" },
    busy ? "One moment…" : text);
}

function change(text, action) {
  return el("button", { class: "plain", type: "button", "data-test": "mode", onclick: action },
    text);
}
