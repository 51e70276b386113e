// A text that is edited where it stands.

import { fill, h, iconButton, isolated, onKeys } from "./dom.js";
import { field, submits } from "./form.js";
import { problemBox } from "./problem.js";
import { rich, t } from "./texts.js";

/**
 * Creates the text. `shown` makes what stands there when nobody edits; `save` is called with what was typed. `update`
 * shows another text, and leaves alone what somebody is typing.
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
