// Creates elements, dialogs, messages and the box that explains a problem. All text is inserted as
// text, and nothing on this page is parsed as HTML.

import { submits } from "./fields.js";
import { plural, signInPath, t } from "./page.js";
import { signInAddress } from "./sign-in.js";

/**
 * Creates an element with attributes and children. The attribute `on` is an object of listeners. An
 * attribute that is `true` is empty, and `false`, `null` and `undefined` omit it. Children are
 * nodes, strings or lists of them, and `null`, `undefined` and `false` are omitted.
 */
export function h(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (name === "on") {
      for (const [event, listener] of Object.entries(value)) element.addEventListener(event, listener);
    } else {
      mark(element, name, value);
    }
  }
  element.append(...kept(children));
  return element;
}

/** Replaces all children of an element. */
export function fill(element, ...children) {
  element.replaceChildren(...kept(children));
  return element;
}

/** Sets or removes an attribute. */
export function mark(element, name, value) {
  if (value === false || value === null || value === undefined) element.removeAttribute(name);
  else element.setAttribute(name, value === true ? "" : value);
}

/** Sets the title of the document, unless the document belongs to the host. */
export function entitle(title) {
  if (PLACE.alone) document.title = title;
}

/** Returns whether an element of the page has the focus. */
export const hasFocus = (element) => (PLACE.root.activeElement ?? document.body) === element;

const kept = (children) => children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false);

/** Wraps text from a person, so that its direction does not affect the text around it. */
export const isolated = (text) => h("bdi", {}, text);

let last = 0;

/** Returns an id that no other element has. */
export const unique = (name) => `${name}-${++last}`;

/**
 * Returns a function that runs `action` when it was not called again for this time. `cancel` drops
 * a pending run.
 */
export function debounced(milliseconds, action) {
  let timer;
  const call = () => {
    clearTimeout(timer);
    timer = setTimeout(action, milliseconds);
  };
  call.cancel = () => clearTimeout(timer);
  return call;
}

/**
 * Runs an action for a key. Keys that belong to an input method are ignored, because Escape and
 * Enter end the composition there.
 */
export function onKeys(element, actions) {
  element.addEventListener("keydown", (event) => {
    if (!event.isComposing && event.keyCode !== 229) actions[event.key]?.(event);
  });
}

/**
 * The icons, drawn with lines on a grid of 16. They always accompany text, so screen readers skip
 * them.
 */
const ICONS = {
  back: "M10 3 5 8l5 5",
  close: "m4 4 8 8m0-8-8 8",
  copy: "M5.5 5.5v-3h8v8h-3m-8-5h8v8h-8z",
  download: "M8 2v8m-3.5-3L8 10.5l3.5-3.5M3 13.5h10",
  edit: "m3 13 .7-3L11 2.7l2.3 2.3L6 12.3z",
  external: "M6.5 3H3v10h10V9.5M9.5 3H13v3.5M13 3 7.5 8.5",
  filter: "M2 3.5h12L9.5 9v4.5l-3-1.5V9z",
  history: "M2.5 8A5.5 5.5 0 1 0 4.3 4M2.3 2.5v3h3M8 5v3.3l2.2 1.4",
  key: "M6 10.5a3 3 0 1 1 2.9-3.8H14V9.5h-2v-1.3m-3.1 0A3 3 0 0 1 6 10.5",
  more: "m4 6 4 4 4-4",
  next: "m6 3 5 5-5 5",
  person: "M8 8a3 3 0 1 0 0-6 3 3 0 0 0 0 6M2.5 14c.4-2.8 2.4-4.3 5.5-4.3s5.1 1.5 5.5 4.3",
  plus: "M8 3v10M3 8h10",
  refresh: "M13 5.5A5.5 5.5 0 1 0 13.5 8.5M13.2 2.5v3.2H10",
  search: "M7 11.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9M10.3 10.3 13.5 13.5",
  stop: "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12M4 12l8-8",
  trash: "M3 4.5h10M6.5 4.5v-2h3v2m2.5 0-.5 9h-7l-.5-9M6.7 7v4M9.3 7v4",
  view: "M1.5 8S4 3.5 8 3.5 14.5 8 14.5 8 12 12.5 8 12.5 1.5 8 1.5 8M8 10a2 2 0 1 0 0-4 2 2 0 0 0 0 4",
  warning: "M8 2 14.5 13.5h-13zM8 6.5v3.3m0 1.7v.2",
};

const SVG = "http://www.w3.org/2000/svg";

/** Creates an icon by its name. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("class", "glyph");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

/** Creates a button with an icon and a label. `attributes` are added to the button. */
export const button = (glyph, label, click, attributes = {}) =>
  h("button", { class: "button", type: "button", ...attributes, on: { click } }, icon(glyph), label);

/**
 * Creates a button that shows only its icon. `label` is its accessible name and `title` its
 * tooltip.
 */
export const iconButton = (glyph, title, label, click) =>
  h("button", { class: "button icon", type: "button", title, "aria-label": label, on: { click } }, icon(glyph));

// Modal dialogs based on <dialog>, questions in dialogs, and messages that disappear after a while.

/**
 * Opens a dialog. `closed` resolves when it is closed for any reason.
 * @param {{ title: string, text?: string | (string | Node)[], body?: Node, wide?: boolean }} options
 */
