// Calls the REST API, with one function per operation. A failure is thrown as a `Problem`.

import { isolated } from "./dom.js";
import { confirmed } from "./fields.js";
import { apiUrl, namesUrl, rich, richPlural, t } from "./page.js";

/** A failed call, described as in RFC 9457. */
export class Problem extends Error {
  /**
   * @param {string} kind
   * @param {number} status
   * @param {{ detail?: string, errors?: { field: string, message: string }[], limit?: number, in_use?: number }} [said]
   * @param {number | null} [retryAfter]
   */
  constructor(kind, status, { detail = "", errors = [], limit, in_use: inUse } = {}, retryAfter = null) {
    super(detail || kind);
    /**
     * The last segment of the problem type, such as `token-limit`, or `unreachable` if there is no
     * response.
     */
    this.kind = kind;
    this.status = status;
    this.detail = detail;
    /** The invalid fields, as `[{ field, message }]`. */
    this.errors = errors;
    this.limit = limit;
    this.inUse = inUse;
    /** The number of seconds to wait, or `null` if the server did not send any. */
    this.retryAfter = retryAfter;
  }
}

/** The offset of the server's clock to the local clock, in milliseconds. */
let ahead = 0;

/** Returns the current time of the server's clock, which decides when tokens expire. */
export const now = () => Date.now() + ahead;

/** The query of the list when the page opens. The HTML of the page preloads it. */
const FIRST_QUERY = "?status=active&limit=20";

/**
 * The response to `FIRST_QUERY`, requested before anything is rendered. Only the first view may use
 * it, because it would be out of date later.
 */
let firstAnswer = fetch(apiUrl + FIRST_QUERY, { headers: { Accept: "application/json" } });
// If the first view is not the list, nothing reads this response, and an error must not be
// reported.
firstAnswer.catch(() => {});
setTimeout(() => (firstAnswer = null));

/**
 * Returns a page of tokens: `{ items, next_cursor, total, counts }`. If sorted by `last_used_at`,
 * tokens that were never used come first, because they are unused for the longest time.
 */
export const listTokens = (query, signal) =>
  query.sort === "last_used_at" && !query.never_used ? listLongestUnused(query, signal) : fetchList(query, signal);

const fetchList = (query, signal) => call("GET", `?${new URLSearchParams(query)}`, { signal });

/**
 * Returns tokens without a last use first, then those with one. The server sorts missing times
 * last.
 */
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

/** Returns the catalog: `{ scopes, presets, limits }`. */
export const fetchScopes = () => call("GET", "/scopes");

/** Returns the names of these owners by their ids. They come from the host, not from the API. */
export async function fetchNames(ids) {
  const answer = await fetch(`${namesUrl}?${new URLSearchParams(ids.map((id) => ["id", id]))}`);
  return answer.ok ? answer.json() : {};
}

/** Returns a page of the audit trail: `{ items, next_cursor }`. */
export const listAudit = (query) => call("GET", `/audit?${new URLSearchParams(query)}`);

export const issueToken = (body) => change("POST", "", about("confirm.create", body), { body });
export const copyToken = (id, body) => change("POST", `${one(id)}/copy`, about("confirm.create", body), { body });
export const updateToken = (token, body) => changeToken("PATCH", token, "", about("confirm.update", token), body);
export const regenerateToken = (token, body) => changeToken("POST", token, "/regenerate", about("confirm.regenerate", token), body);
export const addScopes = (token, scopes) => changeToken("POST", token, "/scopes", about("confirm.add_scopes", token), { scopes });
export const removeScopes = (token, body) => changeToken("POST", token, "/scopes/remove", about("confirm.remove_scopes", token), body);

// These calls only take permissions away. They are safe after a concurrent change, so they send no
// revision.
export const endPreviousSecret = (token) => change("DELETE", `${one(token.id)}/previous-secret`, about("confirm.end_previous", token));
export const revokeTokens = (tokens) => change("POST", "/revoke", several("confirm.revoke", tokens), { body: { ids: ids(tokens) } });
export const revokeAllOf = (owner) => change("POST", "/revoke", rich("confirm.revoke_all_of", { owner: isolated(owner) }), { body: { owner } });
export const deleteTokens = (tokens) => change("POST", "/delete", several("confirm.delete", tokens), { body: { ids: ids(tokens) } });
export const deleteAllTokens = () => change("POST", "/delete", t("confirm.delete_all"), { body: { all: true } });

const one = (id) => `/${encodeURIComponent(id)}`;
const ids = (tokens) => tokens.map(({ id }) => id);
const about = (key, { name }) => rich(key, { name: isolated(name) });
const several = (key, tokens) => richPlural(key, tokens.length, { name: isolated(tokens[0].name) });

/**
 * Changes a token and sends its revision. The server rejects the call if the token has changed
 * since.
 */
const changeToken = (method, token, path, doing, body) => change(method, one(token.id) + path, doing, { body, revision: token.revision });

/** Makes a change, with the password if the host requires one. `doing` describes the change. */
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
        // Some hosts redirect to their sign-in page instead of responding with 401.
        redirect: "manual",
        signal,
      });
    }
    if (answer.type === "opaqueredirect" || answer.redirected) throw new Problem("no-caller", 401);
    const date = Date.parse(answer.headers.get("Date"));
    // The header has a resolution of one second, so a difference below two seconds is ignored.
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
    // The body does not come from the API, for example if a proxy responded. The status is enough.
  }
  const kind = typeof said.type === "string" ? said.type.split(/[/:#]/).pop() : "";
  const retryAfter = Number.parseInt(answer.headers.get("Retry-After"), 10);
  return new Problem(kind, answer.status, said, Number.isNaN(retryAfter) ? null : retryAfter);
}
