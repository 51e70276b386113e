// The REST API: one function for each call. Failures are thrown as a `Problem`.

import { confirmed } from "./fields.js";
import { apiUrl, namesUrl, plural, t } from "./page.js";

/** A failed call, as RFC 9457 describes it. */
export class Problem extends Error {
  /**
   * @param {string} kind
   * @param {number} status
   * @param {{ detail?: string, errors?: { field: string, message: string }[], limit?: number, in_use?: number }} [said]
   * @param {number | null} [retryAfter]
   */
  constructor(kind, status, { detail = "", errors = [], limit, in_use: inUse } = {}, retryAfter = null) {
    super(detail || kind);
    /** The end of the problem's type, such as `token-limit`; `unreachable` if no answer came. */
    this.kind = kind;
    this.status = status;
    this.detail = detail;
    /** `[{ field, message }]`. */
    this.errors = errors;
    this.limit = limit;
    this.inUse = inUse;
    /** Seconds to wait; `null` if the server did not say. */
    this.retryAfter = retryAfter;
  }
}

/** How far the server's clock is ahead of this one, in milliseconds. */
let ahead = 0;

/** Returns the current time by the server's clock, which decides when tokens expire. */
export const now = () => Date.now() + ahead;

/** The query of the list as the page first shows it. The page's HTML preloads it. */
const FIRST_QUERY = "?status=active&limit=20";

/**
 * The answer to it, asked for before anything is drawn. Only the first view may use it: later it would be out of date.
 */
let firstAnswer = fetch(apiUrl + FIRST_QUERY, { headers: { Accept: "application/json" } });
// If the first view is another one, nobody looks at this answer.
firstAnswer.catch(() => {});
setTimeout(() => (firstAnswer = null));

/**
 * Returns a page of tokens: `{ items, next_cursor, total, counts }`. Sorted by `last_used_at`, tokens that were never used
 * come first: nothing is unused for longer.
 */
export const listTokens = (query, signal) =>
  query.sort === "last_used_at" && !query.never_used ? listLongestUnused(query, signal) : fetchList(query, signal);

const fetchList = (query, signal) => call("GET", `?${new URLSearchParams(query)}`, { signal });

/** The server puts absent times last. So these pages are first those without, then those with a last use. */
async function listLongestUnused({ cursor, ...query }, signal) {
  const { unused = true, after = null, shown = 0 } = cursor ?? {};
  const from = after ? { cursor: after } : {};
  const never = unused ? await fetchList({ ...query, ...from, never_used: true }, signal) : { items: [], next_cursor: null };
  const room = query.limit - never.items.length;
  const used = await fetchList({ ...query, ...(unused ? {} : from), limit: Math.max(1, room) }, signal);
  const more = never.next_cursor === null && room > 0;
  const items = more ? [...never.items, ...used.items.filter((token) => token.last_used_at !== null)] : never.items;
  const next = never.next_cursor ? { unused: true, after: never.next_cursor } : { unused: false, after: more ? used.next_cursor : null };
  const sum = shown + items.length;
  return { ...used, items, next_cursor: sum < used.total ? { ...next, shown: sum } : null };
}

/** Returns one token. */
export const showToken = (id) => call("GET", one(id));

/** Returns `{ scopes, presets, limits }`. */
export const fetchScopes = () => call("GET", "/scopes");

/** Returns the names of these owners, by their ids. The host says them, and not the API. */
export async function fetchNames(ids) {
  const answer = await fetch(`${namesUrl}?${new URLSearchParams(ids.map((id) => ["id", id]))}`);
  return answer.ok ? answer.json() : {};
}

/** Returns a page of the audit trail: `{ items, next_cursor }`. */
export const listAudit = (query) => call("GET", `/audit?${new URLSearchParams(query)}`);

