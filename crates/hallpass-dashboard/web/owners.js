// How people are called. Tokens name their owner by an id; the host may say which name belongs to it.

import { fetchNames } from "./api.js";
import { fill, h, isolated } from "./dom.js";
import { me, myName, namesUrl } from "./page.js";

/** What the ids are called, as promises. */
const names = new Map([[me, Promise.resolve(myName)]]);

/** The ids that the next request asks for: one request for all that are shown at a time. */
let waiting = null;

/** Returns the name that belongs to an id: the id itself, if the host says nothing else. */
export function nameOf(id) {
  if (!namesUrl && !names.has(id)) return Promise.resolve(id);
  if (!names.has(id)) {
    waiting ??= { ids: [], answer: Promise.resolve().then(ask) };
    waiting.ids.push(id);
    names.set(id, waiting.answer.then((found) => found[id] ?? id));
  }
  return names.get(id);

  async function ask() {
    const { ids } = waiting;
    waiting = null;
    // The ids serve as well as names, and the next view asks again.
    return fetchNames(ids).catch(() => (ids.forEach((each) => names.delete(each)), {}));
  }
}

/** Shows who has this id: the id at once, and the name above it when that is known. */
export function ownerName(id) {
  const node = h("span", {}, isolated(id));
  nameOf(id).then((name) => name !== id && fill(node, isolated(name), " ", h("span", { class: "quiet" }, isolated(id))));
  return node;
}

/** An owner to choose: by the id, with the name beside it where that is known. */
export function ownerOption(id) {
  const node = h("option", { value: id });
  nameOf(id).then((name) => name !== id && fill(node, name));
  return node;
}
