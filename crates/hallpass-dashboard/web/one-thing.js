// A scope for one thing alone: an operation from the catalog, and which project, channel or whatever it is about.

import { fill, h, unique } from "./dom.js";
import { errorLine } from "./fields.js";
import { icon } from "./icons.js";

/** What a segment of a scope may hold (RFC 6749, section 3.3, without `:`). */
const SEGMENT = /^[!#-9;-[\]-~]+$/;

/** Fields that make up such a scope; `null` if the catalog has no scope like that. `add` is called with it. */
export function oneThing(catalog, add) {
  const operations = catalog.scopes.filter(({ parameters }) => parameters.length > 0);
  const free = catalog.scopes.length === 0;
  if (operations.length === 0 && !free) return null;
  const id = unique("one");
  const error = errorLine(id);
  const select = h("select", { id }, operations.map(({ scope, title }) => h("option", { value: scope }, title)));
  const inputs = h("span", { class: "row" });
  const button = h("button", { class: "button", type: "button", on: { click: submit } }, icon("plus"), "Add");
  const names = () => (free ? ["scope"] : operations.find(({ scope }) => scope === select.value).parameters);
  const all = () => [...inputs.children];

  function show() {
    fill(inputs, names().map((name) => h("input", { "aria-label": name, placeholder: name, autocomplete: "off", spellcheck: "false", maxlength: 128, "aria-describedby": error.id, on: { keydown } })));
  }

  function keydown(event) {
    if (event.key !== "Enter") return;
    // Or the whole form would be sent.
    event.preventDefault();
    submit();
  }

  function submit() {
    const values = all().map((input) => input.value.trim());
    const wrong = values.findIndex((value) => !(free ? value.split(":") : [value]).every((segment) => SEGMENT.test(segment)));
    if (wrong >= 0) {
      error.say(values[wrong] === "" ? `Write the ${names()[wrong]}.` : "No spaces, quotes, backslashes, colons, and no characters beyond ASCII.");
      return all()[wrong].focus();
    }
    error.say(null);
    add(free ? values[0] : [select.value, ...values].join(":"));
    for (const input of all()) input.value = "";
    all()[0].focus();
  }

  select.addEventListener("change", show);
  show();
  return {
    node: h(
      "div",
      { class: "field" },
      h("div", { class: "label" }, free ? "Scope" : h("label", { for: id }, "For one thing only")),
      h("div", { class: "row" }, !free && select, inputs, button),
      error.node,
    ),
    focus: () => all()[0].focus(),
  };
}
