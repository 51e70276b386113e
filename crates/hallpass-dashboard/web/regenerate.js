// A new secret for a token, and another end for it.

import * as api from "./api.js";
import { ask } from "./ask.js";
import { catalog } from "./catalog.js";
import { h, unique } from "./dom.js";
import { expiryField } from "./expiry-field.js";
import { lastDay } from "./time.js";

const GRACE_PERIODS = [
  ["Stop at once", ""],
  ["Work on for an hour", "1h"],
  ["Work on for a day", "1d"],
  ["Work on for a week", "1w"],
];

/** Asks how, and gives the token a new secret. Resolves with the token and its secret, or `null`. */
export async function regenerate(token, { change, reload }) {
  const { limits } = await catalog();
  const expires = expiryField({ limits, keep: kept(token()) });
  // Of an expired or revoked token there is nothing that could work on.
  const grace = token().status === "active" ? graceField() : null;
  return ask({
    title: "Regenerate this token?",
    text: "It gets a new secret, and keeps its name, description and scopes. Programs that use the old one need the new one.",
    body: h("div", { class: "stack" }, expires.node, grace?.node),
    label: "Regenerate",
    fields: { expires, ...(grace ? { grace_period: grace } : {}) },
    reload,
    action: () => {
      const body = {};
      if (expires.value !== undefined) body.expires = expires.value;
      if (grace?.value) body.grace_period = grace.value;
      return change(() => api.regenerate(token(), body));
    },
  });
}

/** Asks for another end. */
export async function changeExpiry(token, { change, reload }) {
  const { limits } = await catalog();
  const expires = expiryField({ limits, keep: kept(token()) });
  return ask({
    title: "Change when it expires",
    body: expires.node,
    label: "Save",
    fields: { expires },
    reload,
    action: () => change(() => api.update(token(), expires.value === undefined ? {} : { expires: expires.value }), "Saved."),
  });
}

function kept({ expires_at: end }) {
  if (end === null) return { label: "As it is (never)", end: null };
  return Date.parse(end) > api.now() ? { label: `As it is (${lastDay(end)})`, end: Date.parse(end) } : null;
}

function graceField() {
  const id = unique("grace");
  const select = h("select", { id }, GRACE_PERIODS.map(([label, value]) => h("option", { value }, label)));
  const error = h("p", { class: "error", role: "alert" });
  return {
    node: h(
      "div",
      { class: "field" },
      h("div", { class: "label" }, h("label", { for: id }, "The old secret shall")),
      select,
      h("p", { class: "help" }, "It stops in any case when the new one is first used."),
      error,
    ),
    get value() {
      return select.value;
    },
    fail: (message) => (error.textContent = message ?? ""),
    focus: () => select.focus(),
  };
}
