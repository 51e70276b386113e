// Revokes and deletes one, several or all tokens after a confirmation.

import { Problem, deleteAllTokens, deleteTokens, listTokens, revokeAllOf, revokeTokens } from "./api.js";
import { ask, debounced, explain, fill, h, isolated, say, unique } from "./dom.js";
import { field } from "./fields.js";
import { nameOf, ownerOption } from "./owners.js";
import { isAdmin, plural, rich, t } from "./page.js";

/** The maximum number of names in a dialog. */
const NAMED = 6;

/** Asks and deletes these tokens. Resolves with whether they are deleted. */
export const askToDelete = (tokens, options) => askAbout("delete", tokens, async () => removedText(await deleteTokens(tokens), tokens), options);

/** Asks and revokes these tokens. Resolves with whether they are revoked. */
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

// The danger zone: actions on many tokens that require typed words.

/** Creates the zone. `changed` is called after a change, and `owners` returns the known owners. */
export const dangerZone = ({ changed, owners }) =>
  h(
    "section",
    { class: "danger-zone", "aria-labelledby": "danger" },
    h("h2", { id: "danger" }, t("danger.title")),
    isAdmin && dangerRow("danger.revoke_of", () => askRevokeAllOf(changed, owners())),
    dangerRow(isAdmin ? "danger.delete_own" : "danger.delete_all", () => askDeleteAll(changed)),
  );

const dangerRow = (key, click) =>
  h(
    "div",
    { class: "danger-row" },
    h("div", {}, h("h3", {}, t(`${key}.title`)), h("p", { class: "quiet" }, t(`${key}.text`))),
    h("button", { class: "button danger-quiet", type: "button", on: { click } }, t(`${key}.label`)),
  );

async function askDeleteAll(changed) {
  const words = t("danger.words");
  const typed = field({
    label: t("danger.type", { words }),
    name: "confirmation",
    required: true,
    check: (text) => (text.trim().toLowerCase() === words ? null : t("danger.type_error", { words })),
  });
  const done = await ask({
    title: t("danger.delete_title"),
    text: t("danger.delete_text"),
    body: typed.node,
    label: t("danger.delete_submit"),
    danger: true,
    fields: { confirmation: typed },
    action: deleteAllTokens,
  });
  if (!done) return;
  say(plural("delete.done", done.deleted));
  changed();
}

async function askRevokeAllOf(changed, owners) {
  const options = unique("owners");
  const found = h("p", { class: "help", role: "status" });
  const owner = field({ label: t("danger.owner"), name: "owner", required: true, maxlength: 255, list: options });
  const typed = field({
    label: t("danger.owner_again"),
    name: "confirmation",
    required: true,
    check: (text) => (text === owner.value ? null : t("danger.owner_differs")),
  });
  const count = debounced(250, () => look().catch((problem) => fill(found, explain(problem).text)));
  owner.input.addEventListener("input", () => {
    fill(found);
    count();
  });

  /** Counts the tokens of the entered owner. */
  async function look() {
    const name = owner.value;
    if (name === "") return fill(found);
    const [{ counts }, called] = await Promise.all([listTokens({ owner: name, limit: 1 }), nameOf(name)]);
    if (name !== owner.value) return;
    const all = counts.active + counts.expired + counts.revoked;
    const who = called === name ? name : `${called} (${name})`;
    fill(found, all === 0 ? t("danger.nobody", { owner: name }) : plural("danger.owner_has", counts.active, { owner: who, all }));
    return all;
  }

  const done = await ask({
    title: t("danger.revoke_title"),
    text: t("danger.revoke_text"),
    body: h("div", { class: "stack" }, owner.node, h("datalist", { id: options }, owners.map(ownerOption)), found, typed.node),
    label: t("danger.revoke_submit"),
    danger: true,
    fields: { owner, confirmation: typed },
    action: async () => {
      count.cancel();
      if (owner.value === "") throw wrong("owner", t("danger.owner_missing"));
      // The server responds with 404 for an owner without tokens. An error at the field is clearer.
      if ((await look()) === 0) throw wrong("owner", t("danger.nobody", { owner: owner.value }));
      return revokeAllOf(owner.value);
    },
  });
  count.cancel();
  if (!done) return;
  say(plural("revoke.done", done.revoked));
  changed();
}

/** Returns a field error that is detected before a request is sent. */
const wrong = (name, message) => new Problem("invalid", 422, { errors: [{ field: name, message }] });
