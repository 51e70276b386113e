// Modal dialogs, on the browser's own <dialog>: it keeps the focus inside, closes on Escape, and gives the
// focus back.

import { h, unique } from "./dom.js";
import { icon } from "./icons.js";

/** Opens a dialog. `closed` is settled when it is closed, however that came about. */
export function openDialog({ title, text, body, wide = false }) {
  const heading = unique("dialog");
  const explanation = unique("dialog-text");
  const close = () => {
    if (dialog.open) dialog.close();
  };
  const dialog = h(
    "dialog",
    { class: wide ? "dialog wide" : "dialog", "aria-labelledby": heading, "aria-describedby": text ? explanation : null },
    h(
      "div",
      { class: "dialog-head" },
      h("h2", { id: heading }, title),
      h("button", { class: "button icon", type: "button", "aria-label": "Close", on: { click: close } }, icon("close")),
    ),
    text && h("p", { id: explanation }, text),
    body,
  );
  const before = document.activeElement;
  const closed = new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      // What had the focus may be gone: its row was removed, say.
      if (before?.isConnected) before.focus();
      else document.querySelector("#main").focus();
      resolve();
    });
  });
  document.body.append(dialog);
  dialog.showModal();
  return { node: dialog, close, closed };
}

/** Closes whatever is open: the view behind it is left. */
export function closeDialogs() {
  for (const dialog of document.querySelectorAll("dialog[open]")) dialog.close();
}