export function openDialog({ title, text, body, wide = false }) {
  const heading = unique("dialog");
  const explanation = unique("dialog-text");
  const close = () => {
    if (dialog.open) dialog.close();
  };
  const dialog = h(
    "dialog",
    { class: wide ? "dialog wide" : "dialog", "aria-labelledby": heading, "aria-describedby": text ? explanation : null },
    h("div", { class: "dialog-head" }, h("h2", { id: heading }, title), iconButton("close", t("close"), t("close"), close)),
    text && h("p", { id: explanation }, text),
    body,
  );
  const before = /** @type {HTMLElement} */ (PLACE.root.activeElement);
  const closed = new Promise((/** @type {(value?: any) => void} */ resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      // The element that had the focus may be gone, for example if its row was removed.
      if (before?.isConnected) before.focus();
      else PLACE.main.focus();
      resolve();
    });
  });
  PLACE.frame.append(dialog);
  dialog.showModal();
  return { node: dialog, close, closed };
}

/** Closes all dialogs, because the view behind them is left. */
export function closeDialogs() {
  const open = /** @type {NodeListOf<HTMLDialogElement>} */ (PLACE.root.querySelectorAll("dialog[open]"));
  for (const dialog of open) dialog.close();
}

/**
 * Asks a question. Resolves with the result of `action`, or with `null` if the person cancels. If
 * the action fails, the dialog stays open and shows the problem.
 * @param {{ title: string, text?: string, body?: Node, label: string, danger?: boolean, wide?: boolean, fields?: object, reload?: () => Promise<void>, action?: () => any }} options
 */
export function ask({ title, text, body, label, danger = false, wide, fields, reload, action = () => true }) {
  const box = problemBox({ form: fields !== undefined });
  const cancel = h("button", { class: "button", type: "button", on: { click: () => dialog.close() } }, t("cancel"));
  const submit = h("button", { class: danger ? "button danger" : "button primary", type: "submit" }, label);
  const form = h("form", { class: "stack" }, box.node, body, h("div", { class: "actions" }, cancel, submit));
  const dialog = openDialog({ title, text, body: form, wide });
  let result = null;
  submits(form, {
    fields,
    box,
    reload,
    action: async () => {
      result = (await action()) ?? true;
      dialog.close();
    },
  });
  // Without a field, focus the button that changes nothing.
  const first = /** @type {HTMLElement} */ (form.querySelector("input:not([type=hidden], .hidden), select, textarea"));
  (first ?? cancel).focus();
  return dialog.closed.then(() => result);
}

/** The time that a message is shown, in milliseconds. */
const SHOWN = 6000;

let timer;
let surviving = false;

/** Shows a message. With `keep`, it stays when the view changes next. */
export function say(text, { keep = false } = {}) {
  const close = () => {
    clearTimeout(timer);
    fill(PLACE.status);
  };
  fill(PLACE.status, h("div", { class: "toast" }, h("p", {}, text), iconButton("close", t("dismiss"), t("dismiss"), close)));
  surviving = keep;
  clearTimeout(timer);
  timer = setTimeout(close, SHOWN);
}

/** Removes the message when the view changes. */
export function dropMessage() {
  if (!surviving) fill(PLACE.status);
  surviving = false;
}

// Explains a problem to a person and suggests what to do, in a box on the page.

/** Kinds that have the same explanation as another kind. */
const SAME_AS = {
  "no-credential": "no-caller",
  "invalid-token": "no-caller",
  "malformed-json": "invalid-request",
  "method-not-allowed": "invalid-request",
  "not-json": "invalid-request",
  "confirmation-failed": "confirmation-required",
};

/** The kind for a status if the problem type is unknown, for example because a proxy responded. */
const BY_STATUS = { 401: "no-caller", 404: "not-found", 412: "stale", 422: "invalid", 429: "too-many-attempts" };

/** Returns a title and a sentence for a problem. */
export function explain(problem) {
  const kind = SAME_AS[problem.kind] ?? problem.kind;
  const cause = `problem.${kind}.title` in TEXTS ? kind : BY_STATUS[problem.status];
  if (!cause) return { title: t("problem.other.title"), text: sentence(problem.detail) || t("problem.other.text", { status: problem.status }) };
  const wait = problem.retryAfter === null ? t("problem.wait") : plural("problem.wait_seconds", problem.retryAfter);
  const values = { limit: problem.limit, in_use: problem.inUse, wait };
  return { title: t(`problem.${cause}.title`), text: t(`problem.${cause}.text`, values) };
}

/** Formats a text of the server as a sentence. */
export function sentence(text) {
  const trimmed = text.trim();
  if (trimmed === "") return "";
  const begun = trimmed[0].toUpperCase() + trimmed.slice(1);
  return /[.!?]$/.test(begun) ? begun : `${begun}.`;
}

/**
 * Creates a box. `show` displays a problem with further sentences and with buttons
 * `{ label: action }`. `clear` empties the box. In a form it adds that the input is kept.
 */
export function problemBox({ form = false } = {}) {
  // The box always exists, because screen readers announce only changes of existing regions.
  const node = h("div", { class: "problem", role: "alert" });
  return {
    node,
    show(problem, { more = [], buttons = {} } = {}) {
      const { title, text } = explain(problem);
      const actions = Object.entries(buttons).map(([label, click]) => h("button", { class: "button small", type: "button", on: { click } }, label));
      const lines = [text, form && problem.status !== 422 && t("problem.kept"), ...more].filter(Boolean);
      fill(
        node,
        icon("warning"),
        h(
          "div",
          {},
          h("strong", {}, title),
          lines.map((line) => h("p", {}, line)),
          problem.status === 401 && signInPath && signInLink(),
          actions.length > 0 && h("div", { class: "actions start" }, actions),
        ),
      );
    },
    clear: () => fill(node),
  };
}

const signInLink = () =>
  h("p", {}, h("a", { href: signInAddress(signInPath, PLACE.base), target: "_blank", rel: "noopener" }, t("problem.sign_in"), icon("external")));
