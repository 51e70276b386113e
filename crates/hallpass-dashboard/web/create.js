// Creating a token, from nothing or as a copy of another.

import * as api from "./api.js";
import { catalog } from "./catalog.js";
import { fill, h } from "./dom.js";
import { expiryField } from "./expiry-field.js";
import { field } from "./fields.js";
import { submits } from "./form.js";
import { icon } from "./icons.js";
import { problemBox } from "./problem-view.js";
import { goInstead, toDetail, toList } from "./route.js";
import { scopePicker } from "./scope-picker.js";
import { hand } from "./secret.js";
import { lastDay } from "./time.js";

/** The form; with `from`, filled in as that token is. */
export function createView({ from }) {
  const title = from ? "Copy as a new token" : "New token";
  const body = h("div", { class: "stack" }, h("div", { class: "waiting" }, h("span", { class: "bar" })));
  const box = problemBox();
  let left = false;

  async function load() {
    try {
      const [known, source] = await Promise.all([catalog(), from ? api.show(from) : null]);
      box.clear();
      fill(body, form(known, source, () => left));
      if (!left && document.activeElement?.tagName !== "A") body.querySelector("input").focus();
    } catch (problem) {
      if (problem.kind === undefined) throw problem;
      fill(body);
      box.show(problem, { buttons: problem.status === 404 ? {} : { "Try again": load } });
    }
  }

  const node = h(
    "div",
    { class: "view narrow" },
    h("a", { class: "home", href: toList() }, icon("back"), "All tokens"),
    h("h1", { tabindex: "-1" }, title),
    box.node,
    body,
  );
  return { title, node, ready: load(), leave: () => (left = true) };
}

function form(known, source, left) {
  const name = field({ label: "Name", name: "name", required: true, maxlength: 100, value: source ? source.name : "", help: "What it is for, as you will recognise it: “nightly build”, “backup of the wiki”." });
  const description = field({ label: "Description (optional)", name: "description", multiline: true, rows: 2, maxlength: 1000, value: source?.description });
  const expires = expiryField({ limits: known.limits, keep: source && asOriginal(source) });
  const scopes = scopePicker(known, { chosen: source?.scopes });
  const box = problemBox();
  const node = h(
    "form",
    { class: "stack card" },
    source && h("p", { class: "quiet" }, `A new token with a secret of its own. “${source.name}” stays as it is.`),
    name.node,
    description.node,
    expires.node,
    scopes.node,
    h("p", { class: "help" }, "Give it no more than it needs. Without scopes it may do nothing until you add some."),
    box.node,
    h("div", { class: "actions" }, h("a", { class: "button", href: toList() }, "Cancel"), h("button", { class: "button primary", type: "submit" }, "Create token")),
  );
  submits(node, {
    box,
    fields: { name, description, expires, scopes },
    action: async () => {
      if (name.value.trim() === "") throw new api.Problem("invalid", 422, { errors: [{ field: "name", message: "give it a name" }] });
      const sent = { name: name.value, description: description.value, scopes: scopes.value };
      if (expires.value !== undefined) sent.expires = expires.value;
      const issued = await (source ? api.copy(source.id, sent) : api.issue(sent));
      // Who has left meanwhile did so by a step of their own: nothing is shown over it.
      if (left()) return;
      hand(issued);
      // Back leads to the list, not to a form that would make another one.
      goInstead(toDetail(issued.id));
    },
  });
  return node;
}

/** The end of the original; where it is past, the host's default stands in for it, and nothing is kept. */
function asOriginal({ expires_at: end }) {
  if (end === null) return { label: "As the original (never)", end: null };
  return Date.parse(end) > api.now() ? { label: `As the original (${lastDay(end)})`, end: Date.parse(end) } : null;
}
