// One token: what it is, and everything that can be done to it.

import { Problem, endPreviousSecret, showToken, updateToken } from "./api.js";
import { ask, say } from "./dialog.js";
import { button, fill, h, icon } from "./dom.js";
import { checkName } from "./form.js";
import { inlineEdit } from "./inline-edit.js";
import { me } from "./page-data.js";
import { problemBox } from "./problem.js";
import { askForExpiry, askToRegenerate } from "./regenerate.js";
import { goInstead, toActivity, toCopy, toList } from "./route.js";
import { secretPlace, takeSecret } from "./secret.js";
import { t } from "./texts.js";
import { askToDelete, askToRevoke } from "./token-actions.js";
import { tokenDetails } from "./token-details.js";
import { scopesTable } from "./token-scopes.js";

/** Creates the view of the token with that id. */
export function tokenView({ id }) {
  const secret = secretPlace();
  const box = problemBox();
  const head = h("div", {}, h("h1", { tabindex: "-1" }, t("token.title")));
  const body = h("div", { class: "stack" }, h("div", { class: "waiting" }, h("span", { class: "bar" })));
  // Taken at once: whatever becomes of this view, the next one must not find it.
  let fresh = takeSecret(id);
  let token = null;
  let parts = null;
  let isLeft = false;

  /** Loads the token anew, and shows it as it is now. */
  async function reload() {
    update(await showToken(id));
  }

  /** Makes a change, and shows what comes of it. */
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
    document.title = token.name;
    // The secret of a token that no longer works must not look as if it were of use.
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
      endActions: ({ status }) => editable && status === "active" && small("edit", t("token.change"), () => guarded(() => askForExpiry(() => token, context))),
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

  /** Runs an action that may fail before it has a dialog to say so. */
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
    // The token exists, even if loading it failed.
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

/** Creates the view for an address that names no token. */
export function missingView() {
  const box = problemBox();
  box.show(new Problem("not-found", 404));
  return { title: t("token.not_found"), node: h("div", { class: "view narrow" }, h("h1", { tabindex: "-1" }, t("token.not_found")), box.node) };
}
