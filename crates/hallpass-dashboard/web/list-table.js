// The table of tokens: a row each, and what can be done to it. On a narrow screen a row becomes a card.

import { fill, h, mark } from "./dom.js";
import { isAdmin, me } from "./facts.js";
import { icon } from "./icons.js";
import { go, toCopy, toDetail } from "./route.js";
import { expiry, past } from "./time.js";

/** How many scopes a row shows. */
const SCOPES = 2;

const COLUMNS = [
  { label: "Name", sort: "name", width: "rest" },
  ...(isAdmin ? [{ label: "Owner" }] : []),
  { label: "Scopes", width: "wide" },
  { label: "Status" },
  { label: "Created", sort: "created_at" },
  { label: "Expires", sort: "expires_at" },
  { label: "Last used", sort: "last_used_at" },
];

/** The table. `sorted` is called with an order, `remove` with the tokens to delete. */
export function listTable({ sort, selection, sorted, remove }) {
  const all = h("input", { type: "checkbox", "aria-label": "Select all tokens shown" });
  all.addEventListener("change", () => selection.all(all.checked));
  const heads = COLUMNS.map((column) => head(column, sorted));
  const body = h("tbody", {});
  const table = h(
    "table",
    { class: "tokens" },
    h("caption", { class: "hidden" }, "Tokens"),
    h(
      "thead",
      {},
      h("tr", {}, h("th", { class: "pick", scope: "col" }, all), heads.map(({ node }) => node), h("th", { scope: "col", class: "date" }, h("span", { class: "hidden" }, "Actions"))),
    ),
    body,
  );
  let boxes = new Map();
  return {
    node: table,
    /** Shows the order. */
    order(sort) {
      for (const each of heads) each.order(sort);
    },
    /** Shows these tokens. */
    show(tokens) {
      boxes = new Map();
      fill(body, tokens.map((token) => row(token, { selection, remove, boxes })));
    },
    /** Shows rows that are still to come. */
    wait(count) {
      fill(body, Array.from({ length: count }, () => h("tr", { class: "waiting" }, h("td", { colspan: COLUMNS.length + 2 }, h("span", { class: "bar" })))));
    },
    /** Shows what is selected. */
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

function head({ label, sort, width = "date" }, sorted) {
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

function row(token, { selection, remove, boxes }) {
  const box = h("input", { type: "checkbox", "aria-label": `Select ${token.name}` });
  boxes.set(token.id, box);
  // Where the browser sets the tick itself, it is overruled: the selection says what is ticked.
  box.addEventListener("click", (event) => {
    event.stopPropagation();
    selection.toggle(token.id, { range: event.shiftKey, on: box.checked });
  });
  const cell = (label, ...children) => h("td", { "data-label": label }, h("div", {}, children));
  const node = h(
    "tr",
    {},
    h("td", { class: "pick" }, h("label", {}, box)),
    h(
      "th",
      { scope: "row" },
      h("a", { href: toDetail(token.id), class: "name" }, token.name),
      h("p", { class: "quiet clip" }, token.description),
    ),
    isAdmin && cell("Owner", token.owner),
    cell("Scopes", scopes(token.scopes)),
    cell("Status", badge(token.status)),
    cell("Created", past(token.created_at)),
    cell("Expires", expiry(token.expires_at)),
    cell("Last used", past(token.last_used_at)),
    h("td", { class: "row-actions" }, actions(token, remove)),
  );
  rowClicks(node, token, selection);
  return node;
}

/** A click opens; with Ctrl or Cmd it selects, with Shift a range. Links and buttons do what they do anywhere. */
function rowClicks(node, token, selection) {
  const own = (event) => event.target.closest("a, button, input, label");
  node.addEventListener("mousedown", (event) => {
    // Or the browser would select the text between the two clicks.
    if (event.shiftKey && !own(event)) event.preventDefault();
  });
  node.addEventListener("click", (event) => {
    if (own(event)) return;
    if (event.shiftKey) selection.toggle(token.id, { range: true, on: true });
    else if (event.ctrlKey || event.metaKey) selection.toggle(token.id);
    else if (getSelection().isCollapsed) go(toDetail(token.id));
  });
}

function actions(token, remove) {
  const label = (verb) => ({ title: verb, "aria-label": `${verb} ${token.name}` });
  return h(
    "div",
    { class: "icons" },
    h("a", { class: "button icon", href: toDetail(token.id), ...label("View") }, icon("view")),
    token.owner === me && h("a", { class: "button icon", href: toCopy(token.id), ...label("Copy as new") }, icon("copy")),
    h("button", { class: "button icon", type: "button", ...label("Delete"), on: { click: () => remove([token]) } }, icon("trash")),
  );
}

function scopes(held) {
  if (held.length === 0) return h("span", { class: "quiet" }, "none");
  const more = held.length - SCOPES;
  return h(
    "div",
    { class: "chips" },
    held.slice(0, SCOPES).map((scope) => h("code", { class: "chip", title: scope }, scope)),
    more > 0 && h("span", { class: "quiet", title: held.slice(SCOPES).join("\n") }, `+${more}`),
  );
}

/** What state a token is in, in a word and a colour. */
export const badge = (status) => h("span", { class: `badge ${status}` }, status);
