// Explains scopes in words, and provides the picker that selects them.

import { fetchScopes } from "./api.js";
import { fill, h, icon, mark, onKeys, unique } from "./dom.js";
import { errorLine, resourceList } from "./fields.js";
import { absolute, forChosenOnly, parameters, plural, t } from "./page.js";

/** The maximum number of phrases in a summary. Longer summaries show counts. */
const PHRASES = 6;

/**
 * Returns `{ scopes, presets, limits }`. A scope has `parameters` if it can be limited to
 * resources.
 */
export async function loadCatalog() {
  const loaded = await fetchScopes();
  return { ...loaded, scopes: loaded.scopes.map((entry) => ({ ...entry, parameters: parameters.get(entry.scope) ?? [] })) };
}

/** Returns whether the scope `held` covers the scope `needed`, by the same rule as the server. */
function covers(held, needed) {
  const [wide, narrow] = [held.split(":"), needed.split(":")];
  return wide.length <= narrow.length && wide.every((segment, at) => segment === "*" || segment === narrow[at]);
}

/**
 * Returns the resource of a scope: all but the last segment, or the class of a method such as
 * `mail.box.Send`.
 */
function resourceOf(scope) {
  const end = scope.lastIndexOf(scope.includes(":") ? ":" : ".");
  return end > 0 ? scope.slice(0, end) : scope;
}

/** Returns the entry of the catalog for a scope: the longest one that covers it. */
function entryFor({ scopes }, scope) {
  return scopes.filter((each) => covers(each.scope, scope)).sort((a, b) => b.scope.length - a.scope.length)[0];
}

/** Describes what a scope allows. Returns an empty string if the catalog does not contain it. */
export function meaning({ scopes }, scope) {
  const listed = entryFor({ scopes }, scope);
  if (listed?.scope === scope) return listed.parameters.length > 0 ? t("scopes.means_all", { title: listed.title }) : listed.title;
  if (listed) return t("scopes.means_only", { title: listed.title, names: scope.slice(listed.scope.length + 1) });
  return scopes.some((each) => covers(scope, each.scope)) ? t("scopes.means_everything", { scope }) : "";
}

/**
 * Returns whether these scopes allow no changes: the entry of each one is marked as read-only, and
 * so are all entries that it covers. Other scopes may allow changes, now or when entries are added.
 */
const isReadOnly = ({ scopes }, granted) =>
  granted.every((scope) => entryFor({ scopes }, scope)?.read_only && scopes.every((each) => each.read_only || !covers(scope, each.scope)));

/** Describes what scopes allow, in a few phrases. */
function summary({ scopes }, granted, held) {
  if (granted.length === 0) return [t(held.length > 0 ? "scopes.summary_unchanged" : "scopes.summary_none")];
  const phrases = [];
  const only = new Map();
  for (const scope of granted) {
    const narrowed = scopes.find((each) => each.scope !== scope && covers(each.scope, scope));
    if (narrowed) only.set(narrowed, [...(only.get(narrowed) ?? []), scope.slice(narrowed.scope.length + 1)]);
    else phrases.push(meaning({ scopes }, scope) || scope);
  }
  for (const [{ title }, names] of only) phrases.push(t("scopes.means_only", { title, names: names.join(", ") }));
  if (phrases.length <= PHRASES) return phrases;
  const groups = new Map();
  for (const scope of granted) {
    const listed = scopes.find((each) => covers(each.scope, scope));
    const group = resourceOf(listed?.scope ?? scope);
    groups.set(group, (groups.get(group) ?? 0) + 1);
  }
  const counted = [...groups].map(([group, count]) => plural("scopes.summary_group", count, { group }));
  if (counted.length <= PHRASES) return counted;
  return [...counted.slice(0, PHRASES - 1), plural("scopes.summary_more", counted.length - PHRASES + 1)];
}

/** Returns the URL of a scope's documentation if its protocol is safe to link to. */
function docsLink({ docs }) {
  if (!docs) return null;
  try {
    const url = new URL(absolute(docs));
    return url.protocol === "https:" || url.protocol === "http:" ? url.href : null;
  } catch {
    return null;
  }
}

// The picker: a preset, or operations of the catalog for all or for selected resources.

