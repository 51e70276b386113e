// The table of tokens: a row each, and what can be done to it. On a narrow screen a row becomes a card.

import { fill, h, icon, iconButton, isolated, mark } from "./dom.js";
import { isAdmin, me } from "./page-data.js";
import { go, toCopy, toToken } from "./route.js";
import { t } from "./texts.js";
import { expiry, past } from "./time.js";
import { badges } from "./token-actions.js";

/** How many scopes a row shows. */
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

/**
 * Creates the table. `sorted` is called with an order, `revoke` and `remove` with the tokens to revoke or delete.
 */
export function listTable({ selection, sorted, revoke, remove }) {
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
    /** Shows the order. */
    order(sort) {
      for (const each of heads) each.order(sort);
    },
    /** Shows these tokens. */
    show(tokens) {
      boxes = new Map();
      fill(body, tokens.map((token) => tokenRow(token, { selection, revoke, remove, boxes })));
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
  // Whatever tick the browser sets itself, the selection decides what is ticked.
  box.addEventListener("click", (event) => {
    event.stopPropagation();
    selection.toggle(token.id, { range: event.shiftKey, on: box.checked });
  });
  const cell = (name, label, ...children) => h("td", { class: name, "data-label": label }, h("div", {}, children));
  const node = h(
    "tr",
    { class: token.status === "active" ? null : "ended" },
    h("td", { class: "pick" }, h("label", {}, box)),
    h("th", { scope: "row" }, h("a", { href: toToken(token.id), class: "name", dir: "auto" }, token.name), h("p", { class: "quiet clip", dir: "auto" }, token.description)),
    isAdmin && cell("owner", t("list.owner"), isolated(token.owner)),
    cell("scopes-cell", t("list.scopes"), scopeChips(token.scopes)),
    cell("status-cell", t("list.status"), h("div", { class: "badges" }, badges(token)), token.revoked_at && past(token.revoked_at)),
    cell("created", t("list.created"), past(token.created_at)),
    cell("expires", t("list.expires"), expiry(token)),
    cell("used", t("list.last_used"), past(token.last_used_at)),
    h("td", { class: "row-actions" }, rowActions(token, { revoke, remove })),
  );
  onRowClick(node, token, selection);
  return node;
}

/** A click opens; with Ctrl or Cmd it selects, with Shift a range. Links and buttons do what they do anywhere. */
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
  return h(
    "div",
    { class: "icons" },
    link("view", "view", toToken(token.id)),
    token.owner === me && link("copy", "copy", toCopy(token.id)),
    token.status === "active" && iconButton("stop", t("list.revoke"), t("list.revoke_name", token), () => revoke([token])),
    iconButton("trash", t("list.delete"), t("list.delete_name", token), () => remove([token])),
  );
}

function scopeChips(held) {
  if (held.length === 0) return h("span", { class: "quiet" }, t("list.no_scopes"));
  const more = held.length - SCOPES;
  return h(
    "div",
    { class: "chips" },
    held.slice(0, SCOPES).map((scope) => h("code", { class: "chip", title: scope }, scope)),
    more > 0 && h("span", { class: "quiet", title: held.slice(SCOPES).join("\n") }, `+${more}`),
  );
}
