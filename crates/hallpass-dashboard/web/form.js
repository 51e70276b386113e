// Forms: fields with their labels, their help and their errors, and what happens when a form is sent.

import { Problem } from "./api.js";
import { Cancelled } from "./confirmation.js";
import { fill, h, mark, unique } from "./dom.js";
import { sentence } from "./problem.js";
import { t } from "./texts.js";

/** Creates a field for one line of text; for several, if `multiline`. All else is an attribute of the input. */
export function field({ label, help, multiline = false, value = "", check, ...attributes }) {
  const id = unique("field");
  const error = errorLine(id);
  const input = h(multiline ? "textarea" : "input", { id, autocomplete: "off", dir: "auto", ...attributes });
  input.value = value;
  const count = attributes.maxlength && h("span", { class: "quiet", "aria-hidden": "true" });
  const counted = () => count && fill(count, `${[...input.value].length} / ${attributes.maxlength}`);
  input.addEventListener("input", counted);
  counted();
  const helpId = `${id}-help`;
  const describe = (failed) => mark(input, "aria-describedby", [help && helpId, failed && error.id].filter(Boolean).join(" ") || null);
  describe(false);
  return {
    node: h(
      "div",
      { class: "field" },
      h("div", { class: "label" }, h("label", { for: id }, label), count),
      input,
      help && h("p", { class: "help", id: helpId }, help),
      error.node,
    ),
    input,
    get value() {
      return input.value;
    },
    set value(text) {
      input.value = text;
      counted();
    },
    check: () => check?.(input.value) ?? null,
    fail(message) {
      error.say(message);
      mark(input, "aria-invalid", message ? "true" : null);
      describe(message);
    },
    focus: () => input.focus(),
  };
}

/** Creates the line below a field that says what is wrong with it. */
export function errorLine(id) {
  const node = h("p", { class: "error", id: `${id}-error`, role: "alert" });
  return { node, id: node.id, say: (message) => fill(node, message) };
}

/** Creates a field with a few options, `[[label, value]]`. */
export function selectField({ label, help, options }) {
  const id = unique("select");
  const error = errorLine(id);
  const select = h("select", { id, "aria-describedby": help ? `${id}-help` : null }, options.map(([text, value]) => h("option", { value }, text)));
  return {
    node: h("div", { class: "field" }, h("div", { class: "label" }, h("label", { for: id }, label)), select, help && h("p", { class: "help", id: `${id}-help` }, help), error.node),
    get value() {
      return select.value;
    },
    fail: error.say,
    focus: () => select.focus(),
  };
}

/** The check of a name. */
export const checkName = (name) => (name.trim() === "" ? t("form.name_missing") : null);

/**
 * Runs `action` when the form is sent. `fields` are by the names that the API gives them. A field with a `check` that
 * fails keeps the form from being sent. `box` shows what belongs to no field. `reload` is offered where somebody else
 * changed the token meanwhile.
 *
 * After a success the form takes no second submission: it is about to be replaced, and a second click would make a
 * second token.
 */
export function submits(form, { action, fields = {}, box, reload }) {
  let busy = false;
  const ready = () => {
    busy = false;
    mark(form, "aria-busy", null);
  };
  form.noValidate = true;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    // The button is not disabled, because it would lose the focus.
    if (busy) return;
    busy = true;
    mark(form, "aria-busy", "true");
    box.clear();
    for (const each of Object.values(fields)) each.fail(null);
    if (!passes(fields)) return ready();
    try {
      await action();
    } catch (problem) {
      ready();
      if (problem instanceof Cancelled) return;
      // An error of this page's own is for the browser to report.
      if (!(problem instanceof Problem)) throw problem;
      showProblem(problem, { fields, box, reload });
    }
  });
}

/** Checks the fields, and leads to the first that fails. */
function passes(fields) {
  let first = null;
  for (const each of Object.values(fields)) {
    const message = each.check?.() ?? null;
    if (message === null) continue;
    each.fail(message);
    first ??= each;
  }
  first?.focus();
  return first === null;
}

function showProblem(problem, { fields, box, reload }) {
  const messages = problem.kind === "scope-not-grantable" ? [{ field: "scopes", message: problem.detail }] : problem.errors;
  const others = [];
  const failed = new Map();
  for (const { field: name, message } of messages) {
    if (fields[name]) failed.set(name, [...(failed.get(name) ?? []), sentence(message)]);
    else others.push(`${name}: ${message}`);
  }
  for (const [name, said] of failed) fields[name].fail(said.join(" "));
  const [first] = failed.keys();
  if (first) fields[first].focus();
  if (failed.size > 0 && others.length === 0) return;
  const buttons = problem.status === 412 && reload ? { [t("form.reload")]: () => loadAgain(reload, box) } : {};
  box.show(problem, { more: others, buttons });
}

async function loadAgain(reload, box) {
  try {
    await reload();
    box.clear();
  } catch (problem) {
    box.show(problem);
  }
}