/** Groups start collapsed if there are more operations than this. */
const MANY = 30;

/**
 * Creates a picker with these scopes selected. Scopes in `held` are shown but cannot be selected.
 */
export function scopePicker(catalog, { chosen = [], held = [] } = {}) {
  const id = unique("scopes");
  const error = errorLine(id);
  const search = h("input", { type: "search", "aria-label": t("scopes.search"), placeholder: t("scopes.search"), autocomplete: "off" });
  const only = h("input", { type: "checkbox" });
  const operations = catalog.scopes.map((entry) => operation(entry, id, { held, pick, changed: () => changed() }));
  const wide = wideScopes(catalog, [...chosen, ...catalog.presets.flatMap(({ scopes }) => scopes)]).map((scope) => wideRow(scope, changed));
  const groups = grouped(operations).map((group) => scopeGroup(group, { closed: operations.length > MANY, pick }));
  const free = resourceList({ names: [t("scopes.scope")], title: "", free: true, changed });
  const nothing = h("p", { class: "quiet pad" }, t("scopes.no_match"));
  const words = h("div", { class: "summary", role: "status" });
  let unfinished = null;
  const presets = presetChoice(catalog.presets, id, (scopes) => {
    set(scopes);
    show();
  });

  const covered = (each) => wide.some(({ scope, box }) => box.checked && covers(scope, each.scope));

  /** Returns the selected scopes. */
  function value() {
    const single = operations.filter((each) => !covered(each)).flatMap((each) => each.value);
    return [...wide.filter(({ box }) => box.checked).map(({ scope }) => scope), ...single, ...free.value];
  }

  function set(scopes) {
    const others = new Set(scopes);
    for (const each of wide) each.box.checked = others.delete(each.scope);
    for (const each of operations) for (const scope of each.set(scopes)) others.delete(scope);
    free.value = [...others];
  }

  /**
   * Selects or deselects operations. Deselecting an operation of a wildcard replaces the wildcard
   * by the others.
   */
  function pick(some, on) {
    for (const { scope, box } of on ? [] : wide) {
      if (!box.checked || !some.some((each) => covers(scope, each.scope))) continue;
      box.checked = false;
      for (const each of operations) if (covers(scope, each.scope)) each.on = true;
    }
    for (const each of some) if (!each.isHeld) each.on = on;
    changed();
  }

  function changed() {
    presets.unset();
    error.say(null);
    show();
  }

  function show() {
    const sought = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const each of operations) {
      each.show(covered(each));
      each.node.hidden = !sought.every((word) => each.text.includes(word)) || (only.checked && !each.isOn);
    }
    const narrowed = sought.length > 0 || only.checked;
    for (const group of groups) group.show(narrowed);
    nothing.hidden = !narrowed || operations.some(({ node }) => !node.hidden);
    const scopes = value();
    presets.show(scopes);
    const count = operations.filter((each) => !each.isHeld && (covered(each) || each.value.length > 0)).length;
    fill(
      words,
      operations.length > 0 && h("strong", {}, held.length > 0 ? plural("scopes.adds", count) : plural("scopes.count", operations.length, { chosen: count })),
      h("ul", {}, summary(catalog, scopes, held).map((phrase) => h("li", {}, phrase))),
      scopes.length > 0 && isReadOnly(catalog, [...held, ...scopes]) && h("p", { class: "read-only" }, t("scopes.summary_read_only")),
    );
  }

  search.addEventListener("input", show);
  only.addEventListener("change", show);
  // Enter in the search field must not submit the form.
  onKeys(search, { Enter: (event) => event.preventDefault() });
  set(chosen);
  show();
  const some = operations.length > 0;
  return {
    node: h(
      "fieldset",
      { class: "picker", "aria-describedby": error.id },
      h("legend", {}, t("scopes.title")),
      presets.node,
      some && h("div", { class: "picker-head" }, h("div", { class: "search" }, icon("search"), search), h("label", { class: "check" }, only, t("scopes.only_checked"))),
      h("div", { class: "picker-groups" }, wide.length > 0 && h("ul", { class: "picker-list" }, wide.map(({ node }) => node)), groups.map(({ node }) => node), nothing),
      (!some || free.value.length > 0) && h("div", { class: "field" }, h("div", { class: "label" }, t("scopes.others")), free.node),
      error.node,
      words,
    ),
    get value() {
      return value();
    },
    set value(scopes) {
      set(scopes);
      show();
    },
    /** Checks that each operation for selected resources has at least one resource. */
    check() {
      unfinished = [...operations.filter((each) => !covered(each)), free].find((each) => !each.finish()) ?? null;
      return unfinished ? t("scopes.unfinished") : null;
    },
    fail: error.say,
    focus: () => (unfinished ?? (some ? search : free)).focus(),
  };
}

