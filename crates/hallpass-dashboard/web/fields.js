// A field with its label, its help and what is wrong with it.

import { h, fill, mark, unique } from "./dom.js";

/** A line of text; several, if `multiline`. Everything else is an attribute of the input. */
export function field({ label, help, multiline = false, value = "", ...attributes }) {
  const id = unique("field");
  const error = errorLine(id);
  const input = h(multiline ? "textarea" : "input", { id, autocomplete: "off", ...attributes });
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
    fail(message) {
      error.say(message);
      mark(input, "aria-invalid", message ? "true" : null);
      describe(message);
    },
    focus: () => input.focus(),
    clear() {
      input.value = "";
      counted();
    },
  };
}

/** The line below a field that says what is wrong with it. */
export function errorLine(id) {
  const node = h("p", { class: "error", id: `${id}-error`, role: "alert" });
  return { node, id: node.id, say: (message) => fill(node, message) };
}
