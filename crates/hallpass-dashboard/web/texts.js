// The texts of the page in the person's language. The server puts the constant `TEXTS`, all texts by their keys, in
// front of the modules.

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
