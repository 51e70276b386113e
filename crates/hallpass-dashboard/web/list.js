// The list of tokens: the page's first view, with one call of the API.

import * as api from "./api.js";
import { dangerZone } from "./danger.js";
import { fill, h, mark } from "./dom.js";
import { isAdmin } from "./facts.js";
import { icon } from "./icons.js";
import { listFilters } from "./list-filters.js";
import { listTable } from "./list-table.js";
import { problemBox } from "./problem-view.js";
import { removeTokens } from "./removal.js";
import { note, toList, toNew } from "./route.js";
import { selection as newSelection } from "./selection.js";

const START = { status: "all", q: "", owner: "", sort: "-created_at" };
const PAGE = 20;

/** What was looked at last, to come back to: the address, and where its pages start. */
let last = { hash: null, starts: [null] };

/** The list, with the filters and the order of the address. */
export function listView({ query }) {
  const asked = { ...START, ...Object.fromEntries(Object.keys(START).flatMap((key) => (query.has(key) ? [[key, query.get(key)]] : []))) };
  let tokens = [];
  let starts = [null];
  let next = null;
  let loading = null;

  const box = problemBox();
  const selection = newSelection(() => {
    table.selected();
    const { size } = selection;
    fill(removeLabel, size > 0 ? `Delete selected (${size})` : "Delete selected");
    // Not disabled, or it would lose the focus when the selection goes.
    mark(removeSelected, "aria-disabled", size === 0 ? "true" : null);
  });
  const table = listTable({
    selection,
    sorted: (sort) => look({ sort }),
    remove: async (chosen) => (await removeTokens(chosen)) && load(),
  });
  const filters = listFilters(asked, look);
  const removeLabel = h("span", {}, "Delete selected");
  const removeSelected = h("button", { class: "button", type: "button", "aria-disabled": "true" }, icon("trash"), removeLabel);
  removeSelected.addEventListener("click", async () => {
    const chosen = tokens.filter(({ id }) => selection.has(id));
    if (chosen.length > 0 && (await removeTokens(chosen))) load();
  });
  const order = orderChoice(asked.sort, (sort) => look({ sort }));
  const refresh = h("button", { class: "button", type: "button", on: { click: () => load() } }, icon("refresh"), "Refresh");
  const count = h("p", { class: "count", role: "status" });
  const pager = h("nav", { class: "pager", "aria-label": "Pages" });
  const empty = h("div", { class: "empty" });
  const zone = h("div", {});
  const area = h("div", { class: "panel" }, table.node, empty);

  /** Looks at something else: from its first page on. */
  function look(changes) {
    Object.assign(asked, changes);
    starts = [null];
    note(address());
    load();
  }

  const different = () => Object.fromEntries(Object.entries(asked).filter(([key, value]) => value !== START[key]));
  const address = () => toList(different());
  const filtered = () => Object.keys(different()).some((key) => key !== "sort");

  async function load() {
    loading?.abort();
    const mine = (loading = new AbortController());
    mark(area, "aria-busy", "true");
    try {
      const cursor = starts.at(-1);
      const sent = { ...different(), limit: PAGE, ...(cursor ? { cursor } : {}) };
      const page = await api.list(sent, mine.signal);
      // The last token of the last page is gone: the page before is the last one now.
      if (page.items.length === 0 && starts.length > 1) {
        starts.pop();
        return load();
      }
      last = { hash: address(), starts };
      show(page);
    } catch (problem) {
      if (problem.name === "AbortError") return;
      if (problem.kind === undefined) throw problem;
      failed(problem);
    } finally {
      if (loading === mine) mark(area, "aria-busy", null);
    }
  }

  function show(page) {
    box.clear();
    tokens = page.items;
    next = page.next_cursor;
    table.order(asked.sort);
    order.value = asked.sort;
    table.show(tokens);
    selection.show(tokens.map(({ id }) => id));
    const none = tokens.length === 0;
    table.node.hidden = none;
    fill(empty, none && (filtered() ? noMatch(filters) : welcome()));
    const from = (starts.length - 1) * PAGE;
    fill(count, none ? null : `${from + 1}–${from + tokens.length} of ${page.total}`);
    const pages = starts.length > 1 || next !== null;
    fill(pager, pages && [step("Previous", starts.length > 1, () => starts.pop()), step("Next", next !== null, () => starts.push(next))]);
    if (zone.childElementCount === 0) fill(zone, dangerZone(load));
  }

  function failed(problem) {
    // A cursor of an hour ago, or an address that somebody typed: the list from its start is there for sure.
    const start = () => {
      starts = [null];
      Object.assign(asked, { sort: START.sort });
      filters.reset();
    };
    const buttons = problem.status === 422 ? { "Show the whole list": start } : { "Try again": () => load() };
    box.show(problem, { more: problem.errors.map(({ field, message }) => `${field}: ${message}`), buttons });
    if (tokens.length === 0) table.show([]);
  }

  const step = (label, possible, move) =>
    h(
      "button",
      { class: "button", type: "button", disabled: !possible, on: { click: () => (move(), load(), node.querySelector("h1").scrollIntoView()) } },
      label,
    );

  const node = h(
    "div",
    { class: "view" },
    h(
      "div",
      { class: "view-head" },
      h("div", {}, h("h1", { tabindex: "-1" }, "Personal access tokens"), h("p", { class: "quiet" }, isAdmin ? "Everybody’s tokens. You may look at all, and revoke or delete them." : "A token lets a program call the API in your name.")),
      h("a", { class: "button primary", href: toNew }, icon("plus"), "New token"),
    ),
    filters.node,
    box.node,
    h("div", { class: "toolbar" }, count, h("div", { class: "actions" }, order, refresh, removeSelected)),
    area,
    pager,
    zone,
  );
  table.order(asked.sort);
  table.wait(4);
  if (last.hash === address()) starts = last.starts;
  return {
    title: "Personal access tokens",
    node,
    ready: load(),
    leave() {
      filters.leave();
      loading?.abort();
    },
  };
}

const ORDERS = [
  ["Newest first", "-created_at"],
  ["Oldest first", "created_at"],
  ["By name", "name"],
  ["By name, from Z", "-name"],
  ["Soonest to expire", "expires_at"],
  ["Last to expire", "-expires_at"],
  ["Longest unused", "last_used_at"],
  ["Last used", "-last_used_at"],
];

/** The order, where there is no room for the heads of columns. */
function orderChoice(current, changed) {
  const select = h("select", { class: "order", "aria-label": "Order" }, ORDERS.map(([label, value]) => h("option", { value }, label)));
  select.value = current;
  select.addEventListener("change", () => changed(select.value));
  return select;
}

const noMatch = (filters) => [
  h("h2", {}, "No token matches"),
  h("p", {}, "None has this status and this text."),
  h("button", { class: "button", type: "button", on: { click: () => filters.reset() } }, "Show all tokens"),
];

const welcome = () => [
  icon("key"),
  h("h2", {}, "No tokens yet"),
  h(
    "p",
    {},
    "A program, a script or a build server that calls the API in your name needs a token instead of your password. You choose what it may do and for how long, and you can take it back at any time.",
  ),
  h("a", { class: "button primary", href: toNew }, "Create your first token"),
];
