// The site: one document for all pages, so that tokens that live in memory outlast a click. It
// matches the address, hands the main element to that page's module, and follows links inside.
//
// A page is a function of `{main, api, session, id, params, go}` that fills `main` and returns what
// ends it; `params` are those of the address, and `go(path)` leads to another page.

import { showAccount } from "./account.js";
import { boardPage } from "./host/board.js";
import { homePage } from "./pages/home.js";
import { listPage } from "./pages/list.js";
import { tripsPage } from "./pages/trips.js";
import { el, fill } from "./dom.js";
import * as pulse from "./pulse.js";
import { Session } from "./session.js";

const PAGES = [
  [/^\/$/, "Homes", listPage],
  [/^\/stay\/([^/]+)\/?$/, "Home", homePage],
  [/^\/trips\/?$/, "Your trips", tripsPage],
  [/^\/host\/?$/, "Host board", boardPage],
];

const session = new Session();
const main = document.getElementById("main");
let leave = null;

function show(focus) {
  leave?.();
  leave = null;
  pulse.forget();
  const { pathname, search } = location;
  const [pattern, title, page] = PAGES.find(([pattern]) => pattern.test(pathname)) ?? [];
  for (const link of document.querySelectorAll("#nav a")) {
    const here = link.pathname === pathname;
    if (here) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  document.title = `${title ?? "Not found"} · Vacancy`;
  main.replaceChildren();
  if (!page) {
    fill(main, el("div", { class: "wide page" }, el("h1", {}, "There is no such page")));
    return;
  }
  leave = page({
    main, session, api: session.api, go,
    id: decodeURIComponent(pattern.exec(pathname)[1] ?? ""),
    params: new URLSearchParams(search),
  });
  if (focus) {
    main.focus({ preventScroll: true });
    scrollTo(0, 0);
  }
}

function go(path) {
  history.pushState(null, "", path);
  show(true);
}

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[href]");
  const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey
    && !event.altKey && !event.defaultPrevented;
  if (!link || !plain || link.target || link.origin !== location.origin) return;
  if (link.getAttribute("href").startsWith("#")) return;
  if (!PAGES.some(([pattern]) => pattern.test(link.pathname))) return;
  event.preventDefault();
  go(link.pathname + link.search);
});
addEventListener("popstate", () => show(true));
// A browser may show this very document again when somebody goes back from a payment page. Its
// session was handed over by then, and a fresh one takes it.
addEventListener("pageshow", ({ persisted }) => persisted && session.isAway && location.reload());

session.addEventListener("change", () => showAccount(document.getElementById("account"), session));
showAccount(document.getElementById("account"), session);
session.findDemo();
if (session.isAway) await session.comeBack();
show(false);
