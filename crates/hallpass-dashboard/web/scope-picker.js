// Choosing scopes: a preset, or one by one from the catalog, and single things that one scope is about.

import { covers, docsLink } from "./catalog.js";
import { fill, h, unique } from "./dom.js";
import { errorLine } from "./fields.js";
import { icon } from "./icons.js";
import { oneThing } from "./one-thing.js";

/** A picker with these scopes chosen. What is `held` already is shown and not offered. */
export function scopePicker(catalog, { chosen = [], held = [] } = {}) {
  const picked = new Set(chosen);
  const listed = catalog.scopes.map(({ scope }) => scope);
  const id = unique("scopes");
  const error = errorLine(id);
  const search = h("input", { type: "search", "aria-label": "Search scopes", placeholder: "Search scopes", autocomplete: "off" });
  const only = h("input", { type: "checkbox" });
  const count = h("span", { class: "quiet", role: "status" });
  const rows = catalog.scopes.map((entry) => row(entry, id));
  const nothing = h("p", { class: "quiet" }, "No scope matches.");
  const extras = h("ul", { class: "chips plain" });
  const presets = presetChoice(catalog.presets, id, (preset) => {
    if (preset === null) widen([...picked]);
    else {
      picked.clear();
      for (const scope of preset.scopes) picked.add(scope);
    }
    show();
  });

  /** Puts what the catalog lists in the place of what covers it, so that single ones can be taken out. */
  function widen(scopes) {
    for (const wide of scopes) {
      const below = listed.filter((scope) => scope !== wide && covers(wide, scope));
      if (below.length === 0) continue;
      picked.delete(wide);
      for (const scope of below) picked.add(scope);
    }
  }

  function pick(scope, on) {
    if (on) picked.add(scope);
    else {
      widen([...picked].filter((wide) => wide !== scope && covers(wide, scope)));
      picked.delete(scope);
    }
    presets.custom();
    show();
  }

  function show() {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const extra = [...picked].filter((scope) => !listed.includes(scope));
    let shown = 0;
    for (const each of rows) {
      const has = held.some((scope) => covers(scope, each.scope));
      const on = has || [...picked].some((scope) => covers(scope, each.scope));
      each.box.checked = on;
      each.box.disabled = has;
      each.node.hidden = !words.every((word) => each.text.includes(word)) || (only.checked && !on);
      if (!each.node.hidden) shown += 1;
    }
    nothing.hidden = shown > 0 || rows.length === 0;
    fill(extras, extra.map((scope) => chip(scope, () => pick(scope, false))));
    extras.hidden = extra.length === 0;
    fill(count, picked.size === 0 ? "Nothing chosen" : `${picked.size} chosen`);
  }

  for (const each of rows) each.box.addEventListener("change", () => pick(each.scope, each.box.checked));
  search.addEventListener("input", show);
  only.addEventListener("change", show);
  // Enter looks for something here; it sends nothing.
  search.addEventListener("keydown", (event) => event.key === "Enter" && event.preventDefault());
  const adder = oneThing(catalog, (scope) => pick(scope, true));
  show();
  return {
    node: h(
      "fieldset",
      { class: "picker", "aria-describedby": error.id },
      h("legend", {}, "Scopes"),
      presets.node,
      rows.length > 0 && h("div", { class: "picker-head" }, h("div", { class: "search" }, icon("search"), search), h("label", { class: "check" }, only, "Only checked"), count),
      rows.length > 0 && h("ul", { class: "picker-list", tabindex: "0", "aria-label": "Scopes to choose from" }, rows.map(({ node }) => node), h("li", {}, nothing)),
      adder?.node,
      extras,
      error.node,
    ),
    get value() {
      return [...picked];
    },
    fail: error.say,
    focus: () => (rows.length > 0 ? search : adder).focus(),
  };
}

function row(entry, id) {
  const box = h("input", { type: "checkbox", "aria-describedby": `${id}-${entry.scope}` });
  const link = docsLink(entry);
  const node = h(
    "li",
    { class: "picker-row" },
    h(
      "label",
      {},
      box,
      h("span", {}, h("strong", {}, entry.title), " ", h("code", {}, entry.scope)),
    ),
    h(
      "p",
      { class: "quiet", id: `${id}-${entry.scope}` },
      entry.description,
      " ",
      link && h("a", { href: link, target: "_blank", rel: "noopener noreferrer", "aria-label": `Documentation of ${entry.title}` }, "Docs", icon("external")),
    ),
  );
  return { scope: entry.scope, text: `${entry.scope} ${entry.title} ${entry.description}`.toLowerCase(), box, node };
}

/** A preset, or none: `Custom`. */
function presetChoice(presets, id, chosen) {
  if (presets.length === 0) return { node: null, custom() {} };
  const choice = (label, value) => {
    const radio = h("input", { type: "radio", name: `${id}-preset`, on: { change: () => chosen(value) } });
    return { radio, node: h("label", { class: "choice" }, radio, h("span", {}, label)) };
  };
  const custom = choice("Custom", null);
  custom.radio.checked = true;
  const all = [...presets.map((preset) => choice(preset.title, preset)), custom];
  return {
    node: h("div", { class: "choices", role: "radiogroup", "aria-label": "Preset" }, all.map(({ node }) => node)),
    custom: () => (custom.radio.checked = true),
  };
}

const chip = (scope, remove) =>
  h(
    "li",
    { class: "chip" },
    h("code", {}, scope),
    h("button", { class: "button icon", type: "button", "aria-label": `Take ${scope} out`, on: { click: remove } }, icon("close")),
  );
