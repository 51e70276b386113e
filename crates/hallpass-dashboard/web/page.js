// What the page is told: its texts, what the server wrote into it, and the view that the address asks for.

/** The language of the page, as a tag. */
export const language = document.documentElement.lang;

const rules = new Intl.PluralRules(language);

/** Returns the text with this key, with each `{place}` filled. */
export const t = (key, values = {}) => TEXTS[key].replace(/\{(\w+)\}/g, (place, name) => values[name] ?? place);

/** Returns the text for this count: that with the key `key.one`, say. `{count}` is the count. */
export function plural(key, count, values = {}) {
  const exact = `${key}.${rules.select(count)}`;
  return t(exact in TEXTS ? exact : `${key}.other`, { count: count.toLocaleString(language), ...values });
}

/** Returns the text as a list of texts and nodes, with each `{place}` filled by a node. */
export const rich = (key, nodes) => TEXTS[key].split(/\{(\w+)\}/).map((part, at) => (at % 2 === 0 ? part : nodes[part]));

// What the server wrote into the page.

const pageData = /** @type {HTMLMetaElement} */ (document.querySelector('meta[name="hallpass"]')).dataset;

/** The API's address, absolute and without a slash at its end. */
export const apiUrl = new URL(pageData.api, document.baseURI).href.replace(/\/$/, "");

/** The address that the page names beside a secret, to try it. */
export const exampleUrl = new URL(pageData.example, document.baseURI).href;

/** The name of a token whose person gave it none, with a place `{date}`; empty if each token needs a name. */
export const defaultName = pageData.defaultName;

/** Who is signed in, as tokens name their owner. */
export const me = pageData.person;

/** How that person is called. */
export const myName = pageData.name;

/** Whether the person sees everybody's tokens. */
export const isAdmin = pageData.role === "admin";

/** Where to sign in; empty if the host did not say. */
export const signInPath = pageData.signIn;

/** Where the link back leads; empty if there is none. */
export const homePath = pageData.home;

/** Whether people confirm changes with a password, and not with something of the host's own. */
export const confirmsByPassword = pageData.confirmation === "";

/** What people confirm changes with. */
export const confirmationWord = pageData.confirmation || t("confirm.password");

/** For scopes that a token may hold for single resources: the names of their parameters, such as `id`. */
export const parameters = new Map(
  [.../** @type {NodeListOf<HTMLMetaElement>} */ (document.querySelectorAll('meta[name="hallpass-parameter"]'))].map((meta) => [meta.dataset.scope, meta.content.split(":")]),
);

// Which view the address asks for. All of it is in the fragment, which browsers do not send to servers. It contains ids
// and filters, never a secret.

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
 * Returns the view that the address asks for: the list, if no other.
 * @returns {{ view: string, id?: string | null, from?: string | null, query?: URLSearchParams }}
 */
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
