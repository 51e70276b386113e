// The danger zone: what is done to many tokens at once, behind a typed confirmation.

import * as api from "./api.js";
import { ask } from "./ask.js";
import { h } from "./dom.js";
import { isAdmin } from "./facts.js";
import { field } from "./fields.js";
import { say } from "./notices.js";

/** The words to type. */
const WORDS = "delete all my tokens";

/** The zone; `changed` is called when something was done. */
export const dangerZone = (changed) =>
  h(
    "section",
    { class: "danger-zone", "aria-labelledby": "danger" },
    h("h2", { id: "danger" }, "Danger zone"),
    row(
      "Delete all your tokens",
      "If none of them is in use any more, or your account is in the wrong hands. Every program that uses one is refused from then on.",
      "Delete all…",
      () => removeAll(changed),
    ),
    isAdmin &&
      row(
        "Revoke all tokens of somebody",
        "If a person's account is in the wrong hands. The tokens stay in the list, and only their owner can bring them back.",
        "Revoke all…",
        () => revokeAllOf(changed),
      ),
  );

const row = (title, text, label, click) =>
  h(
    "div",
    { class: "danger-row" },
    h("div", {}, h("h3", {}, title), h("p", { class: "quiet" }, text)),
    h("button", { class: "button danger-quiet", type: "button", on: { click } }, label),
  );

async function removeAll(changed) {
  const typed = field({ label: `Type “${WORDS}” to confirm`, name: "confirmation", required: true });
  const done = await ask({
    title: "Delete all your tokens?",
    text: "All of them: active, expired and revoked ones. This cannot be undone.",
    body: typed.node,
    label: "Delete all",
    danger: true,
    fields: { confirmation: typed },
    action: () => {
      if (typed.value.trim().toLowerCase() !== WORDS) throw wrong("confirmation", `type “${WORDS}”, without the quotes`);
      return api.removeAll();
    },
  });
  if (!done) return;
  say(done.deleted === 1 ? "1 token is deleted." : `${done.deleted} tokens are deleted.`);
  changed();
}

async function revokeAllOf(changed) {
  const owner = field({ label: "Owner", name: "owner", required: true, maxlength: 255 });
  const typed = field({ label: "Type the owner again to confirm", name: "confirmation", required: true });
  const done = await ask({
    title: "Revoke all tokens of an owner?",
    body: h("div", { class: "stack" }, owner.node, typed.node),
    label: "Revoke all",
    danger: true,
    fields: { owner, confirmation: typed },
    action: () => {
      if (owner.value === "") throw wrong("owner", "say whose");
      if (typed.value !== owner.value) throw wrong("confirmation", "this is not the same");
      return api.revokeAllOf(owner.value);
    },
  });
  if (!done) return;
  say(done.revoked === 1 ? "1 token is revoked." : `${done.revoked} tokens are revoked.`);
  changed();
}

/** A field's fault that is found before the server is asked. */
const wrong = (field, message) => new api.Problem("invalid", 422, { errors: [{ field, message }] });
