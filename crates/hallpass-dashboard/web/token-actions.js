// Revoking and deleting tokens, one or several, after a question; and the badges of a token.

import { deleteTokens, now, revokeTokens } from "./api.js";
import { ask, say } from "./dialog.js";
import { h, isolated } from "./dom.js";
import { plural, rich, t } from "./texts.js";
import { DAY } from "./time.js";

/** The most names that a question lists. */
const NAMED = 6;

/** How close its end must be for a token to expire soon, in milliseconds. */
export const SOON = 7 * DAY;

/** Asks, and deletes these tokens. Resolves with whether they are gone. */
export const askToDelete = (tokens, options) => askAbout("delete", tokens, async () => removedText(await deleteTokens(tokens), tokens), options);

/** Asks, and revokes these tokens. Resolves with whether they are revoked. */
export const askToRevoke = (tokens, options) => askAbout("revoke", tokens, async () => revokedText(await revokeTokens(tokens), tokens), options);

async function askAbout(verb, tokens, action, { keep = false } = {}) {
  const names = tokens.slice(0, NAMED).map(({ name }) => h("li", {}, isolated(name)));
  if (tokens.length > NAMED) names.push(h("li", { class: "quiet" }, t("ask.and_more", { count: tokens.length - NAMED })));
  const done = await ask({
    title: plural(`${verb}.title`, tokens.length),
    text: plural(`${verb}.text`, tokens.length),
    body: h("ul", { class: "names" }, names),
    label: plural(`${verb}.label`, tokens.length),
    danger: true,
    action,
  });
  if (done) say(done, { keep });
  return done !== null;
}

const removedText = ({ deleted, not_found: gone }, tokens) => outcome("delete", deleted, gone, tokens);
const revokedText = ({ revoked, not_found: gone }, tokens) => outcome("revoke", revoked, gone, tokens);

function outcome(verb, count, gone, [first, ...others]) {
  if (others.length === 0) return rich(`${verb}.${gone.length > 0 ? "gone_before" : "done_name"}`, { name: isolated(first.name) });
  const before = gone.length > 0 ? ` ${plural("ask.gone_before", gone.length)}` : "";
  return plural(`${verb}.done`, count) + before;
}

/** Creates the badges of a token: its status, and what needs attention. */
export function badges({ status, expires_at: end, previous_secret_expires_at: previous }) {
  const soon = status === "active" && end !== null && Date.parse(end) - now() <= SOON;
  return [
    h("span", { class: `badge ${status}` }, t(`status.${status}`)),
    soon && h("span", { class: "badge soon" }, t("status.soon")),
    status === "active" && previous && h("span", { class: "badge soon" }, t("status.previous")),
  ];
}
