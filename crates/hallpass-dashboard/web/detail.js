// Shows one token and everything that can be done with it.

import { goInstead, toActivity, toCopy, toList } from "./address.js";
import { Problem, addScopes, endPreviousSecret, now, regenerateToken, removeScopes, showToken, updateToken } from "./api.js";
import { DAY, badges, ending, expiryField, keptEnd, left, minute, past, time, utc, zoneNote } from "./dates.js";
import { ask, button, closeDialogs, entitle, fill, h, icon, iconButton, isolated, problemBox, say } from "./dom.js";
import { checkName, inlineEdit, selectField } from "./fields.js";
import { secretPlace, takeSecret } from "./form.js";
import { isAdmin, me, t } from "./page.js";
import { ownerName } from "./owners.js";
import { askToDelete, askToRevoke } from "./revoke.js";
import { loadCatalog, meaning, scopePicker } from "./scopes.js";

/** Creates the view of the token with this id. */
export function tokenView({ id }) {
  const secret = secretPlace();
  const box = problemBox();
  const head = h("div", {}, h("h1", { tabindex: "-1" }, t("token.title")));
  const body = h("div", { class: "stack" }, h("div", { class: "waiting" }, h("span", { class: "bar" })));
  // Take the secret immediately, so that no later view can find it.
  let fresh = takeSecret(id);
  let token = null;
  let parts = null;
  let isLeft = false;

  /** Reloads the token and shows its current state. */
  async function reload() {
    update(await showToken(id));
  }

  /** Makes a change and shows the result. */
  async function change(call, done) {
    const { token: plain, ...changed } = await call();
    if (isLeft) return changed;
    if (plain) fresh = plain;
    update(changed);
    if (done) say(done);
    return changed;
  }

  function update(current) {
    if (isLeft) return;
    token = current;
    entitle(token.name);
    // The secret of a token that no longer works must not look usable.
    if (token.status !== "active") secret.clear();
    if (!parts) {
      parts = build();
      fill(head, parts.head);
      fill(body, parts.nodes);
      parts.scopes.explain();
    }
    for (const part of parts.all) part.update(token);
    box.clear();
  }

  function build() {
    const editable = token.owner === me;
    const context = { change, reload };
    const edit = (name, options) => inlineEdit({ name, editable, reload, save: (text) => change(() => updateToken(token, { [name]: text }), t("saved")), ...options });
    const name = edit("name", { label: t("form.name"), title: t("token.edit_name"), maxlength: 100, required: true, check: checkName, shown: (text) => h("h1", { tabindex: "-1", dir: "auto" }, text) });
    const description = edit("description", {
      label: t("token.description"),
      title: t("token.edit_description"),
      multiline: true,
      rows: 3,
      maxlength: 1000,
      shown: (text) => h("p", { class: text ? "description" : "quiet", dir: "auto" }, text || t("token.no_description")),
    });
    const details = tokenDetails({
      statusActions: ({ status }) => [
        status === "active" && small("stop", t("token.revoke"), revoke),
        editable && small("refresh", t("token.regenerate"), () => guarded(regenerate)),
      ],
      endActions: ({ status }) => editable && status === "active" && small("edit", t("token.change"), () => guarded(() => askForExpiry(() => token, { ...context, regenerate: () => guarded(regenerate) }))),
      previousActions: () => editable && small("stop", t("token.end_previous"), endPrevious),
      ended: () => reload().catch(() => {}),
    });
    const scopes = scopesTable({ editable, ...context });
    const text = (part, key) => ({ update: (now) => part.update(now[key]) });
    const foot = h(
      "div",
      { class: "actions start" },
      editable && h("a", { class: "button", href: toCopy(id) }, icon("copy"), t("token.copy")),
      h("a", { class: "button", href: toActivity(id) }, icon("history"), t("token.activity")),
      button("trash", t("token.delete"), remove, { class: "button danger-quiet" }),
    );
    return {
      all: [text(name, "name"), text(description, "description"), details, scopes],
      head: [name.node, description.node],
      nodes: [!editable && h("p", { class: "notice" }, t("token.not_yours")), h("section", { class: "panel", "aria-label": t("token.details") }, details.node), scopes.node, foot],
      details,
      scopes,
    };
  }

  const small = (glyph, label, click) => button(glyph, label, click, { class: "button small" });

  async function revoke() {
    if (await askToRevoke([token])) await guarded(reload);
  }

  const endPrevious = () =>
    ask({
      title: t("previous.title"),
      text: t("previous.text"),
      label: t("previous.submit"),
      danger: true,
      action: () => change(() => endPreviousSecret(token), t("previous.done")),
    });

  async function regenerate() {
    await askToRegenerate(() => token, { change, reload });
    reveal();
  }

  async function remove() {
    if (!(await askToDelete([token], { keep: true }))) return;
    secret.clear();
    goInstead(toList());
  }

  function reveal() {
    if (fresh === null || isLeft) return;
    secret.show(fresh, { name: token?.name ?? "" });
    fresh = null;
  }

  /** Runs an action that may fail before it has opened a dialog for its errors. */
  async function guarded(action) {
    try {
      box.clear();
      await action();
    } catch (problem) {
      if (problem.kind === undefined) throw problem;
      box.show(problem);
    }
  }

  async function load() {
    try {
      await reload();
    } catch (problem) {
      if (problem.kind === undefined) throw problem;
      fill(head, h("h1", { tabindex: "-1" }, t(problem.status === 404 ? "token.not_found" : "token.title")));
      fill(body);
      box.show(problem, { buttons: problem.status === 404 ? {} : { [t("try_again")]: load } });
    }
    // Show the secret even if loading failed, because the token exists.
    reveal();
  }

  return {
    title: t("token.title"),
    node: h("div", { class: "view narrow" }, secret.node, head, box.node, body),
    ready: load(),
    unsaved: secret.unsaved,
    leave() {
      isLeft = true;
      fresh = null;
      secret.clear();
      parts?.details.leave();
    },
  };
}

