// The secret, once: it is handed from the answer that carries it to the view that shows it, and is gone with that view.
// It is in no address, no storage and no form field, which browsers would remember.

import { h, fill } from "./dom.js";
import { icon } from "./icons.js";
import { say } from "./notices.js";

/** The name of the file that it is saved in: never one that somebody else chose. */
const FILE = "token.txt";

let handed = null;

/** Keeps a secret for the view of that token, which is shown next. */
export function hand({ id, token }) {
  handed = { id, token };
}

/** The secret for the view of that token, if one was handed; nobody gets it a second time. */
export function take(id) {
  const secret = handed?.id === id ? handed.token : null;
  handed = null;
  return secret;
}

/** Where a secret is shown: `show` one, `clear` it. */
export function secretPlace() {
  const node = h("div", {});
  const place = {
    node,
    show(secret) {
      const panel = secretPanel(secret, place.clear);
      fill(node, panel);
      panel.querySelector("h2").focus();
    },
    clear: () => fill(node),
  };
  return place;
}

function secretPanel(secret, done) {
  const code = h("code", { class: "secret", translate: "no" }, secret);
  const copy = h("button", { class: "button primary", type: "button", on: { click: () => toClipboard(code) } }, icon("copy"), "Copy");
  const download = h("button", { class: "button", type: "button", on: { click: () => toFile(code.textContent) } }, icon("download"), "Download");
  const close = h("button", { class: "button", type: "button", on: { click: done } }, "I have saved it");
  return h(
    "section",
    { class: "secret-panel", "aria-labelledby": "secret" },
    h("h2", { id: "secret", tabindex: "-1" }, "Your new token"),
    h("p", { class: "warn" }, icon("warning"), h("span", {}, h("strong", {}, "Copy it now: you will not see it again. "), "It is shown this once, and is gone when you leave or reload this page.")),
    code,
    h("div", { class: "actions start" }, copy, download, close),
    h("p", { class: "quiet" }, "Send it with each request, in the header ", h("code", {}, "Authorization: Bearer"), ", and keep it where you keep passwords."),
  );
}

async function toClipboard(code) {
  try {
    await navigator.clipboard.writeText(code.textContent);
    say("Copied. Paste it where your program finds it.");
  } catch {
    // Without TLS there is no clipboard for pages, and a person may say no to it.
    getSelection().selectAllChildren(code);
    say("Your browser does not let this page copy. The token is selected: press Ctrl+C or ⌘C.");
  }
}

function toFile(text) {
  const url = URL.createObjectURL(new Blob([`${text}\n`], { type: "text/plain" }));
  h("a", { href: url, download: FILE }).click();
  // Not at once: some browsers begin to read a little later.
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}
