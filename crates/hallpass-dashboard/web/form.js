// Provides the form for a new or copied token, and the panel that shows the secret once.

import { goInstead, toList, toToken } from "./address.js";
import { copyToken, issueToken, now, showToken } from "./api.js";
import { day, expiryField, keptEnd } from "./dates.js";
import { ask, button, fill, h, icon, isolated, problemBox, say } from "./dom.js";
import { checkName, field, submits } from "./fields.js";
import { defaultName, exampleUrl, rich, t } from "./page.js";
import { loadCatalog, scopePicker } from "./scopes.js";

/** The values of the form that was left last. They are kept while the page is open. */
let draft = null;

/** Creates the form. With `from`, it starts with the values of that token. */
export function formView({ from }) {
  const title = t(from ? "form.title_copy" : "form.title");
  const body = h("div", { class: "stack" }, h("div", { class: "waiting" }, h("span", { class: "bar" })));
  const box = problemBox();
  let form = null;
  let left = false;

  async function load() {
    try {
      const [catalog, source] = await Promise.all([loadCatalog(), from ? showToken(from) : null]);
      if (left) return;
      box.clear();
      start(catalog, source);
    } catch (problem) {
      if (problem.kind === undefined) throw problem;
      fill(body);
      box.show(problem, { buttons: problem.status === 404 ? {} : { [t("try_again")]: load } });
    }
  }

  function start(catalog, source) {
    const again = () => {
      draft = null;
      start(catalog, source);
    };
    form = tokenForm(catalog, source, { isLeft: () => left, again });
    fill(body, form.node);
    if (draft?.from === from) form.restore(draft);
    if (PLACE.root.activeElement?.tagName !== "A") form.focus();
  }

  return {
    title,
    node: h("div", { class: "view narrow" }, h("h1", { tabindex: "-1" }, title), box.node, body),
    ready: load(),
    leave() {
      left = true;
      if (form) draft = form.draft() && { from, ...form.draft() };
    },
  };
}

function tokenForm(catalog, source, { isLeft, again }) {
  const { limits } = catalog;
  const unnamed = defaultName?.replace("{date}", day(now()));
  const naming = unnamed ? { label: t("form.name_optional"), help: t("form.name_default", { name: unnamed }) } : { label: t("form.name"), required: true, help: t("form.name_help"), check: checkName };
  const name = field({ ...naming, name: "name", maxlength: 100, value: source ? t("form.copy_of", source).slice(0, 100) : "" });
  const description = field({ label: t("form.description"), name: "description", multiline: true, rows: 2, maxlength: 1000, value: source?.description });
  const expires = expiryField({ limits, keep: source && keptEnd("expiry.as_original", source) });
  const scopes = scopePicker(catalog, { chosen: source?.scopes });
  const box = problemBox({ form: true });
  const restored = h("p", { class: "notice", hidden: true }, t("form.restored"), " ", h("button", { class: "button small", type: "button", on: { click: again } }, t("form.start_over")));
  const values = () => ({ name: name.value, description: description.value, expires: expires.state, scopes: scopes.value });
  const atStart = JSON.stringify(values());
  let finished = false;
  const form = h(
    "form",
    { class: "stack card" },
    source && h("p", { class: "quiet" }, rich("form.copy_note", { name: isolated(source.name) })),
    roomNote(limits),
    restored,
    name.node,
    description.node,
    expires.node,
    scopes.node,
    h("p", { class: "help" }, t("form.scopes_help")),
    box.node,
    h("div", { class: "actions" }, h("a", { class: "button", href: toList(), on: { click: () => (finished = true) } }, t("cancel")), h("button", { class: "button primary", type: "submit" }, t("form.submit"))),
  );
  submits(form, {
    box,
    fields: { name, description, expires, scopes },
    action: async () => {
      const sent = { name: name.value.trim() === "" ? unnamed : name.value, description: description.value, scopes: scopes.value };
      if (expires.value !== undefined) sent.expires = expires.value;
      const issued = await (source ? copyToken(source.id, sent) : issueToken(sent));
      finished = true;
      draft = null;
      // The person has navigated elsewhere, so the new view stays.
      if (isLeft()) return;
      handOver(issued);
      // Going back leads to the list, not to a form that would create another token.
      goInstead(toToken(issued.id));
    },
  });
  return {
    node: form,
    focus: name.focus,
    /** Returns the values to keep, or `null` if nothing was changed or the form is finished. */
    draft: () => (finished || JSON.stringify(values()) === atStart ? null : values()),
    restore(kept) {
      name.value = kept.name;
      description.value = kept.description;
      expires.restore(kept.expires);
      scopes.value = kept.scopes;
      restored.hidden = false;
    },
  };
}

/** Shows the number of tokens and the limit before the form is filled in. */
function roomNote({ tokens_per_owner: limit, in_use: inUse }) {
  if (limit === null) return null;
  if (inUse < limit) return h("p", { class: "quiet" }, t("list.room", { in_use: inUse, limit }));
  const link = h("a", { href: toList({ status: "all" }) }, t("form.full_link"));
  return h("div", { class: "problem" }, icon("warning"), h("div", {}, h("strong", {}, t("form.full_title", { in_use: inUse, limit })), h("p", {}, t("form.full_text"), " ", link)));
}

// The secret is shown once. The view that shows it takes the secret over from the response and
// removes it when it is left. It is never in an address, in storage or in a form field, which
// browsers may remember.

let handedOver = null;

/** Keeps the secret of an issued token for the view that is shown next. */
function handOver(issued) {
  handedOver = issued;
}

/** Returns the secret for this token and forgets it. */
export function takeSecret(id) {
  const secret = handedOver?.id === id ? handedOver.token : null;
  handedOver = null;
  return secret;
}

/** Creates the place for a secret. `show` shows it and `clear` removes it. */
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

/** Asks whether to leave an unsaved secret. */
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

/** Returns the selection. Some browsers have a separate selection for each shadow root. */
const selection = () => /** @type {Selection} */ (PLACE.root["getSelection"]?.() ?? getSelection());

/** Copies the text of an element. Returns whether this worked. */
async function toClipboard(element) {
  try {
    await navigator.clipboard.writeText(element.textContent);
    say(t("secret.copied"));
    return true;
  } catch {
    // The clipboard is missing without TLS, and the person may deny access to it.
    selection().selectAllChildren(element);
    say(t("secret.not_copied"));
    return false;
  }
}

/** Derives a file name from the token's name, with letters and digits that every system accepts. */
function fileName(name) {
  const plain = name.normalize("NFKD").toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "").slice(0, 40);
  return plain === "" ? "token.txt" : `${plain}-token.txt`;
}

function toFile(text, file) {
  const url = URL.createObjectURL(new Blob([text], { type: "text/plain" }));
  h("a", { href: url, download: file }).click();
  // Some browsers start to read the URL a little later.
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}
