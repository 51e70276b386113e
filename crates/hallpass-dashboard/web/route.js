// Which view the address asks for. It is all in the fragment, which no server sees, and holds ids and filters alone:
// never a secret.

const VIEWS = [
  [/^\/tokens\/([^/]+)$/, (id) => ({ view: "detail", id })],
  [/^\/new$/, () => ({ view: "create", from: null })],
  [/^\/tokens\/([^/]+)\/copy$/, (id) => ({ view: "create", from: id })],
];

/** The view that the address asks for; the list, if nothing else. */
export function currentRoute() {
  const [path, query = ""] = location.hash.replace(/^#/, "").split("?");
  for (const [pattern, route] of VIEWS) {
    const found = pattern.exec(path);
    if (found) return route(...found.slice(1).map(decoded));
  }
  return { view: "list", query: new URLSearchParams(query) };
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    // No id at all then, and the API says so.
    return text;
  }
}

export const toDetail = (id) => `#/tokens/${encodeURIComponent(id)}`;
export const toCopy = (id) => `#/tokens/${encodeURIComponent(id)}/copy`;
export const toNew = "#/new";

/** The list, with what differs from how it starts. */
export function toList(query = {}) {
  const said = new URLSearchParams(query).toString();
  return said ? `#/?${said}` : "#/";
}

/** Goes there. */
export function go(hash) {
  location.hash = hash;
}

/** Goes there, and not back to here: what was here is done. */
export function goInstead(hash) {
  location.replace(hash);
}

/** Writes the address of what is already shown. */
export function note(hash) {
  history.replaceState(null, "", hash);
}