/**
 * Creates a row of the catalog. `pick` selects it, and `changed` is called when its resources
 * change.
 */
function operation(entry, id, { held, pick, changed }) {
  const isHeld = held.some((scope) => covers(scope, entry.scope));
  const explained = `${id}-${entry.scope}`;
  const box = h("input", { type: "checkbox", "aria-describedby": explained, disabled: isHeld });
  const choice = entry.parameters.length > 0 ? resourceChoice(entry, changed) : null;
  const link = docsLink(entry);
  const included = h("span", { class: "quiet" });
  const node = h(
    "li",
    { class: "picker-row" },
    h("label", {}, box, h("span", {}, h("strong", {}, entry.title), " ", h("code", {}, entry.scope), " ", included)),
    h("p", { class: "quiet", id: explained }, entry.description, " ", link && h("a", { href: link, target: "_blank", rel: "noopener noreferrer", "aria-label": t("scopes.docs_of", { title: entry.title }) }, t("scopes.docs"), icon("external"))),
    choice?.node,
  );
  const self = {
    scope: entry.scope,
    text: `${entry.scope} ${entry.title} ${entry.description}`.toLowerCase(),
    node,
    isHeld,
    on: false,
    /** Whether the operation is granted, directly or by a wider scope. */
    isOn: isHeld,
    get value() {
      if (!self.on || isHeld) return [];
      return choice?.limited ? choice.resources.map((resource) => `${entry.scope}:${resource}`) : [entry.scope];
    },
    /** Selects the operation if these scopes contain it. Returns the scopes that belong to it. */
    set(scopes) {
      const inside = choice ? scopes.filter((scope) => scope.startsWith(`${entry.scope}:`)) : [];
      const all = scopes.includes(entry.scope);
      self.on = all || inside.length > 0;
      choice?.set(all ? [] : inside.map((scope) => scope.slice(entry.scope.length + 1)));
      return all ? [entry.scope, ...inside] : inside;
    },
    show(covered) {
      self.isOn = isHeld || covered || self.on;
      box.checked = self.isOn;
      if (choice) choice.node.hidden = !self.on || covered || isHeld;
      fill(included, isHeld ? t("scopes.held") : covered ? t("scopes.included") : null);
    },
    finish: () => !self.on || isHeld || !choice || choice.finish(),
    focus: () => choice.focus(),
  };
  box.addEventListener("change", () => pick([self], box.checked));
  return self;
}

/** Creates the choice between all resources and selected ones. */
function resourceChoice({ title, parameters: names }, changed) {
  const group = unique("resource");
  const radio = () => h("input", { type: "radio", name: group, on: { change: update } });
  const [all, some] = [radio(), radio()];
  const list = resourceList({ names, title, changed });
  (forChosenOnly ? some : all).checked = true;

  function update() {
    show();
    changed();
    if (some.checked) list.focus();
  }

  function show() {
    list.node.hidden = !some.checked;
  }
  show();
  return {
    node: h(
      "div",
      { class: "resource-choice", role: forChosenOnly ? "group" : "radiogroup", "aria-label": title },
      forChosenOnly ? h("p", {}, t("scopes.for_some")) : [h("label", { class: "check" }, all, t("scopes.for_all")), h("label", { class: "check" }, some, t("scopes.for_some"))],
      list.node,
    ),
    get limited() {
      return some.checked;
    },
    get resources() {
      return list.value;
    },
    set(resources) {
      list.value = resources;
      (resources.length > 0 || forChosenOnly ? some : all).checked = true;
      show();
    },
    finish() {
      if (all.checked) return true;
      if (!list.finish()) return false;
      if (list.value.length === 0) list.fail(t(forChosenOnly ? "scopes.none_chosen" : "scopes.none_named"));
      return list.value.length > 0;
    },
    focus: list.focus,
  };
}

