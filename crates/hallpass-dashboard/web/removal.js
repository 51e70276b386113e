// Deleting tokens, after a question.

import * as api from "./api.js";
import { ask } from "./ask.js";
import { h } from "./dom.js";
import { say } from "./notices.js";

/** The most names that a question lists. */
const NAMED = 6;

/** Asks, and deletes these tokens. Resolves with whether they are gone. */
export async function removeTokens(tokens) {
  const one = tokens.length === 1;
  const names = tokens.slice(0, NAMED).map((token) => h("li", {}, token.name));
  if (tokens.length > NAMED) names.push(h("li", { class: "quiet" }, `and ${tokens.length - NAMED} more`));
  const done = await ask({
    title: one ? "Delete this token?" : `Delete ${tokens.length} tokens?`,
    text: `Programs that use ${one ? "it" : "them"} are refused from now on. This cannot be undone.`,
    body: h("ul", { class: "names" }, names),
    label: one ? "Delete" : `Delete ${tokens.length} tokens`,
    danger: true,
    action: () => api.remove(tokens.map((token) => token.id)),
  });
  if (done) say(outcome(done, tokens));
  return done !== null;
}

function outcome({ deleted, not_found: gone }, [first, ...others]) {
  if (others.length === 0) return deleted === 1 ? `${first.name} is deleted.` : `${first.name} was deleted before.`;
  const before = gone.length > 0 ? ` ${gone.length} had been deleted before.` : "";
  return `${deleted} ${deleted === 1 ? "token is" : "tokens are"} deleted.${before}`;
}
