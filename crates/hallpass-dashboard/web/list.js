// Shows the list of tokens. It is the first view of the page and needs one API call.

import { go, setAddress, toCopy, toList, toNew, toToken } from "./address.js";
import { fetchScopes, listTokens, now } from "./api.js";
import { DAY, SOON, UNUSED, badges, expiry, past, previousEnd, zoneNote } from "./dates.js";
import { button, fill, h, icon, iconButton, mark, problemBox, say } from "./dom.js";
import { NO_FILTERS, OF_ACTIVE, OPTIONAL, listFilters, newSelection } from "./filters.js";
import { isAdmin, me, plural, rich, t } from "./page.js";
import { ownerName } from "./owners.js";
import { askToDelete, askToRevoke, dangerZone } from "./revoke.js";

const START = { ...NO_FILTERS, sort: "-created_at" };
const PAGE = 20;

const ORDERS = ["-created_at", "created_at", "name", "-name", "expires_at", "-expires_at", "-last_used_at", "last_used_at"];

/** The owners of all tokens loaded so far, as suggestions for an admin. */
const owners = new Set();

/** The last list that was shown, to return to it: its address, its pages, and the time of its filters. */
let lastLook = { hash: null, starts: [null], at: 0 };

/** Creates the list with the filters and the order of the address. */
export function listView({ query }) {
  const asked = { ...START, ...Object.fromEntries(Object.keys(START).flatMap((key) => (query.has(key) ? [[key, query.get(key)]] : []))) };
  let tokens = [];
  let starts = [null];
  // The time that the filters refer to. The next pages use the same, because a cursor is bound to it.
  let at = 0;
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

  /** Applies changes to the filters or the order and loads the first page. */
  function look(changes) {
    Object.assign(asked, changes);
    starts = [null];
    setAddress(address());
    load();
  }

  /** Reloads the list and the number of tokens after a change. */
  function changed() {
    load();
    loadLimits();
  }

  const different = () => Object.fromEntries(Object.entries(asked).filter(([key, value]) => value !== START[key]));
  const address = () => toList(different());
  const filtered = () => Object.keys(different()).some((key) => key !== "sort" && key !== "status");

  /** Returns the query for the API. `at` is the time that the filters refer to. */
  function request(at) {
    const { soon, unused, sort, ...others } = asked;
    /** @type {Record<string, any>} */
    const sent = Object.fromEntries(Object.entries(others).filter(([, value]) => value !== ""));
    if (sort !== START.sort) sent.sort = sort;
    if (soon) sent.expires_before = new Date(at + SOON).toISOString();
    if (unused) sent.unused_since = new Date(at - UNUSED).toISOString();
    sent.limit = PAGE;
    const cursor = starts.at(-1);
    return cursor ? { ...sent, cursor } : sent;
  }

  /** Loads the list. Resolves with whether it was shown. */
  async function load() {
    loading?.abort();
    const mine = (loading = new AbortController());
    mark(area, "aria-busy", "true");
    try {
      const time = starts.length === 1 ? now() : at;
      const page = await listTokens(request(time), mine.signal);
      if (loading !== mine) return false;
      at = time;
      // The last page is empty after its last token was removed, so go back one page.
      if (page.items.length === 0 && starts.length > 1) {
        starts.pop();
        return load();
      }
      lastLook = { hash: address(), starts, at };
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
    // The cursor may be too old, or the address may be invalid. Loading the list from its start
    // always works.
    const start = () => {
      asked.sort = START.sort;
      filters.change(NO_FILTERS);
    };
    const buttons = problem.status === 422 ? { [t("list.whole")]: start } : { [t("try_again")]: () => load() };
    box.show(problem, { more: problem.errors.map(({ field, message }) => `${field}: ${message}`), buttons });
    if (tokens.length === 0) table.show([]);
  }

  /**
   * Shows the number of tokens and the limit. The list does not wait for it and works without it.
   */
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
  if (lastLook.hash === address()) ({ starts, at } = lastLook);
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

/**
 * Creates a button for the selection. It is never disabled, because a disabled button loses the
 * focus.
 */
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

/** Creates the explanation that replaces the rows of an empty list. */
function noTokens({ active, expired, revoked }, { asked, filtered, filters }) {
  const all = active + expired + revoked;
  if (all === 0 && !filtered) return welcome();
  const reset = (label, values) => h("button", { class: "button", type: "button", on: { click: () => filters.change(values) } }, label);
  // Other statuses do not matter to a filter for active tokens.
  if (all > 0 && !(asked.status === "active" && OF_ACTIVE.some((name) => asked[name] !== ""))) {
    const others = [[active, "active"], [expired, "expired"], [revoked, "revoked"]].filter(([count]) => count > 0);
    return [
      h("h2", {}, t(filtered ? "empty.none" : `empty.${asked.status}`)),
      h("p", {}, others.map(([count, status]) => plural(`empty.${filtered ? "match" : "there"}_${status}`, count)).join(" ")),
      reset(t("empty.all_statuses"), { status: "all" }),
    ];
  }
  const [only, ...more] = OPTIONAL.filter((name) => asked[name] !== "");
  return [
    h("h2", {}, t("empty.none")),
    h("p", {}, more.length > 0 ? t("empty.by_filters") : rich(`empty.by_${only}`, { text: h("bdi", {}, asked[only]), days: String(UNUSED / DAY) })),
    reset(t("empty.show_all"), { ...NO_FILTERS, status: "all" }),
  ];
}

const welcome = () => [
  icon("key"),
  h("h2", {}, t(isAdmin ? "welcome.title_admin" : "welcome.title")),
  h("p", {}, t("welcome.text")),
  h("a", { class: "button primary", href: toNew }, t("welcome.create")),
];

// The table of tokens, with the actions of each row. On a narrow screen a row becomes a card.

/** The number of scopes that a row shows. */
const SCOPES = 2;

const COLUMNS = [
  { label: t("list.name"), sort: "name", width: "rest" },
  ...(isAdmin ? [{ label: t("list.owner"), width: "owner" }] : []),
  { label: t("list.scopes"), width: "wide" },
  { label: t("list.status"), width: "status-head" },
  { label: t("list.created"), sort: "created_at", width: "date created" },
  { label: t("list.expires"), sort: "expires_at" },
  { label: t("list.last_used"), sort: "last_used_at" },
];

/** Creates the table. `sorted` is called with an order, and `revoke` and `remove` with tokens. */
function listTable({ selection, sorted, revoke, remove }) {
  const all = h("input", { type: "checkbox", "aria-label": t("list.select_all") });
  all.addEventListener("change", () => selection.all(all.checked));
  const heads = COLUMNS.map((column) => columnHead(column, sorted));
  const body = h("tbody", {});
  const table = h(
    "table",
    { class: "tokens" },
    h("caption", { class: "hidden" }, t("list.caption")),
    h(
      "thead",
      {},
      h(
        "tr",
        {},
        h("th", { class: "pick", scope: "col" }, all, h("span", { class: "pick-label", "aria-hidden": "true" }, t("list.select_all_short"))),
        heads.map(({ node }) => node),
        h("th", { scope: "col", class: "row-actions" }, h("span", { class: "hidden" }, t("list.actions"))),
      ),
    ),
    body,
  );
  let boxes = new Map();
  return {
    node: table,
    /** Shows the sort order. */
    order(sort) {
      for (const each of heads) each.order(sort);
    },
    /** Shows these tokens. */
    show(tokens) {
      boxes = new Map();
      fill(body, tokens.map((token) => tokenRow(token, { selection, revoke, remove, boxes })));
    },
    /** Shows placeholder rows while the list loads. */
    wait(count) {
      fill(body, Array.from({ length: count }, () => h("tr", { class: "waiting" }, h("td", { colspan: COLUMNS.length + 2 }, h("span", { class: "bar" })))));
    },
    /** Shows the selection. */
    selected() {
      for (const [id, box] of boxes) {
        box.checked = selection.has(id);
        box.closest("tr").classList.toggle("selected", box.checked);
      }
      all.checked = boxes.size > 0 && selection.size === boxes.size;
      all.indeterminate = selection.size > 0 && !all.checked;
    },
  };
}

/** @param {{ label: string, sort?: string, width?: string }} column */
function columnHead({ label, sort, width = "date" }, sorted) {
  if (!sort) return { node: h("th", { scope: "col", class: width }, label), order() {} };
  let current = "";
  const arrow = h("span", { class: "arrow", "aria-hidden": "true" });
  const click = () => sorted(current === sort ? `-${sort}` : sort);
  const node = h("th", { scope: "col", class: width }, h("button", { class: "sort", type: "button", on: { click } }, label, arrow));
  return {
    node,
    order(now) {
      current = now;
      const direction = now === sort ? "ascending" : now === `-${sort}` ? "descending" : null;
      mark(node, "aria-sort", direction);
      fill(arrow, direction === "ascending" ? "↑" : direction === "descending" ? "↓" : null);
    },
  };
}

function tokenRow(token, { selection, revoke, remove, boxes }) {
  const box = h("input", { type: "checkbox", "aria-label": t("list.select", token) });
  boxes.set(token.id, box);
  // The selection decides about the checkbox, regardless of the browser's default action.
  box.addEventListener("click", (event) => {
    event.stopPropagation();
    selection.toggle(token.id, { range: event.shiftKey, on: box.checked });
  });
  const cell = (name, label, ...children) => h("td", { class: name, "data-label": label }, h("div", {}, children));
  const node = h(
    "tr",
    { class: token.status === "active" ? null : `ended ${token.status}` },
    h("td", { class: "pick" }, h("label", {}, box)),
    h("th", { scope: "row" }, h("a", { href: toToken(token.id), class: "name", dir: "auto" }, token.name), h("p", { class: "quiet clip", dir: "auto" }, token.description)),
    isAdmin && cell("owner", t("list.owner"), ownerName(token.owner)),
    cell("scopes-cell", t("list.scopes"), scopeChips(token.scopes)),
    cell("status-cell", t("list.status"), h("div", { class: "badges" }, badges(token)), token.revoked_at && past(token.revoked_at), previousEnd(token)),
    cell("created", t("list.created"), past(token.created_at)),
    cell("expires", t("list.expires"), expiry(token)),
    cell("used", t("list.last_used"), past(token.last_used_at)),
    h("td", { class: "row-actions" }, rowActions(token, { revoke, remove })),
  );
  onRowClick(node, token, selection);
  return node;
}

/**
 * Opens the token on click. Ctrl or Cmd selects it and Shift selects a range. Links and buttons
 * keep their own behaviour.
 */
function onRowClick(node, token, selection) {
  const own = (event) => event.target.closest("a, button, input, label");
  node.addEventListener("mousedown", (event) => {
    // The browser would select the text between the two clicks.
    if (event.shiftKey && !own(event)) event.preventDefault();
  });
  node.addEventListener("click", (event) => {
    if (own(event)) return;
    if (event.shiftKey) selection.toggle(token.id, { range: true, on: true });
    else if (event.ctrlKey || event.metaKey) selection.toggle(token.id);
    else if (getSelection().isCollapsed) go(toToken(token.id));
  });
}

function rowActions(token, { revoke, remove }) {
  const link = (glyph, key, href) => h("a", { class: "button icon", href, title: t(`list.${key}`), "aria-label": t(`list.${key}_name`, token) }, icon(glyph));
  // A missing action leaves a gap, so the icons of all rows are aligned.
  const gap = () => h("span", { class: "icon" });
  return h(
    "div",
    { class: "icons" },
    link("view", "view", toToken(token.id)),
    token.owner === me ? link("copy", "copy", toCopy(token.id)) : gap(),
    token.status !== "active" ? gap() : iconButton("stop", t("list.revoke"), t("list.revoke_name", token), () => revoke([token])),
    iconButton("trash", t("list.delete"), t("list.delete_name", token), () => remove([token])),
  );
}

function scopeChips(held) {
  if (held.length === 0) return h("span", { class: "quiet" }, t("list.no_scopes"));
  const more = held.length - SCOPES;
  return h(
    "div",
    { class: "chips" },
    // A long scope can wrap after each segment.
    held.slice(0, SCOPES).map((scope) => h("code", { class: "chip", title: scope }, scope.split(/(?<=[:.])/).flatMap((part) => [part, h("wbr")]))),
    more > 0 && h("span", { class: "quiet", title: held.slice(SCOPES).join("\n") }, `+${more}`),
  );
}
