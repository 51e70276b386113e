// The list of tokens: the page's first view, which needs one call of the API.

import { fetchScopes, listTokens, now } from "./api.js";
import { dangerZone } from "./danger-zone.js";
import { say } from "./dialog.js";
import { button, fill, h, icon, mark } from "./dom.js";
import { NO_FILTERS, listFilters, newSelection } from "./list-filters.js";
import { listTable } from "./list-table.js";
import { isAdmin } from "./page-data.js";
import { problemBox } from "./problem.js";
import { setAddress, toList, toNew } from "./route.js";
import { plural, rich, t } from "./texts.js";
import { zoneNote } from "./time.js";
import { SOON, askToDelete, askToRevoke } from "./token-actions.js";

const START = { ...NO_FILTERS, sort: "-created_at" };
const PAGE = 20;

const ORDERS = ["-created_at", "created_at", "name", "-name", "expires_at", "-expires_at", "-last_used_at", "last_used_at"];

/** The owners of all tokens seen so far, for an admin to choose from. */
const owners = new Set();

/** What was looked at last, to come back to: the address, and the cursors at which its pages start. */
let lastLook = { hash: null, starts: [null] };

/** Creates the list, with the filters and the order of the address. */
export function listView({ query }) {
  const asked = { ...START, ...Object.fromEntries(Object.keys(START).flatMap((key) => (query.has(key) ? [[key, query.get(key)]] : []))) };
  let tokens = [];
  let starts = [null];
  let next = null;
  let loading = null;

  const chosen = () => tokens.filter(({ id }) => selection.has(id));
  const working = () => chosen().filter(({ status }) => status === "active");
  const box = problemBox();
  const selection = newSelection(() => {
    table.selected();
    bulkRevoke.count(working().length);
    bulkDelete.count(selection.size);
  });
  const revoke = async (some) => (await askToRevoke(some)) && changed();
  const remove = async (some) => (await askToDelete(some)) && changed();
  const table = listTable({ selection, sorted: (sort) => look({ sort }), revoke, remove });
  const filters = listFilters(asked, look);
  const bulkRevoke = bulkButton("stop", "list.revoke_selected", () => revoke(working()));
  const bulkDelete = bulkButton("trash", "list.delete_selected", () => remove(chosen()));
  const order = orderChoice(asked.sort, (sort) => look({ sort }));
  const refresh = button("refresh", t("list.refresh"), async () => (await load()) && say(t("list.refreshed")));
  const count = h("p", { class: "count", role: "status" });
  const room = h("p", { class: "quiet" }, t(isAdmin ? "list.intro_admin" : "list.intro"));
  const pager = h("nav", { class: "pager", "aria-label": t("list.pages") });
  const empty = h("div", { class: "empty" });
  const zone = h("div", {});
  const area = h("div", { class: "panel" }, table.node, empty);

  /** Looks at something else, from its first page on. */
  function look(changes) {
    Object.assign(asked, changes);
    starts = [null];
    setAddress(address());
    load();
  }

  /** After a change: the list and the number of tokens are no longer what they were. */
  function changed() {
    load();
    loadLimits();
  }

  const different = () => Object.fromEntries(Object.entries(asked).filter(([key, value]) => value !== START[key]));
  const address = () => toList(different());
  const filtered = () => Object.keys(different()).some((key) => key !== "sort" && key !== "status");

  /** Returns what the API is asked for. */
  function request() {
    const { soon, sort, ...others } = asked;
    const sent = Object.fromEntries(Object.entries(others).filter(([, value]) => value !== ""));
    if (sort !== START.sort) sent.sort = sort;
    if (soon) sent.expires_before = new Date(now() + SOON).toISOString();
    sent.limit = PAGE;
    const cursor = starts.at(-1);
    return cursor ? { ...sent, cursor } : sent;
  }

  /** Resolves with whether the list was shown. */
  async function load() {
    loading?.abort();
    const mine = (loading = new AbortController());
    mark(area, "aria-busy", "true");
    try {
      const page = await listTokens(request(), mine.signal);
      if (loading !== mine) return false;
      // The last token of the last page is gone: the page before is the last one now.
      if (page.items.length === 0 && starts.length > 1) {
        starts.pop();
        return load();
      }
      lastLook = { hash: address(), starts };
      show(page);
      return true;
    } catch (problem) {
      if (problem.name === "AbortError" || loading !== mine) return false;
      if (problem.kind === undefined) throw problem;
      failed(problem);
      return false;
    } finally {
      if (loading === mine) mark(area, "aria-busy", null);
    }
  }

  function show(page) {
    box.clear();
    tokens = page.items;
    next = page.next_cursor;
    for (const { owner } of tokens) owners.add(owner);
    table.order(asked.sort);
    order.value = asked.sort;
    table.show(tokens);
    selection.show(tokens.map(({ id }) => id));
    filters.counts(page.counts);
    const none = tokens.length === 0;
    table.node.hidden = none;
    fill(empty, none && noTokens(page.counts, { asked, filtered: filtered(), filters }));
    const from = (starts.length - 1) * PAGE;
    fill(count, none ? null : t("list.range", { from: from + 1, to: from + tokens.length, total: page.total }));
    const pages = starts.length > 1 || next !== null;
    fill(pager, pages && [step(t("list.previous"), starts.length > 1, () => starts.pop()), step(t("list.next"), next !== null, () => starts.push(next))]);
    if (zone.childElementCount === 0) fill(zone, zoneNote(), dangerZone({ changed, owners: () => [...owners].sort() }));
  }

  function failed(problem) {
    // The cursor may be too old, or somebody typed the address. The list from its start is always there.
    const start = () => {
      asked.sort = START.sort;
      filters.change(NO_FILTERS);
    };
    const buttons = problem.status === 422 ? { [t("list.whole")]: start } : { [t("try_again")]: () => load() };
    box.show(problem, { more: problem.errors.map(({ field, message }) => `${field}: ${message}`), buttons });
    if (tokens.length === 0) table.show([]);
  }

  /** Shows how many tokens there is room for. The list does not wait for it, and does without it if need be. */
  async function loadLimits() {
    const { scopes, limits } = await fetchScopes().catch(() => ({ scopes: [], limits: null }));
    filters.offer({ scopes: scopes.map(({ scope }) => scope), owners: [...owners].sort() });
    if (limits?.tokens_per_owner) fill(room, t(isAdmin ? "list.room_admin" : "list.room", { in_use: limits.in_use, limit: limits.tokens_per_owner }));
  }

  const step = (label, possible, move) =>
    h("button", { class: "button", type: "button", disabled: !possible, on: { click: () => (move(), load(), node.querySelector("h1").scrollIntoView()) } }, label);

  const node = h(
    "div",
    { class: isAdmin ? "view admin" : "view" },
    h(
      "div",
      { class: "view-head" },
      h("div", {}, h("h1", { tabindex: "-1" }, t(isAdmin ? "list.title_admin" : "list.title")), room),
      h("a", { class: "button primary", href: toNew }, icon("plus"), t("list.new")),
    ),
    filters.node,
    box.node,
    h("div", { class: "toolbar" }, count, h("div", { class: "actions" }, order, bulkRevoke.node, bulkDelete.node, refresh)),
    area,
    pager,
    zone,
  );
  if (lastLook.hash === address()) starts = lastLook.starts;
  table.order(asked.sort);
  table.wait(3);
  const ready = load();
  ready.then(loadLimits);
  return {
    title: t(isAdmin ? "list.title_admin" : "list.title"),
    node,
    ready,
    leave() {
      filters.leave();
      loading?.abort();
      loading = null;
    },
  };
}

