// Lists the activity of one token, or of all tokens of a person: actor, change, time and origin.

import { toToken } from "./address.js";
import { listAudit, showToken } from "./api.js";
import { minute, relative, time, zoneNote } from "./dates.js";
import { button, fill, h, isolated, mark, problemBox } from "./dom.js";
import { ownerName } from "./owners.js";
import { isAdmin, plural, rich, t } from "./page.js";

const KINDS = ["issued", "copied", "updated", "regenerated", "grace_period_ended", "digest_replaced", "revoked", "deleted", "pruned", "owner_changed"];
const FIELDS = ["name", "description", "scopes", "expires_at", "metadata", "status", "revoked_at", "regenerated_at", "previous_secret_expires_at", "owner"];
const ENTRIES = 50;

/** Creates the view of the activity of the token with this id, or of all tokens. */
export function activityView({ id }) {
  const box = problemBox();
  const head = h("h1", { tabindex: "-1" }, t("activity.title"));
  const list = h("ol", { class: "activity" });
  const foot = h("div", { class: "actions start" });
  const kind = h("select", { "aria-label": t("activity.kind") }, h("option", { value: "" }, t("activity.all_kinds")), KINDS.map((each) => h("option", { value: each }, t(`activity.kind_${each}`))));
  const owner = isAdmin && !id ? h("input", { type: "search", "aria-label": t("filters.owner"), placeholder: t("filters.owner"), maxlength: 255, autocomplete: "off" }) : null;
  const view = h("div", { class: "view narrow" }, head, h("p", { class: "quiet" }, t(id ? "activity.intro_one" : isAdmin ? "activity.intro_admin" : "activity.intro")), h("form", { class: "row", role: "search" }, kind, owner), box.node, list, foot, zoneNote());
  let names = new Map();
  let turn = 0;

  async function load(cursor = null) {
    const mine = ++turn;
    mark(list, "aria-busy", "true");
    try {
      const query = { limit: ENTRIES, ...(id ? { token: id } : {}), ...(kind.value ? { kind: kind.value } : {}), ...(owner?.value ? { owner: owner.value } : {}), ...(cursor ? { cursor } : {}) };
      const { items, next_cursor: next } = await listAudit(query);
      if (mine !== turn) return;
      box.clear();
      names = new Map([...names, ...namesIn(items)]);
      if (cursor) list.append(...items.map((entry) => activityEntry(entry, names)));
      else fill(list, items.length > 0 ? items.map((entry) => activityEntry(entry, names)) : h("li", { class: "quiet" }, t("activity.none")));
      fill(foot, next && button("more", t("activity.more"), () => load(next)));
    } catch (problem) {
      if (problem.kind === undefined) throw problem;
      if (mine === turn) box.show(problem, { buttons: { [t("try_again")]: () => load(cursor) } });
    } finally {
      if (mine === turn) mark(list, "aria-busy", null);
    }
  }

  kind.addEventListener("change", () => load());
  view.querySelector("form").addEventListener("submit", (event) => {
    event.preventDefault();
    load();
  });
  owner?.addEventListener("change", () => load());
  // A deleted token still has activity entries, but its name can no longer be loaded.
  if (id) showToken(id).then(({ name }) => fill(head, rich("activity.title_of", { name: isolated(name) })), () => {});
  return { title: t("activity.title"), node: view, ready: load(), leave: () => (turn += 1) };
}

/**
 * Returns the names of tokens that the entries contain. The entries are sorted newest first, and
 * the newest name is used.
 */
function namesIn(items) {
  const found = new Map();
  for (const { token_id: id, changes } of items) {
    const name = changes.find(({ field }) => field === "name");
    if (id && name && !found.has(id)) found.set(id, name.after ?? name.before);
  }
  return found;
}

function activityEntry({ at, kind, actor, owner, token_id: id, count, origin, changes }, names) {
  const key = KINDS.includes(kind) ? `activity.kind_${kind}` : "activity.kind_other";
  const from = [origin.ip, origin.user_agent && program(origin.user_agent), origin.request_id && t("activity.request", { id: origin.request_id })].filter(Boolean);
  const about = id ? h("a", { href: toToken(id) }, names.has(id) ? isolated(names.get(id)) : h("code", {}, id)) : h("span", {}, plural("activity.tokens", count));
  return h(
    "li",
    { class: "entry" },
    h("div", { class: "entry-head" }, h("strong", {}, t(key, { kind })), " ", about, h("span", { class: "entry-time" }, time(at, minute(at)), " ", h("span", { class: "quiet" }, relative(at)))),
    h(
      "p",
      { class: "quiet", title: origin.user_agent },
      rich("activity.by", { actor: actor ? ownerName(actor) : t("activity.unknown") }),
      isAdmin && owner && owner !== actor && [" ", rich("activity.owner", { owner: ownerName(owner) })],
      from.length > 0 && [" ", isolated(t("activity.from", { origin: from.join(" · ") }))],
    ),
    changes.length > 0 && changesTable(changes),
  );
}

/**
 * Creates the table of changed fields. It has a "before" column only if a field had a value before.
 */
function changesTable(changes) {
  const hadValues = changes.some(({ before }) => !isEmpty(before));
  const heads = hadValues ? ["activity.field", "activity.before", "activity.after"] : ["activity.field", "activity.value"];
  const row = ({ field, before, after }) => h("tr", {}, h("th", { scope: "row" }, FIELDS.includes(field) ? t(`activity.field_${field}`) : field), hadValues && h("td", {}, changedValue(before)), h("td", {}, changedValue(after)));
  return h("table", { class: hadValues ? "changes" : "changes set" }, h("thead", {}, h("tr", {}, heads.map((key) => h("th", { scope: "col" }, t(key))))), h("tbody", {}, changes.map(row)));
}

const isEmpty = (value) => value === null || value === "" || value?.length === 0;

const BROWSERS = { "Edg/": "Edge", "OPR/": "Opera", "Firefox/": "Firefox", "Chrome/": "Chrome", "Safari/": "Safari" };
const SYSTEMS = { Android: "Android", iPhone: "iOS", iPad: "iPadOS", Windows: "Windows", "Mac OS X": "macOS", CrOS: "ChromeOS", Linux: "Linux" };

/** Returns a short name for a browser's user agent. Any other user agent is returned unchanged. */
function program(userAgent) {
  const known = (names) => Object.entries(names).find(([part]) => userAgent.includes(part))?.[1];
  const [browser, system] = [known(BROWSERS), known(SYSTEMS)];
  return userAgent.startsWith("Mozilla/") && browser && system ? t("activity.browser", { browser, system }) : userAgent;
}

/**
 * Formats the value of a field: times in the local time zone, scopes as a list, anything else as
 * text.
 */
function changedValue(value) {
  if (isEmpty(value)) return h("span", { class: "quiet" }, "–");
  if (Array.isArray(value)) return h("div", { class: "chips" }, value.map((each) => h("code", { class: "chip" }, String(each))));
  if (typeof value === "object") return h("code", {}, JSON.stringify(value));
  if (typeof value === "string" && /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(value)) return time(value, minute(value));
  return isolated(String(value));
}
