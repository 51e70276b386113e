// Provides the filters of the list and the selection of its rows.

import { DAY, UNUSED } from "./dates.js";
import { debounced, fill, h, icon, mark, unique } from "./dom.js";
import { ownerOption } from "./owners.js";
import { isAdmin, t } from "./page.js";

const STATUSES = ["active", "expired", "revoked", "all"];

/** The pause in typing after which the filters are applied, in milliseconds. */
const REST = 250;

/** The filters that are either on (`"true"`) or off (an empty string). */
const TOGGLES = ["soon", "unused", "never_used", "previous_secret"];

/** The toggles that select active tokens only. */
export const OF_ACTIVE = ["soon", "unused", "previous_secret"];

/** The initial filters of the list. */
export const NO_FILTERS = { status: "active", q: "", scope: "", owner: "", soon: "", unused: "", never_used: "", previous_secret: "" };

/** The filters that are empty unless they are used. */
export const OPTIONAL = Object.keys(NO_FILTERS).filter((name) => name !== "status");

/**
 * Creates the filters. `changed` is called with values like `NO_FILTERS`, where unused filters are
 * empty.
 */
export function listFilters(start, changed) {
  const scopeOptions = unique("scopes");
  const ownerOptions = unique("owners");
  const search = (name, glyph, label, attributes) => {
    const input = h("input", { type: "search", name, "aria-label": label, placeholder: label, autocomplete: "off", spellcheck: "false", dir: "auto", ...attributes });
    input.value = start[name];
    return { input, node: h("div", { class: `search ${name}` }, icon(glyph), input) };
  };
  const toggle = (name, label) => {
    const input = h("input", { type: "checkbox", name });
    input.checked = start[name] === "true";
    return { input, node: h("label", { class: "choice" }, input, h("span", {}, label)) };
  };
  const q = search("q", "search", t("filters.search"), { maxlength: 1000 });
  const scope = search("scope", "filter", t("filters.scope"), { maxlength: 255, list: scopeOptions });
  const owner = isAdmin ? search("owner", "person", t("filters.owner"), { maxlength: 255, list: ownerOptions }) : null;
  const toggles = TOGGLES.map((name) => toggle(name, t(`filters.${name}`, { days: UNUSED / DAY })));
  const statuses = STATUSES.map((value) => {
    const radio = h("input", { type: "radio", name: "status", value });
    radio.checked = value === start.status;
    // The element has a fixed width, so nothing moves when the number appears.
    const count = h("span", { class: "count" });
    return { value, radio, count, node: h("label", { class: "choice" }, radio, h("span", {}, t(`filters.${value}`), " ", count)) };
  });
  const knownScopes = h("datalist", { id: scopeOptions });
  const knownOwners = h("datalist", { id: ownerOptions });

  const read = () => ({
    status: statuses.find(({ radio }) => radio.checked)?.value ?? "all",
    q: q.input.value.trim(),
    scope: scope.input.value.trim(),
    owner: owner?.input.value.trim() ?? "",
    ...Object.fromEntries(toggles.map(({ input }) => [input.name, input.checked ? "true" : ""])),
  });
  const tell = () => changed(read());
  const rested = debounced(REST, tell);
  const tellNow = () => {
    rested.cancel();
    tell();
  };
  const set = (values) => {
    for (const each of [q, scope, owner]) if (each) each.input.value = values[each.input.name];
    for (const each of toggles) each.input.checked = values[each.input.name] === "true";
    for (const each of statuses) each.radio.checked = each.value === values.status;
  };

  const moreId = unique("filters");
  const more = h("div", { class: "more-filters", id: moreId }, scope.node, knownScopes, owner?.node, owner && knownOwners, h("div", { class: "choices" }, toggles.map(({ node }) => node)));
  const open = h("button", { class: "button open-filters", type: "button", "aria-controls": moreId, "aria-expanded": "false" }, icon("filter"), t("filters.more"));
  open.addEventListener("click", () => mark(open, "aria-expanded", String(more.classList.toggle("open"))));
  if (scope.input.value || owner?.input.value || toggles.some(({ input }) => input.checked)) open.click();
  const node = h(
    "form",
    { class: "filters", role: "search", on: { input: ({ target }) => target.type === "search" && rested() } },
    h("div", { class: "row" }, q.node, open),
    h("fieldset", { class: "choices statuses" }, h("legend", { class: "hidden" }, t("list.status")), statuses.map((each) => each.node)),
    more,
  );
  node.addEventListener("change", ({ target }) => {
    if (OF_ACTIVE.includes(target.name) && target.checked) statuses[0].radio.checked = true;
    if (target.type !== "search") tellNow();
  });
  node.addEventListener("submit", (event) => {
    event.preventDefault();
    tellNow();
  });
  return {
    node,
    /** Shows the number of tokens of each status. */
    counts({ active, expired, revoked }) {
      const all = { active, expired, revoked, all: active + expired + revoked };
      for (const { value, count } of statuses) fill(count, all[value].toLocaleString(LANGUAGE));
    },
    /** Offers these scopes and owners as suggestions. */
    offer({ scopes = [], owners = [] }) {
      fill(knownScopes, scopes.map((each) => h("option", { value: each })));
      fill(knownOwners, owners.map(ownerOption));
    },
    /** Changes some filters and reloads the list. */
    change(values) {
      set({ ...NO_FILTERS, ...read(), ...values });
      tellNow();
    },
    leave: rested.cancel,
  };
}

/** Tracks which of the listed ids are selected. `changed` is called after each change. */
export function newSelection(changed) {
  let shown = [];
  let anchor = null;
  const chosen = new Set();

  const set = (id, on) => (on ? chosen.add(id) : chosen.delete(id));

  return {
    /** Sets the listed ids. Ids that are no longer listed are deselected. */
    show(ids) {
      shown = ids;
      for (const id of [...chosen]) if (!ids.includes(id)) chosen.delete(id);
      if (!ids.includes(anchor)) anchor = null;
      changed();
    },
    has: (id) => chosen.has(id),
    get size() {
      return chosen.size;
    },
    /** Selects or deselects one id. With `range`, it does so for all ids since the last one. */
    toggle(id, { range = false, on = !chosen.has(id) } = {}) {
      if (range && anchor !== null) {
        const [from, to] = [shown.indexOf(anchor), shown.indexOf(id)].sort((a, b) => a - b);
        for (const each of shown.slice(from, to + 1)) set(each, on);
      } else {
        set(id, on);
      }
      anchor = id;
      changed();
    },
    /** Selects or deselects all listed ids. */
    all(on) {
      for (const id of shown) set(id, on);
      changed();
    },
  };
}
