// What the page is told: its texts, the host's settings, and where on the screen it is.

const rules = new Intl.PluralRules(LANGUAGE);

/** Returns the text with this key, with each `{place}` filled. */
export const t = (key, values = {}) => TEXTS[key].replace(/\{(\w+)\}/g, (place, name) => values[name] ?? place);

/** Returns the text for this count: that with the key `key.one`, say. `{count}` is the count. */
export function plural(key, count, values = {}) {
  const exact = `${key}.${rules.select(count)}`;
  return t(exact in TEXTS ? exact : `${key}.other`, { count: count.toLocaleString(LANGUAGE), ...values });
}

/** Returns the text as a list of texts and nodes, with each `{place}` filled by a node. */
export const rich = (key, nodes) => TEXTS[key].split(/\{(\w+)\}/).map((part, at) => (at % 2 === 0 ? part : nodes[part]));

/** Returns an address of the host's, absolute. */
export const absolute = (path) => new URL(path, PLACE.base).href;

const settings = PLACE.settings;

/** The API's address, absolute and without a slash at its end. */
export const apiUrl = absolute(settings.api).replace(/\/$/, "");

/** Where an admin asks how owners are called; `null` if the host does not say. */
export const namesUrl = settings.names && absolute(settings.names);

/** The address that the page names beside a secret, to try it. */
export const exampleUrl = absolute(settings.example);

/** The name of a token whose person gave it none, with a place `{date}`; `null` if each token needs a name. */
export const defaultName = settings.defaultName;

/** Who is signed in, as tokens name their owner. */
export const me = settings.person;

/** How that person is called. */
export const myName = settings.name;

/** Whether the person sees everybody's tokens. */
export const isAdmin = settings.admin;

/** Where to sign in; `null` if the host did not say. */
export const signInPath = settings.signIn;

/** Where the link back leads; `null` if there is none. */
export const homePath = settings.home;

/** Whether people confirm changes with a password, and not with something of the host's own. */
export const confirmsByPassword = settings.confirmation === null;

/** What people confirm changes with. */
export const confirmationWord = settings.confirmation ?? t("confirm.password");

/** For scopes that a token may hold for single resources: the names of their parameters, such as `id`. */
export const parameters = new Map(Object.entries(settings.parameters));

/** Whether such scopes are only ever granted for chosen resources. */
export const forChosenOnly = settings.forChosenOnly;
