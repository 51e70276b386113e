// Stores the current view as an address such as `#/tokens/..`. The address contains ids and
// filters, never a secret. A standalone page keeps it in the fragment of the browser's URL, which
// is not sent to servers. An embedded page keeps it in memory if the host uses the fragment for
// itself.

let own = "#/";
let tell = (/** @type {string} */ _before, /** @type {string} */ _now) => {};

const address = () => (PLACE.fragment ? location.hash : own);

/**
 * Calls `changed` with the previous and the new address when the person navigates to another view.
 */
export function onNavigation(changed) {
  tell = changed;
  const hash = (/** @type {string} */ url) => new URL(url).hash || "#/";
  if (PLACE.fragment) addEventListener("hashchange", ({ oldURL, newURL }) => changed(hash(oldURL), hash(newURL)), { signal: PLACE.signal });
  else PLACE.frame.addEventListener("click", follow);
}

/** Handles a click on a link to a view that would otherwise change the fragment. */
function follow(event) {
  const link = event.target.closest("a[href^='#/']");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.defaultPrevented) return;
  event.preventDefault();
  go(link.getAttribute("href"));
}

/** Navigates to a view. */
export function go(hash) {
  if (PLACE.fragment) {
    location.hash = hash;
  } else if (hash !== own) {
    const before = own;
    own = hash;
    tell(before, hash);
  }
}

/** Navigates to a view and removes the current one from the history. */
export function goInstead(hash) {
  if (PLACE.fragment) location.replace(hash);
  else go(hash);
}

/** Changes the address of the current view without navigating. */
export function setAddress(hash) {
  if (PLACE.fragment) history.replaceState(null, "", hash);
  else own = hash;
}

const ID = "([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})";

/** @type {[RegExp, (id?: string) => { view: string, id?: string | null, from?: string | null }][]} */
const ROUTES = [
  [/^\/new$/, () => ({ view: "form", from: null })],
  [/^\/activity$/, () => ({ view: "activity", id: null })],
  [new RegExp(`^/tokens/${ID}$`), (id) => ({ view: "token", id })],
  [new RegExp(`^/tokens/${ID}/copy$`), (id) => ({ view: "form", from: id })],
  [new RegExp(`^/tokens/${ID}/activity$`), (id) => ({ view: "activity", id })],
  [/^\/tokens\//, () => ({ view: "missing" })],
];

/**
 * Returns the view for the current address. The default is the list.
 * @returns {{ view: string, id?: string | null, from?: string | null, query?: URLSearchParams }}
 */
export function currentRoute() {
  const [path, query = ""] = address().replace(/^#/, "").split("?");
  for (const [pattern, route] of ROUTES) {
    const found = pattern.exec(path);
    if (found) return route(...found.slice(1));
  }
  return { view: "list", query: new URLSearchParams(query) };
}

export const toToken = (id) => `#/tokens/${id}`;
export const toCopy = (id) => `#/tokens/${id}/copy`;
export const toActivity = (id) => (id ? `#/tokens/${id}/activity` : "#/activity");
export const toNew = "#/new";

/** Returns the address of the list with these filters. */
export function toList(query = {}) {
  const written = new URLSearchParams(query).toString();
  return written ? `#/?${written}` : "#/";
}
