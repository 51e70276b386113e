// The scopes and presets there are, and what scopes mean in words.

import { fetchScopes } from "./api.js";
import { parameters } from "./page-data.js";
import { plural, t } from "./texts.js";

/** The most phrases of a summary. Beyond that it counts. */
const PHRASES = 6;

/** Returns `{ scopes, presets, limits }`. A scope has `parameters` if a token may hold it for single resources. */
export async function loadCatalog() {
  const loaded = await fetchScopes();
  return { ...loaded, scopes: loaded.scopes.map((entry) => ({ ...entry, parameters: parameters.get(entry.scope) ?? [] })) };
}

/** Returns whether holding the one scope is enough for the other, by the server's rule. */
export function covers(held, needed) {
  const [wide, narrow] = [held.split(":"), needed.split(":")];
  return wide.length <= narrow.length && wide.every((segment, at) => segment === "*" || segment === narrow[at]);
}

/** Returns the resource that a scope is about: all but its last segment. */
export const resourceOf = (scope) => (scope.includes(":") ? scope.slice(0, scope.lastIndexOf(":")) : scope);

/** Says what one scope lets a program do; an empty text if the catalog does not know it. */
export function meaning({ scopes }, scope) {
  const [listed] = scopes.filter((each) => covers(each.scope, scope)).sort((a, b) => b.scope.length - a.scope.length);
  if (listed?.scope === scope) return listed.parameters.length > 0 ? t("scopes.means_all", { title: listed.title }) : listed.title;
  if (listed) return t("scopes.means_only", { title: listed.title, names: scope.slice(listed.scope.length + 1) });
  return scopes.some((each) => covers(scope, each.scope)) ? t("scopes.means_everything", { scope }) : "";
}

/** Says what scopes let a program do, in a few phrases. */
export function summary({ scopes }, granted) {
  if (granted.length === 0) return [t("scopes.summary_none")];
  const phrases = [];
  const only = new Map();
  for (const scope of granted) {
    const narrowed = scopes.find((each) => each.scope !== scope && covers(each.scope, scope));
    if (narrowed) only.set(narrowed, [...(only.get(narrowed) ?? []), scope.slice(narrowed.scope.length + 1)]);
    else phrases.push(meaning({ scopes }, scope) || scope);
  }
  for (const [{ title }, names] of only) phrases.push(t("scopes.means_only", { title, names: names.join(", ") }));
  if (phrases.length <= PHRASES) return phrases;
  const groups = new Map();
  for (const scope of granted) {
    const listed = scopes.find((each) => covers(each.scope, scope));
    const group = resourceOf(listed?.scope ?? scope);
    groups.set(group, (groups.get(group) ?? 0) + 1);
  }
  const counted = [...groups].map(([group, count]) => plural("scopes.summary_group", count, { group }));
  if (counted.length <= PHRASES) return counted;
  return [...counted.slice(0, PHRASES - 1), plural("scopes.summary_more", counted.length - PHRASES + 1)];
}

/** Returns the link to a scope's documentation, if it is one that a page may link to. */
export function docsLink({ docs }) {
  if (!docs) return null;
  try {
    const url = new URL(docs, document.baseURI);
    return url.protocol === "https:" || url.protocol === "http:" ? url.href : null;
  } catch {
    return null;
  }
}