/** Creates the view for an address without a valid token id. */
export function missingView() {
  const box = problemBox();
  box.show(new Problem("not-found", 404));
  return { title: t("token.not_found"), node: h("div", { class: "view narrow" }, h("h1", { tabindex: "-1" }, t("token.not_found")), box.node) };
}

// The details of a token, with countdowns to its expiry and to the expiry of its previous secret.

/**
 * The delay before an expired token is reloaded, in milliseconds. The server's clock decides about
 * the expiry.
 */
const DELAY = 2500;

/**
 * Creates the list of details. `statusActions`, `endActions` and `previousActions` create the
 * buttons for the status, the expiry and the previous secret. `ended` is called when one of the
 * times has passed.
 */
function tokenDetails({ statusActions, endActions, previousActions, ended }) {
  const list = h("dl", { class: "facts" });
  const countdown = h("span", { class: "quiet" });
  const previousCountdown = h("span", {});
  let token = null;
  let timer;

  /** Shows the time left until an instant, and returns it in milliseconds. */
  function show(element, end, key) {
    const rest = end && token.status === "active" ? Date.parse(end) - now() : Infinity;
    fill(element, rest === Infinity ? null : rest > 0 ? t(`${key}_in`, { left: left(end) }) : t(`${key}_now`));
    return rest;
  }

  function tick() {
    clearTimeout(timer);
    const rest = [show(countdown, token.expires_at, "details.expires"), show(previousCountdown, token.previous_secret_expires_at, "details.previous")];
    if (rest.some((each) => each <= 0)) timer = setTimeout(ended, DELAY);
    // During the last day the text changes every second, before that every minute.
    else if (Math.min(...rest) < Infinity) timer = setTimeout(tick, Math.min(...rest) < DAY ? 1000 : 30_000);
  }

  return {
    node: h("div", {}, list, h("div", { class: "pad" }, zoneNote())),
    update(current) {
      token = current;
      const exact = (instant) => past(instant, instant && minute(instant));
      const { expires_at: end, previous_secret_expires_at: previous } = token;
      const rows = [
        [t("details.status"), h("span", { class: "row" }, badges({ ...token, previous_secret_expires_at: null }), countdown), statusActions(token)],
        [t("details.expires"), end === null ? t("time.never") : [time(end, ending(end)), " ", h("span", { class: "quiet" }, utc(end))], endActions(token)],
        previous && [t("details.previous"), [h("span", { class: "still-works" }, previousCountdown), " ", h("span", { class: "quiet" }, time(previous, ending(previous)))], previousActions(token)],
        [t("details.last_used"), exact(token.last_used_at)],
        [t("details.created"), exact(token.created_at)],
        token.regenerated_at && [t("details.regenerated"), exact(token.regenerated_at)],
        token.revoked_at && [t("details.revoked"), exact(token.revoked_at)],
        isAdmin && [t("list.owner"), ownerName(token.owner)],
        ...Object.entries(token.metadata ?? {}).map(([key, value]) => [isolated(key), isolated(String(value))]),
        [t("details.id"), h("code", {}, token.id)],
      ];
      fill(
        list,
        rows.filter(Boolean).map(([label, value, buttons]) => h("div", { class: "fact" }, h("dt", {}, label), h("dd", {}, h("div", { class: "value" }, value), buttons && h("div", { class: "actions" }, buttons)))),
      );
      tick();
    },
    leave: () => clearTimeout(timer),
  };
}

// The scopes of a token, which can be added and removed.

