// Which view the address asks for. All of it is in the fragment, which browsers do not send to servers. It contains ids
// and filters, never a secret.

const ID = "([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})";

const ROUTES = [
  [/^\/new$/, () => ({ view: "form", from: null })],
  [/^\/activity$/, () => ({ view: "activity", id: null })],
  [new RegExp(`^/tokens/${ID}$`), (id) => ({ view: "token", id })],
  [new RegExp(`^/tokens/${ID}/copy$`), (id) => ({ view: "form", from: id })],
  [new RegExp(`^/tokens/${ID}/activity$`), (id) => ({ view: "activity", id })],
  [/^\/tokens\//, () => ({ view: "missing" })],
];

/** Returns the view that the address asks for: the list, if no other. */
export function currentRoute() {
  const [path, query = ""] = location.hash.replace(/^#/, "").split("?");
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

/** Goes to a view. */
export function go(hash) {
  location.hash = hash;
}

/** Goes to a view, and takes the current one out of the history. */
export function goInstead(hash) {
  location.replace(hash);
}

/** Changes the address of the current view. */
export function setAddress(hash) {
  history.replaceState(null, "", hash);
}
