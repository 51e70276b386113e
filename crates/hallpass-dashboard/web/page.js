// Provides the texts and the settings of the page.

const rules = new Intl.PluralRules(LANGUAGE);

/** Returns the text for a key, with each `{place}` replaced. */
export const t = (key, values = {}) => TEXTS[key].replace(/\{(\w+)\}/g, (place, name) => values[name] ?? place);

/** Returns the key of the text for a count, such as `key.one`. */
function countKey(key, count) {
  const exact = `${key}.${rules.select(count)}`;
  return exact in TEXTS ? exact : `${key}.other`;
}

/** Returns the text for a count. `{count}` is the count. */
export const plural = (key, count, values = {}) => t(countKey(key, count), { count: count.toLocaleString(LANGUAGE), ...values });

/** Returns the text as a list of strings and nodes, with each `{place}` replaced by a node. */
export const rich = (key, nodes) => TEXTS[key].split(/\{(\w+)\}/).map((part, at) => (at % 2 === 0 ? part : nodes[part]));

/** Returns the text for a count as such a list. */
export const richPlural = (key, count, nodes) => rich(countKey(key, count), { count: count.toLocaleString(LANGUAGE), ...nodes });

/** Returns the absolute URL of a path of the host. */
export const absolute = (path) => new URL(path, PLACE.base).href;

const settings = PLACE.settings;

/** The absolute URL of the API, without a trailing slash. */
export const apiUrl = absolute(settings.api).replace(/\/$/, "");

/** The URL for the names of owners, or `null` if the host provides none. */
export const namesUrl = settings.names && absolute(settings.names);

/** The URL in the example command beside a secret. */
export const exampleUrl = absolute(settings.example);

/** The default name of a token, with the place `{date}`, or `null` if a name is required. */
export const defaultName = settings.defaultName;

/** The id of the signed-in person, as in the owner of a token. */
export const me = settings.person;

/** The display name of the signed-in person. */
export const myName = settings.name;

/** Whether the person sees the tokens of all owners. */
export const isAdmin = settings.admin;

/** The path of the sign-in, or `null` if the host has none. */
export const signInPath = settings.signIn;

/** The target of the link back, or `null` if there is none. */
export const homePath = settings.home;

/** Whether changes are confirmed with a password and not with another credential. */
export const confirmsByPassword = settings.confirmation === null;

/** The name of the credential that confirms changes. */
export const confirmationWord = settings.confirmation ?? t("confirm.password");

/** The parameter names, such as `id`, of each scope that can be limited to resources. */
export const parameters = new Map(Object.entries(settings.parameters));

/** Whether such scopes can only be granted for selected resources. */
export const forChosenOnly = settings.forChosenOnly;
