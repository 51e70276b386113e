// Provides fields for each kind of value, the submission of forms, and the password prompt.

import { Problem } from "./api.js";
import { button, explain, fill, h, iconButton, isolated, mark, onKeys, openDialog, problemBox, sentence, unique } from "./dom.js";
import { confirmationWord, confirmsByPassword, myName, plural, rich, t } from "./page.js";

/**
 * Creates a field for one line of text, or for several with `multiline`. Other options are
 * attributes of the input.
 * @param {{ label: string, help?: string, multiline?: boolean, value?: string, check?: (text: string) => string | null, [attribute: string]: any }} options
 */
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

/** Creates the error line below a field. */
export function errorLine(id) {
  const node = h("p", { class: "error", id: `${id}-error`, role: "alert" });
  return { node, id: node.id, say: (message) => fill(node, message) };
}

/** Creates a select field with the options `[[label, value]]`. */
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

/** Checks the name of a token. */
export const checkName = (name) => (name.trim() === "" ? t("form.name_missing") : null);

/**
 * Runs `action` when the form is submitted. `fields` maps the API's field names to fields. The form
 * is not sent if the `check` of a field fails. `box` shows problems that belong to no field.
 * `reload` is offered if the token was changed elsewhere.
 *
 * After a success the form ignores further submissions. It is about to be replaced, and a second
 * click would create a second token.
 * @param {HTMLFormElement} form
 * @param {{ action: () => any, fields?: object, box: any, reload?: () => Promise<void> }} options
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
    // The button stays enabled, because a disabled button loses the focus.
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
      // Other errors are bugs of this page, which the browser reports.
      if (!(problem instanceof Problem)) throw problem;
      showProblem(problem, { fields, box, reload });
    }
  });
}

/** Checks the fields and focuses the first that fails. */
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
  const messages = problem.kind === "scope-not-grantable" && fields.scopes ? [{ field: "scopes", message: notGrantable(problem, fields.scopes.value) }] : problem.errors;
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

/** Names the selected scopes that the person cannot grant. The server lists them in its message. */
function notGrantable(problem, chosen) {
  const named = problem.detail.split(/[\s,]+/);
  const rejected = chosen.filter((scope) => named.includes(scope));
  return rejected.length > 0 ? t("problem.scope-not-grantable.names", { names: rejected.join(", ") }) : explain(problem).text;
}

async function loadAgain(reload, box) {
  try {
    await reload();
    box.clear();
  } catch (problem) {
    box.show(problem);
  }
}

// A text that can be edited in place.

/**
 * Creates the text. `shown` renders it, and `save` is called with the new text. `update` shows
 * another text but keeps unsaved input.
 */
export function inlineEdit({ label, name, title, shown, save, reload, editable, ...attributes }) {
  let text = "";
  let editing = null;
  const node = h("div", { class: "inline" });
  const edit = iconButton("edit", title, title, open);

  const rest = () => fill(node, shown(text), editable && edit);

  function open() {
    const input = field({ label, name, value: text, ...attributes });
    const box = problemBox({ form: true });
    const current = h("p", { class: "help" });
    const form = h(
      "form",
      { class: "stack grow" },
      input.node,
      current,
      box.node,
      h("div", { class: "actions start" }, h("button", { class: "button primary small", type: "submit" }, t("save")), h("button", { class: "button small", type: "button", on: { click: close } }, t("cancel"))),
    );
    editing = { current };
    submits(form, {
      box,
      fields: { [name]: input },
      reload,
      action: async () => {
        await save(input.value);
        close();
      },
    });
    onKeys(form, { Escape: close });
    fill(node, form);
    input.focus();
    input.input.select();
  }

  function close() {
    editing = null;
    rest();
    edit.focus();
  }

  return {
    node,
    update(now) {
      const changed = now !== text;
      text = now;
      if (!editing) rest();
      else if (changed) fill(editing.current, text === "" ? t("edit.empty_now") : rich("edit.now", { text: isolated(text) }));
    },
  };
}

// Lists of resources, such as the projects or channels that an operation is limited to.