/** Returns the scopes that cover operations of the catalog but are not listed in it. */
function wideScopes({ scopes }, known) {
  const listed = scopes.map(({ scope }) => scope);
  return [...new Set(known)].filter((scope) => !listed.includes(scope) && listed.some((each) => covers(scope, each)));
}

function wideRow(scope, changed) {
  const box = h("input", { type: "checkbox", on: { change: changed } });
  const label = h("span", {}, h("strong", {}, t("scopes.everything", { scope })), " ", h("code", {}, scope));
  return { scope, box, node: h("li", { class: "picker-row wide" }, h("label", {}, box, label), h("p", { class: "quiet" }, t("scopes.everything_help"))) };
}

function grouped(operations) {
  const groups = new Map();
  for (const each of operations) {
    const name = resourceOf(each.scope);
    groups.set(name, [...(groups.get(name) ?? []), each]);
  }
  const all = [...groups].map(([name, members]) => ({ name, members }));
  // A group heading for a single operation would repeat its title.
  const single = all.filter(({ members }) => members.length === 1).flatMap(({ members }) => members);
  const several = all.filter(({ members }) => members.length > 1);
  return single.length > 0 ? [...several, { name: null, members: single }] : several;
}

/** Creates a plain list of operations that share no resource. */
function scopeList(members) {
  const node = h("ul", { class: "picker-list" }, members.map((each) => each.node));
  return { node, show: () => (node.hidden = members.every((each) => each.node.hidden)) };
}

/** Creates a group of operations on one resource, with a checkbox for all of them. */
function scopeGroup({ name, members }, { closed, pick }) {
  if (name === null) return scopeList(members);
  const listId = unique("group");
  let open = !closed;
  let narrowedNow = false;
  const all = h("input", { type: "checkbox", "aria-label": t("scopes.select_group", { name }), on: { change: () => pick(members.filter(({ node }) => !node.hidden), all.checked) } });
  const count = h("span", { class: "quiet" });
  const toggle = h("button", { class: "group-name", type: "button", "aria-controls": listId, on: { click: () => ((open = !open), show(narrowedNow)) } }, icon("more"), h("strong", {}, name));
  const list = h("ul", { class: "picker-list", id: listId }, members.map(({ node }) => node));
  const node = h("div", { class: "picker-group", role: "group", "aria-label": name }, h("div", { class: "group-head" }, all, toggle, count), list);

  function show(narrowed) {
    narrowedNow = narrowed;
    const on = members.filter(({ isOn }) => isOn).length;
    all.checked = on === members.length;
    all.indeterminate = on > 0 && on < members.length;
    all.disabled = members.every(({ isHeld }) => isHeld);
    fill(count, t("scopes.group_count", { on, of: members.length }));
    node.hidden = members.every((each) => each.node.hidden);
    // A search shows its matches even in a collapsed group.
    list.hidden = !open && !narrowed;
    mark(toggle, "aria-expanded", String(!list.hidden));
  }
  return { node, show };
}

/** Creates the choice of presets. `custom` is shown for any other selection. */
function presetChoice(presets, id, choose) {
  if (presets.length === 0) return { node: null, show() {}, unset() {} };
  let custom = false;
  const choice = (label, change) => {
    const radio = h("input", { type: "radio", name: `${id}-preset`, on: { change } });
    return { radio, node: h("label", { class: "choice" }, radio, h("span", {}, label)) };
  };
  const all = presets.map((preset) => ({
    scopes: [...preset.scopes].sort().join(" "),
    ...choice(preset.title, () => {
      custom = false;
      choose(preset.scopes);
    }),
  }));
  const other = choice(t("scopes.custom"), () => (custom = true));
  return {
    node: h("div", { class: "choices", role: "radiogroup", "aria-label": t("scopes.preset") }, [...all, other].map(({ node }) => node)),
    /** Shows the preset that matches these scopes. */
    show(scopes) {
      const current = [...scopes].sort().join(" ");
      const found = custom ? null : all.find((each) => each.scopes === current);
      (found ?? other).radio.checked = true;
    },
    unset() {
      custom = false;
    },
  };
}
