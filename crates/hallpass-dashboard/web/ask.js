// A question in a dialog, and what is done if the answer is yes.

import { h } from "./dom.js";
import { openDialog } from "./dialog.js";
import { submits } from "./form.js";
import { problemBox } from "./problem-view.js";

/**
 * Asks. Resolves with what `action` did, or with `null` if the person thought better of it; while it fails, the dialog
 * stays and says why.
 */
export function ask({ title, text, body, label, danger = false, wide, fields, reload, action }) {
  const box = problemBox();
  const cancel = h("button", { class: "button", type: "button", on: { click: () => dialog.close() } }, "Cancel");
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
  // On what does no harm, if there is nothing to fill in.
  (form.querySelector("input:not([type=hidden]), select, textarea") ?? cancel).focus();
  return dialog.closed.then(() => result);
}
