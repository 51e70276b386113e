// The REST API: one function a call. What goes wrong is a `Problem`.

import { apiUrl } from "./facts.js";
import { confirmed } from "./confirmation.js";

/** What went wrong, as RFC 9457 tells it. */
export class Problem extends Error {
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
    /** Seconds to wait; `null` if nobody said. */
    this.retryAfter = retryAfter;
  }
}

/** What the server's clock is ahead of this one, in milliseconds. */
let ahead = 0;

/** Now, by the server's clock: it is the one that ends tokens. */
export const now = () => Date.now() + ahead;

/** Tokens, a page of them: `{ items, next_cursor, total }`. */
export const list = (query, signal) => call("GET", `?${new URLSearchParams(query)}`, { signal });

/** One token. */
export const show = (id) => call("GET", one(id));

/** The scopes, presets and limits there are. */
export const scopes = () => call("GET", "/scopes");

export const issue = (body) => change("POST", "", { body });
export const copy = (id, body) => change("POST", `${one(id)}/copy`, { body });
export const update = (token, body) => change("PATCH", one(token.id), { body, revision: token.revision });
export const regenerate = (token, body) => change("POST", `${one(token.id)}/regenerate`, { body, revision: token.revision });
export const addScopes = (token, scopes) => change("POST", `${one(token.id)}/scopes`, { body: { scopes }, revision: token.revision });
export const removeScope = (token, scope) => removeScopes(token, { scopes: [scope] });
export const clearScopes = (token) => removeScopes(token, { all: true });

// Taking rights away needs no look at what else was changed: it is done whatever the revision.
export const revoke = (id) => change("POST", `${one(id)}/revoke`);
export const endGracePeriod = (id) => change("DELETE", `${one(id)}/previous-secret`);
export const remove = (ids) => change("POST", "/delete", { body: { ids } });
export const removeAll = () => change("POST", "/delete", { body: { all: true } });
export const revokeAllOf = (owner) => change("POST", "/revoke", { body: { owner } });

const one = (id) => `/${encodeURIComponent(id)}`;

const removeScopes = (token, body) => change("POST", `${one(token.id)}/scopes/remove`, { body, revision: token.revision });

/** A call that changes something: the host may want the person's password with it. */
const change = (method, path, options) => confirmed((headers) => call(method, path, { ...options, headers }));

async function call(method, path, { body, revision, headers = {}, signal } = {}) {
  const sent = { Accept: "application/json", ...headers };
  if (body !== undefined) sent["Content-Type"] = "application/json";
  if (revision !== undefined) sent["If-Match"] = `"${revision}"`;
  let answer;
  try {
    answer = await fetch(apiUrl + path, {
      method,
      headers: sent,
      body: body === undefined ? undefined : JSON.stringify(body),
      cache: "no-store",
      // A host that sends people to its sign-in instead of saying 401.
      redirect: "manual",
      signal,
    });
    if (answer.type === "opaqueredirect") throw new Problem("no-caller", 401);
    const date = Date.parse(answer.headers.get("Date"));
    // The header has whole seconds: what is less than that, and the way here, is no difference.
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
    // Not the API's own words: a proxy's, perhaps. The status tells enough.
  }
  const kind = typeof said.type === "string" ? said.type.split("/").pop() : "";
  const retryAfter = Number.parseInt(answer.headers.get("Retry-After"), 10);
  return new Problem(kind, answer.status, said, Number.isNaN(retryAfter) ? null : retryAfter);
}
