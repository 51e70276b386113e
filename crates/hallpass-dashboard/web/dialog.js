// Modal dialogs on the browser's own <dialog>, questions in them, and short messages that go away by themselves.

import { fill, h, iconButton, unique } from "./dom.js";
import { submits } from "./form.js";
import { problemBox } from "./problem.js";
import { t } from "./texts.js";

/** Opens a dialog. `closed` is settled once it is closed, in whatever way. */
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
  const before = document.activeElement;
  const closed = new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      // The element that had the focus may be gone: its row was removed, say.
      if (before?.isConnected) before.focus();
      else document.querySelector("#main").focus();
      resolve();
    });
  });
  document.body.append(dialog);
  dialog.showModal();
  return { node: dialog, close, closed };
}

/** Closes all dialogs: the view behind them is left. */
export function closeDialogs() {
  for (const dialog of document.querySelectorAll("dialog[open]")) dialog.close();
}

/**
 * Asks a question. Resolves with the result of `action`, or with `null` if the person cancelled. While the action fails,
 * the dialog stays and says why.
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
  // Without a field the focus is on the button that changes nothing.
  (form.querySelector("input:not([type=hidden], .hidden), select, textarea") ?? cancel).focus();
  return dialog.closed.then(() => result);
}

/** How long a message is shown, in milliseconds. */
const SHOWN = 6000;

let timer;
let surviving = false;

/** Shows a message. With `keep` it outlives the change of the view that follows. */
export function say(text, { keep = false } = {}) {
  const close = () => {
    clearTimeout(timer);
    fill(document.querySelector("#status"));
  };
  fill(document.querySelector("#status"), h("div", { class: "toast" }, h("p", {}, text), iconButton("close", t("dismiss"), t("dismiss"), close)));
  surviving = keep;
  clearTimeout(timer);
  timer = setTimeout(close, SHOWN);
}

/** Removes the message when the view changes. */
export function dropMessage() {
  if (!surviving) fill(document.querySelector("#status"));
  surviving = false;
}