/** A button for what is selected. It is not disabled, because it would lose the focus when the selection goes. */
function bulkButton(glyph, key, click) {
  const label = h("span", {}, t(key));
  const node = h("button", { class: "button", type: "button", "aria-disabled": "true" }, icon(glyph), label);
  node.addEventListener("click", () => node.hasAttribute("aria-disabled") || click());
  return {
    node,
    count(size) {
      fill(label, size > 0 ? `${t(key)} (${size})` : t(key));
      mark(node, "aria-disabled", size === 0 ? "true" : null);
    },
  };
}

function orderChoice(start, changed) {
  const select = h("select", { class: "order", "aria-label": t("list.order") }, ORDERS.map((value) => h("option", { value }, t(`order.${value}`))));
  select.value = start;
  select.addEventListener("change", () => changed(select.value));
  return select;
}

/** What stands in the place of the rows, by the cause that there are none. */
function noTokens({ active, expired, revoked }, { asked, filtered, filters }) {
  const all = active + expired + revoked;
  if (all === 0 && !filtered) return welcome();
  const reset = (label, values) => h("button", { class: "button", type: "button", on: { click: () => filters.change(values) } }, label);
  if (all > 0) {
    // The other statuses have some.
    return [
      h("h2", {}, t(`empty.${asked.status}`)),
      h("p", {}, [[active, "active"], [expired, "expired"], [revoked, "revoked"]].filter(([count]) => count > 0).map(([count, status]) => plural(`empty.there_${status}`, count)).join(" ")),
      reset(t("empty.all_statuses"), { status: "all" }),
    ];
  }
  const only = ["q", "scope", "owner"].filter((key) => asked[key] !== "");
  const single = only.length === 1 && !asked.soon && !asked.never_used;
  return [
    h("h2", {}, t("empty.none")),
    h("p", {}, single ? rich(`empty.by_${only[0]}`, { text: h("bdi", {}, asked[only[0]]) }) : t("empty.by_filters")),
    reset(t("empty.show_all"), { ...NO_FILTERS, status: "all" }),
  ];
}

const welcome = () => [
  icon("key"),
  h("h2", {}, t(isAdmin ? "welcome.title_admin" : "welcome.title")),
  h("p", {}, t("welcome.text")),
  h("a", { class: "button primary", href: toNew }, t("welcome.create")),
];
