// Naming single resources: which project, channel or whatever an operation is about.

import { button, fill, h, iconButton, onKeys, unique } from "./dom.js";
import { errorLine } from "./form.js";
import { t } from "./texts.js";

/** What a segment of a scope may contain (RFC 6749, section 3.3, without `:`). */
const SEGMENT = /^[!#-9;-[\]-~]+$/;

const isSegment = (text) => SEGMENT.test(text) && !text.split("/").some((part) => part === "." || part === "..");

/**
 * Creates a list of resources to add to and to take from. `names` are what is to be written for each, `title` is the
 * operation. With `free`, whole scopes are written instead. `changed` is called after each change.
 */
export function resourceList({ names, title, free = false, changed }) {
  const id = unique("resources");
  const error = errorLine(id);
  let resources = [];
  const label = (name) => (free ? t("scopes.scope") : t("scopes.resource_label", { name, title }));
  const inputs = names.map((name) =>
    h("input", { "aria-label": label(name), placeholder: name, autocomplete: "off", autocapitalize: "off", spellcheck: "false", maxlength: 128, "aria-describedby": error.id, dir: "ltr" }),
  );
  const chips = h("ul", { class: "chips plain" });

  /** Adds what is written. Returns whether it was right. */
  function add() {
    const values = inputs.map((input) => input.value.trim());
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
    // Enter would send the whole form.
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
    /** Adds what is written but not added yet. Returns whether that was right. */
    finish: () => inputs.every((input) => input.value.trim() === "") || add(),
    fail: error.say,
    focus: () => inputs[0].focus(),
  };
}
