// The dialog that gives a host the calendar for a page of their own: the snippet, and the very
// widget as it will look there.

import { openDialog } from "../dialog.js";
import { el, fill } from "../dom.js";

const THEMES = [["", "As the visitor's device"], ["light", "Light"], ["dark", "Dark"]];
const LANGUAGES = [
  ["", "As the page"], ["en", "English"], ["de", "Deutsch"], ["es", "Español"],
  ["fr", "Français"], ["it", "Italiano"],
  ["pt", "Português"], ["nl", "Nederlands"], ["tr", "Türkçe"],
  ["ar", "العربية"], ["ja", "日本語"], ["zh", "中文"], ["sw", "Kiswahili"],
];

export function showEmbed(home) {
  const code = el("textarea", {
    class: "snippet", readOnly: true, rows: 5, spellcheck: false, "aria-label": "Snippet",
    "data-test": "snippet",
  });
  const preview = el("div", { class: "preview", "data-test": "preview" });
  const said = el("p", { class: "hint", role: "status" });
  const chosen = { theme: "", lang: "" };
  const show = () => {
    const facts = Object.entries(chosen).filter(([, value]) => value);
    code.value = snippet(home, facts);
    fill(preview, el("vacancy-calendar", { property: home.id, ...Object.fromEntries(facts) }));
    const calendar = preview.firstElementChild;
    for (const [name, value] of facts) calendar.setAttribute(name, value);
    preview.dataset.theme = chosen.theme;
  };
  const choice = (name, label, options) => el("label", { class: "field" }, el("span", {}, label),
    el("select", {
      name, "data-test": `embed-${name}`,
      onchange: ({ target }) => {
        chosen[name] = target.value;
        show();
      },
    }, options.map(([value, text]) => el("option", { value }, text))));
  openDialog({
    title: "Put this calendar on your own page", test: "embed-dialog", wide: true,
    draw: () => [
      el("p", { class: "hint" }, "Paste this where the calendar should be. It stays live there, "
        + "and needs nothing else."),
      code,
      el("div", { class: "actions start" },
        el("button", {
          class: "primary", type: "button", "data-test": "copy",
          onclick: () => copy(code, said),
        }, "Copy the snippet"), said),
      el("div", { class: "pair" }, choice("theme", "Colours", THEMES),
        choice("lang", "Language", LANGUAGES)),
      el("h3", {}, "As your visitors see it"), preview,
    ],
  });
  show();
}

function snippet(home, facts) {
  const more = facts.map(([name, value]) => ` ${name}="${value}"`).join("");
  const source = `${location.origin}/widget/vacancy-calendar.js`;
  return `<script type="module" src="${source}"></script>\n`
    + `<vacancy-calendar property="${home.id}"${more}></vacancy-calendar>`;
}

// The clipboard is for secure pages; elsewhere the text is selected, so that one key copies it.
async function copy(code, said) {
  code.select();
  try {
    await navigator.clipboard.writeText(code.value);
    said.textContent = "Copied.";
  } catch {
    said.textContent = "Selected: copy it with Ctrl+C or ⌘C.";
  }
}
