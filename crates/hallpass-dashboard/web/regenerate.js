// A new secret for a token, and another end for it.

import { regenerateToken, updateToken } from "./api.js";
import { loadCatalog } from "./catalog.js";
import { ask } from "./dialog.js";
import { h } from "./dom.js";
import { expiryField, keptEnd } from "./expiry-field.js";
import { selectField } from "./form.js";
import { t } from "./texts.js";

const GRACE_PERIODS = ["", "1h", "1d", "1w"];

/** Asks how, and gives the token a new secret. Resolves with the token, or with `null`. */
export async function askToRegenerate(token, { change, reload }) {
  const { limits } = await loadCatalog();
  const expires = expiryField({ limits, keep: keptEnd("expiry.as_it_is", token()) });
  const options = GRACE_PERIODS.map((span) => [t(`regenerate.previous_${span || "none"}`), span]);
  // An expired or revoked token has no secret that could go on working.
  const grace = token().status === "active" ? selectField({ label: t("regenerate.previous"), help: t("regenerate.previous_help"), options }) : null;
  return ask({
    title: t("regenerate.title"),
    text: t("regenerate.text"),
    body: h("div", { class: "stack" }, expires.node, grace?.node),
    label: t("regenerate.submit"),
    fields: { expires, ...(grace ? { grace_period: grace } : {}) },
    reload,
    action: () => {
      const body = {};
      if (expires.value !== undefined) body.expires = expires.value;
      if (grace?.value) body.grace_period = grace.value;
      return change(() => regenerateToken(token(), body));
    },
  });
}

/** Asks for another end. */
export async function askForExpiry(token, { change, reload }) {
  const { limits } = await loadCatalog();
  const expires = expiryField({ limits, keep: keptEnd("expiry.as_it_is", token()) });
  return ask({
    title: t("expiry.change_title"),
    body: expires.node,
    label: t("save"),
    fields: { expires },
    reload,
    action: () => change(() => updateToken(token(), expires.value === undefined ? {} : { expires: expires.value }), t("saved")),
  });
}
