// Provides the names of owners. Tokens contain the id of their owner, and the host may provide
// names.

import { fetchNames } from "./api.js";
import { fill, h, isolated } from "./dom.js";
import { me, myName, namesUrl } from "./page.js";

/** The names by id, as promises. */
const names = new Map([[me, Promise.resolve(myName)]]);

/** The ids of the next request, which covers all ids that are shown at the same time. */
let waiting = null;

/** Returns the name for an id, or the id itself if the host provides no name. */
export function nameOf(id) {
  if (!namesUrl && !names.has(id)) return Promise.resolve(id);
  if (!names.has(id)) {
    waiting ??= { ids: [], answer: Promise.resolve().then(ask) };
    waiting.ids.push(id);
    names.set(id, waiting.answer.then((found) => (Object.hasOwn(found, id) ? found[id] : id)));
  }
  return names.get(id);

  async function ask() {
    const { ids } = waiting;
    waiting = null;
    // On a failure the ids are shown instead, and the next view retries.
    return fetchNames(ids).catch(() => (ids.forEach((each) => names.delete(each)), {}));
  }
}

/** Creates the id of an owner. The name is added when it is known. */
export function ownerName(id) {
  const node = h("span", {}, isolated(id));
  nameOf(id).then((name) => name !== id && fill(node, isolated(name), " ", h("span", { class: "quiet" }, isolated(id))));
  return node;
}

/** Creates an option for an owner, with the name as its label when it is known. */
export function ownerOption(id) {
  const node = h("option", { value: id });
  nameOf(id).then((name) => name !== id && fill(node, name));
  return node;
}