/**
 * Creates the table. `change` makes a change to the token and shows the result. `reload` reloads
 * the token.
 */
function scopesTable({ editable, change, reload }) {
  let token = null;
  let catalog = null;
  const box = problemBox();
  const body = h("div", {});
  const all = button("trash", t("scopes.remove_all"), removeAll, { class: "button small" });
  const add = button("plus", t("scopes.add"), addSome, { class: "button small" });

  function show() {
    all.hidden = token.scopes.length === 0;
    if (token.scopes.length === 0) return fill(body, h("p", { class: "quiet pad" }, t("scopes.none")));
    fill(
      body,
      h(
        "table",
        { class: "scopes" },
        h("thead", { class: "hidden" }, h("tr", {}, h("th", { scope: "col" }, t("scopes.scope")), h("th", { scope: "col" }, t("scopes.meaning")), editable && h("th", { scope: "col" }, t("scopes.remove")))),
        h("tbody", {}, token.scopes.map(scopeRow)),
      ),
    );
  }

  const scopeRow = (scope) =>
    h(
      "tr",
      {},
      h("th", { scope: "row" }, h("code", {}, scope)),
      h("td", { class: "quiet" }, catalog ? meaning(catalog, scope) : ""),
      editable && h("td", { class: "row-actions" }, iconButton("trash", t("scopes.remove"), t("scopes.remove_name", { name: scope }), () => removeOne(scope))),
    );

  async function addSome() {
    try {
      catalog ??= await loadCatalog();
    } catch (problem) {
      if (problem.kind === undefined) throw problem;
      return box.show(problem, { buttons: { [t("try_again")]: addSome } });
    }
    box.clear();
    const picker = scopePicker(catalog, { held: token.scopes });
    const check = () => picker.check() ?? (picker.value.length === 0 ? t("scopes.choose_one") : null);
    await ask({
      title: t("scopes.add"),
      body: picker.node,
      label: t("scopes.add"),
      wide: true,
      fields: { scopes: { ...picker, check } },
      reload,
      action: () => change(() => addScopes(token, picker.value), t("scopes.added")),
    });
  }

  const removeOne = (scope) =>
    ask({
      title: t("scopes.remove_title"),
      text: t("scopes.remove_text"),
      body: h("p", {}, h("code", {}, scope)),
      label: t("scopes.remove"),
      danger: true,
      reload,
      action: () => change(() => removeScopes(token, { scopes: [scope] }), t("scopes.removed", { name: scope })),
    });

  function removeAll() {
    return ask({
      title: t("scopes.remove_all_title"),
      text: t("scopes.remove_all_text"),
      label: t("scopes.remove_all"),
      danger: true,
      reload,
      action: () => change(() => removeScopes(token, { all: true }), t("scopes.removed_all")),
    });
  }

  return {
    node: h("section", { class: "panel", "aria-labelledby": "scopes" }, h("div", { class: "panel-head" }, h("h2", { id: "scopes" }, t("scopes.title")), editable && h("div", { class: "actions" }, all, add)), box.node, body),
    update(now) {
      token = now;
      show();
    },
    /**
     * Shows the meaning of the scopes when the catalog is loaded. The table is usable without it.
     */
    async explain() {
      catalog = await loadCatalog().catch(() => null);
      if (catalog && token) show();
    },
  };
}

// Dialogs to regenerate a token and to change its expiry.

const GRACE_PERIODS = ["", "1h", "1d", "1w"];

/**
 * Asks for the options and regenerates the token. Resolves with the token, or with `null` if
 * cancelled.
 */
async function askToRegenerate(token, { change, reload }) {
  const { limits } = await loadCatalog();
  const expires = expiryField({ limits, keep: keptEnd("expiry.as_it_is", token()) });
  const options = GRACE_PERIODS.map((span) => [t(`regenerate.previous_${span || "none"}`), span]);
  // An expired or revoked token has no secret that could keep working.
  const grace = token().status === "active" ? selectField({ label: t("details.previous"), help: t("regenerate.previous_help"), options }) : null;
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

/** Asks for a new expiry. */
async function askForExpiry(token, { change, reload, regenerate }) {
  const { limits } = await loadCatalog();
  const expires = expiryField({ limits, keep: keptEnd("expiry.as_it_is", token()) });
  const instead = () => {
    closeDialogs();
    regenerate();
  };
  const lost = h("p", { class: "quiet" }, t("expiry.lost"), " ", h("button", { class: "button small", type: "button", on: { click: instead } }, t("token.regenerate")));
  return ask({
    title: t("expiry.change_title"),
    body: h("div", { class: "stack" }, expires.node, lost),
    label: t("save"),
    fields: { expires },
    reload,
    action: () => change(() => updateToken(token(), expires.value === undefined ? {} : { expires: expires.value }), t("saved")),
  });
}
