// A text that is edited where it stands.

import { fill, h } from "./dom.js";
import { field } from "./fields.js";
import { submits } from "./form.js";
import { icon } from "./icons.js";
import { problemBox } from "./problem-view.js";

/**
 * The text. `shown` makes what stands there when nobody edits; `save` is called with what was typed. `update` shows
 * another text, and leaves alone what somebody is typing.
 */
export function inlineEdit({ label, name, shown, save, reload, editable, ...attributes }) {
  let text = "";
  let editing = null;
  const node = h("div", { class: "inline" });

  const edit = h("button", { class: "button icon", type: "button", "aria-label": `Edit the ${name}`, title: `Edit the ${name}`, on: { click: open } }, icon("edit"));

  const rest = () => fill(node, shown(text), editable && edit);

  function open() {
    const input = field({ label, name, value: text, ...attributes });
    const box = problemBox();
    const current = h("p", { class: "help" });
    const form = h(
      "form",
      { class: "stack grow" },
      input.node,
      current,
      box.node,
      h("div", { class: "actions start" }, h("button", { class: "button primary small", type: "submit" }, "Save"), h("button", { class: "button small", type: "button", on: { click: close } }, "Cancel")),
    );
    editing = { current, form };
    submits(form, {
      box,
      fields: { [name]: input },
      reload,
      action: async () => {
        await save(input.value);
        close();
      },
    });
    form.addEventListener("keydown", (event) => event.key === "Escape" && close());
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
      else if (changed) fill(editing.current, text === "" ? "It is empty now." : `It is now: “${text}”`);
    },
  };
}