export const issueToken = (body) => change("POST", "", t("confirm.create", body), { body });
export const copyToken = (id, body) => change("POST", `${one(id)}/copy`, t("confirm.create", body), { body });
export const updateToken = (token, body) => changeToken("PATCH", token, "", t("confirm.update", token), body);
export const regenerateToken = (token, body) => changeToken("POST", token, "/regenerate", t("confirm.regenerate", token), body);
export const addScopes = (token, scopes) => changeToken("POST", token, "/scopes", t("confirm.add_scopes", token), { scopes });
export const removeScopes = (token, body) => changeToken("POST", token, "/scopes/remove", t("confirm.remove_scopes", token), body);

// Taking rights away does not depend on what else was changed meanwhile: no revision is sent.
export const endPreviousSecret = (token) => change("DELETE", `${one(token.id)}/previous-secret`, t("confirm.end_previous", token));
export const revokeTokens = (tokens) => change("POST", "/revoke", several("confirm.revoke", tokens), { body: { ids: ids(tokens) } });
export const revokeAllOf = (owner) => change("POST", "/revoke", t("confirm.revoke_all_of", { owner }), { body: { owner } });
export const deleteTokens = (tokens) => change("POST", "/delete", several("confirm.delete", tokens), { body: { ids: ids(tokens) } });
export const deleteAllTokens = () => change("POST", "/delete", t("confirm.delete_all"), { body: { all: true } });

const one = (id) => `/${encodeURIComponent(id)}`;
const ids = (tokens) => tokens.map(({ id }) => id);
const several = (key, tokens) => plural(key, tokens.length, { name: tokens[0].name });

/** Makes a change to a token as the person saw it. If it was changed meanwhile, the server refuses. */
const changeToken = (method, token, path, doing, body) => change(method, one(token.id) + path, doing, { body, revision: token.revision });

/** Makes a change. The host may want the person's password with it: `doing` says what it is for. */
const change = (method, path, doing, options) => confirmed(doing, (headers) => call(method, path, { ...options, headers }));

/**
 * @param {string} method
 * @param {string} path
 * @param {{ body?: object, revision?: number, headers?: Record<string, string>, signal?: AbortSignal }} [options]
 */
async function call(method, path, { body, revision, headers = {}, signal } = {}) {
  const sent = { Accept: "application/json", ...headers };
  if (body !== undefined) sent["Content-Type"] = "application/json";
  if (revision !== undefined) sent["If-Match"] = `"${revision}"`;
  let answer;
  try {
    if (path === FIRST_QUERY && firstAnswer) {
      const first = firstAnswer;
      firstAnswer = null;
      answer = await first;
    } else {
      answer = await fetch(apiUrl + path, {
        method,
        headers: sent,
        body: body === undefined ? undefined : JSON.stringify(body),
        cache: "no-store",
        // Some hosts redirect to their sign-in instead of answering 401.
        redirect: "manual",
        signal,
      });
    }
    if (answer.type === "opaqueredirect" || answer.redirected) throw new Problem("no-caller", 401);
    const date = Date.parse(answer.headers.get("Date"));
    // The header has whole seconds: a difference below two seconds means nothing.
    if (date) ahead = Math.abs(date - Date.now()) > 2000 ? date - Date.now() : 0;
    const text = await answer.text();
    if (answer.ok) return text === "" ? null : JSON.parse(text);
    throw problem(answer, text);
  } catch (error) {
    if (error instanceof Problem || error.name === "AbortError") throw error;
    throw new Problem("unreachable", 0);
  }
}

function problem(answer, text) {
  let said = {};
  try {
    said = JSON.parse(text);
  } catch {
    // The body is not the API's: a proxy answered, perhaps. The status is enough.
  }
  const kind = typeof said.type === "string" ? said.type.split("/").pop() : "";
  const retryAfter = Number.parseInt(answer.headers.get("Retry-After"), 10);
  return new Problem(kind, answer.status, said, Number.isNaN(retryAfter) ? null : retryAfter);
}