/** The characters of a scope segment (RFC 6749, section 3.3, without `:`). */
const SEGMENT = /^[!#-9;-[\]-~]+$/;

const isSegment = (text) => SEGMENT.test(text) && !text.split("/").some((part) => part === "." || part === "..");

/**
 * Creates an editable list of resources. `names` are the parameters of each resource, and `title`
 * is the operation. With `free`, whole scopes are entered instead. `changed` is called after each
 * change.
 */
export function resourceList({ names, title, free = false, changed }) {
  const id = unique("resources");
  const error = errorLine(id);
  let resources = [];
  const label = (name) => (free ? t("scopes.scope") : t("scopes.resource_label", { name, title }));
  const inputs = names.map((name, at) =>
    h("input", { "aria-label": label(name), placeholder: at === 0 ? name : t("scopes.resource_or_all", { name }), autocomplete: "off", autocapitalize: "off", spellcheck: "false", maxlength: 128, "aria-describedby": error.id, dir: "ltr" }),
  );
  const chips = h("ul", { class: "chips plain" });

  /** Adds the resource in the inputs. Returns whether it was valid. */
  function add() {
    const values = inputs.map((input) => input.value.trim());
    // Empty trailing parameters stand for all: `domain:channel`, or `domain` for all its channels.
    while (values.length > 1 && values.at(-1) === "") values.pop();
    const wrong = values.findIndex((value) => !(free ? value.split(":") : [value]).every(isSegment));
    if (wrong >= 0) {
      error.say(values[wrong] === "" ? t("scopes.resource_missing", { name: names[wrong] }) : t("scopes.resource_wrong"));
      inputs[wrong].focus();
      return false;
    }
    error.say(null);
    const added = values.join(":");
    if (!resources.includes(added)) resources.push(added);
    for (const input of inputs) input.value = "";
    show();
    changed();
    return true;
  }

  function take(resource) {
    resources = resources.filter((each) => each !== resource);
    show();
    changed();
    inputs[0].focus();
  }

  function show() {
    chips.hidden = resources.length === 0;
    fill(chips, resources.map((each) => h("li", { class: "chip" }, h("code", {}, each), iconButton("close", t("scopes.take_out"), t("scopes.take_out_name", { name: each }), () => take(each)))));
  }

  const enter = (event) => {
    // Enter would submit the whole form.
    event.preventDefault();
    if (add()) inputs[0].focus();
  };
  for (const input of inputs) onKeys(input, { Enter: enter });
  show();
  return {
    node: h("div", { class: "resources" }, chips, h("div", { class: "row" }, inputs, button("plus", t("scopes.add_resource"), () => add() && inputs[0].focus(), { class: "button small" })), error.node),
    get value() {
      return resources;
    },
    set value(list) {
      resources = [...list];
      error.say(null);
      show();
    },
    /** Adds input that was not added yet. Returns whether it was valid. */
    finish: () => inputs.every((input) => input.value.trim() === "") || add(),
    fail: error.say,
    focus: () => inputs[0].focus(),
  };
}

// The password prompt, if the host requires a password for each change.

/** Thrown when the person cancels. */
class Cancelled extends Error {}

/**
 * Whether the host has required a password before. If so, the prompt opens before the first
 * request.
 */
let expected = false;

const asksForPassword = ({ kind }) => ["confirmation-required", "confirmation-failed", "too-many-attempts"].includes(kind);

/**
 * Makes a change, with the password if the host requires one. `attempt` takes the headers to send,
 * and `doing` describes the change. Each change prompts again, and the password is not stored.
 */
export async function confirmed(doing, attempt) {
  if (!expected) {
    try {
      return await attempt({});
    } catch (problem) {
      if (problem.kind !== "confirmation-required") throw problem;
      expected = true;
    }
  }
  return prompt(doing, attempt);
}

function prompt(doing, attempt) {
  const values = { what: confirmationWord };
  const password = field({
    label: t("confirm.label", values),
    name: "password",
    type: "password",
    autocomplete: confirmsByPassword ? "current-password" : "one-time-code",
    required: true,
    check: (text) => (text === "" ? t("confirm.missing", values) : null),
  });
  // Password managers save and fill a password together with a user name.
  const user = h("input", { class: "hidden", name: "username", autocomplete: "username", readonly: true, tabindex: "-1", "aria-hidden": "true" });
  user.value = myName;
  const submit = h("button", { class: "button primary", type: "submit" }, t("confirm.submit"));
  const cancel = h("button", { class: "button", type: "button", on: { click: () => dialog.close() } }, t("cancel"));
  const form = h("form", { class: "stack" }, user, password.node, h("div", { class: "actions" }, cancel, submit));
  const dialog = openDialog({ title: t("confirm.title", values), text: doing, body: form });
  form.noValidate = true;
  return new Promise((resolve, reject) => {
    let countdown;
    dialog.closed.then(() => {
      clearInterval(countdown);
      reject(new Cancelled("not confirmed"));
    });
    const finish = (settle, value) => {
      settle(value);
      dialog.close();
    };
    /** Blocks further attempts while the server would reject them. */
    const wait = (seconds) => {
      submit.disabled = true;
      const until = Date.now() + seconds * 1000;
      const tick = () => {
        const rest = Math.ceil((until - Date.now()) / 1000);
        password.fail(rest > 0 ? plural("confirm.wait", rest) : null);
        if (rest > 0) return;
        clearInterval(countdown);
        submit.disabled = false;
      };
      clearInterval(countdown);
      countdown = setInterval(tick, 1000);
      tick();
    };
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const missing = password.check();
      password.fail(missing);
      if (missing || submit.disabled) return;
      submit.disabled = true;
      try {
        finish(resolve, await attempt({ "Hallpass-Confirmation": base64url(password.value) }));
      } catch (problem) {
        if (!asksForPassword(problem)) return finish(reject, problem);
        password.value = "";
        submit.disabled = false;
        if (problem.status === 429) wait(problem.retryAfter ?? 1);
        else password.fail(problem.kind === "confirmation-failed" ? t("confirm.wrong", values) : explain(problem).text);
        password.focus();
      }
    });
    password.focus();
  });
}

/** Encodes the UTF-8 bytes of a text as base64url without padding (RFC 4648, section 5). */
function base64url(text) {
  const bytes = new TextEncoder().encode(text);
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}
