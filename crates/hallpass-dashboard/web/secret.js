// The secret, shown once: the answer that carries it hands it to the view that shows it, and it is gone with that view.
// It is in no address, no storage and no form field, which browsers would remember.

import { ask, say } from "./dialog.js";
import { button, fill, h, icon } from "./dom.js";
import { exampleUrl } from "./page-data.js";
import { t } from "./texts.js";

let handedOver = null;

/** Keeps the secret of an issued token for the view of that token, which is shown next. */
export function handOver(issued) {
  handedOver = issued;
}

/** Returns the secret that was handed over for this token. Nobody gets it a second time. */
export function takeSecret(id) {
  const secret = handedOver?.id === id ? handedOver.token : null;
  handedOver = null;
  return secret;
}

/** Creates the place where a secret is shown: `show` shows one, `clear` removes it. */
export function secretPlace() {
  const node = h("div", {});
  let saved = true;
  const place = {
    node,
    show(secret, { name }) {
      saved = false;
      const panel = secretPanel(secret, name, { save: () => (saved = true), done: place.clear });
      fill(node, panel);
      panel.querySelector("h2").focus();
    },
    clear() {
      saved = true;
      fill(node);
    },
    /** Returns whether a secret is shown that was neither copied nor downloaded. */
    unsaved: () => !saved,
  };
  return place;
}

/** Asks whether to leave a secret that is not saved. */
export const askToLeaveSecret = () => ask({ title: t("secret.leave_title"), text: t("secret.leave_text"), label: t("secret.leave"), danger: true });

function secretPanel(secret, name, { save, done }) {
  const code = h("code", { class: "secret", translate: "no", dir: "ltr" }, secret);
  const curl = h("code", { class: "curl", translate: "no", dir: "ltr" }, `curl -H 'Authorization: Bearer ${secret}' '${exampleUrl.replaceAll("'", "%27")}'`);
  const copy = async (element) => (await toClipboard(element)) && save();
  const download = () => {
    toFile(`${secret}\n`, fileName(name));
    save();
  };
  return h(
    "section",
    { class: "secret-panel", "aria-labelledby": "secret" },
    h("h2", { id: "secret", tabindex: "-1" }, t("secret.title")),
    h("p", { class: "warn" }, icon("warning"), h("span", {}, h("strong", {}, t("secret.once")), " ", t("secret.gone"))),
    code,
    h(
      "div",
      { class: "actions start" },
      button("copy", t("secret.copy"), () => copy(code), { class: "button primary" }),
      button("download", t("secret.download"), download),
      h("button", { class: "button", type: "button", on: { click: done } }, t("secret.done")),
    ),
    h("p", { class: "quiet" }, t("secret.use")),
    h("div", { class: "curl-line" }, curl, button("copy", t("secret.copy_curl"), () => copy(curl), { class: "button small" })),
  );
}

/** Copies the text of an element. Returns whether that worked. */
async function toClipboard(element) {
  try {
    await navigator.clipboard.writeText(element.textContent);
    say(t("secret.copied"));
    return true;
  } catch {
    // Without TLS pages have no clipboard, and a person may forbid it.
    getSelection().selectAllChildren(element);
    say(t("secret.not_copied"));
    return false;
  }
}

/** Names the file after the token, with letters and digits that every system accepts. */
function fileName(name) {
  const plain = name.normalize("NFKD").toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "").slice(0, 40);
  return plain === "" ? "token.txt" : `${plain}-token.txt`;
}

function toFile(text, file) {
  const url = URL.createObjectURL(new Blob([text], { type: "text/plain" }));
  h("a", { href: url, download: file }).click();
  // Not at once: some browsers begin to read a little later.
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}
