// The form for a new token, from nothing or as a copy of another one.

import { copyToken, issueToken, showToken } from "./api.js";
import { loadCatalog } from "./catalog.js";
import { fill, h, icon, isolated } from "./dom.js";
import { expiryField, keptEnd } from "./expiry-field.js";
import { checkName, field, submits } from "./form.js";
import { problemBox } from "./problem.js";
import { goInstead, toList, toToken } from "./route.js";
import { scopePicker } from "./scope-picker.js";
import { handOver } from "./secret.js";
import { rich, t } from "./texts.js";

/** What was filled in when the form was left, and of which form. It is kept as long as the page is open. */
let draft = null;

/** Creates the form. With `from` it is filled in as that token is. */
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
    if (document.activeElement?.tagName !== "A") form.focus();
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
  const name = field({ label: t("form.name"), name: "name", required: true, maxlength: 100, help: t("form.name_help"), check: checkName, value: source ? t("form.copy_of", source).slice(0, 100) : "" });
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
      const sent = { name: name.value, description: description.value, scopes: scopes.value };
      if (expires.value !== undefined) sent.expires = expires.value;
      const issued = await (source ? copyToken(source.id, sent) : issueToken(sent));
      finished = true;
      draft = null;
      // The person has gone elsewhere meanwhile: nothing is shown over that.
      if (isLeft()) return;
      handOver(issued);
      // Back leads to the list, not to a form that would make another token.
      goInstead(toToken(issued.id));
    },
  });
  return {
    node: form,
    focus: name.focus,
    /** Returns what is filled in; `null` if that is nothing, or is done with. */
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

/** Says how many tokens there is room for, before anything is filled in. */
function roomNote({ tokens_per_owner: limit, in_use: inUse }) {
  if (limit === null) return null;
  if (inUse < limit) return h("p", { class: "quiet" }, t("list.room", { in_use: inUse, limit }));
  const link = h("a", { href: toList({ status: "all" }) }, t("form.full_link"));
  return h("div", { class: "problem" }, icon("warning"), h("div", {}, h("strong", {}, t("form.full_title", { in_use: inUse, limit })), h("p", {}, t("form.full_text"), " ", link)));
}
