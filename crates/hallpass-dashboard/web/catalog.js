// The scopes, presets and limits there are, asked for once.

import * as api from "./api.js";
import { parameters } from "./facts.js";

let asked = null;

/** `{ scopes, presets, limits }`; a scope has `parameters` if a token may hold it for one thing alone. */
export function catalog() {
  asked ??= api.scopes().then(
    (said) => ({ ...said, scopes: said.scopes.map((each) => ({ ...each, parameters: parameters.get(each.scope) ?? [] })) }),
    (problem) => {
      asked = null;
      throw problem;
    },
  );
  return asked;
}

/** Whether holding the one is enough for the other: as the server sees it. */
export function covers(held, needed) {
  const [wide, narrow] = [held.split(":"), needed.split(":")];
  return wide.length <= narrow.length && wide.every((segment, at) => segment === "*" || segment === narrow[at]);
}

/** What a scope lets a program do, in words; empty if the catalog does not say. */
export function meaning({ scopes }, scope) {
  const [listed] = scopes.filter((each) => covers(each.scope, scope)).sort((a, b) => b.scope.length - a.scope.length);
  if (listed) return listed.scope === scope ? listed.title : `${listed.title}: only ${scope.slice(listed.scope.length + 1)}`;
  const below = scopes.filter((each) => covers(scope, each.scope));
  return below.map((each) => each.title).join(", ");
}

/** The link to a scope's documentation, if it is one that a page may link to. */
export function docsLink({ docs }) {
  if (!docs) return null;
  try {
    const url = new URL(docs, document.baseURI);
    return url.protocol === "https:" || url.protocol === "http:" ? url.href : null;
  } catch {
    return null;
  }
}
