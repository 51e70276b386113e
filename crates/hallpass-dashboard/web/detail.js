// One token: what it is, and everything that can be done to it.

import * as api from "./api.js";
import { ask } from "./ask.js";
import { facts } from "./detail-facts.js";
import { fill, h } from "./dom.js";
import { me } from "./facts.js";
import { icon } from "./icons.js";
import { inlineEdit } from "./inline-edit.js";
import { say } from "./notices.js";
import { problemBox } from "./problem-view.js";
import { changeExpiry, regenerate } from "./regenerate.js";
import { removeTokens } from "./removal.js";
import { goInstead, toCopy, toList } from "./route.js";
import { scopesTable } from "./scopes-table.js";
import { secretPlace, take } from "./secret.js";

/** The view of the token with that id. */
export function detailView({ id }) {
  const secret = secretPlace();
  const box = problemBox();
  const body = h("div", { class: "stack" }, h("h1", { tabindex: "-1" }, "Token"), h("div", { class: "waiting" }, h("span", { class: "bar" })));
  // Taken at once: whatever happens to this view, the next one must not find it.
  let handed = take(id);
  let token = null;
  let parts = null;
  let left = false;

  /** Looks at the token anew, and shows it as it is now. */
  async function reload() {
    update(await api.show(id));
  }

  /** Makes a change, and shows what comes of it. */
  async function change(call, done) {
    const { token: plain, ...changed } = await call();
    if (left) return changed;
    update(changed);
    if (plain) handed = plain;
    if (done) say(done);
    return changed;
  }

  function update(now) {
    if (left) return;
    token = now;
    document.title = token.name;
    if (!parts) {
      parts = build();
      fill(body, parts.nodes);
      parts.scopes.explain();
    }
    for (const part of parts.all) part.update(token);
    box.clear();
  }

  function build() {
    const editable = token.owner === me;
    const context = { change, reload };
    const edit = (name, options) => inlineEdit({ name, editable, reload, save: (text) => change(() => api.update(token, { [name]: text }), "Saved."), ...options });
    const name = edit("name", { label: "Name", maxlength: 100, required: true, shown: (text) => h("h1", { tabindex: "-1" }, text) });
    const description = edit("description", {
      label: "Description",
      multiline: true,
      rows: 3,
      maxlength: 1000,
      shown: (text) => h("p", { class: text ? "description" : "quiet" }, text || "No description"),
    });
    const known = facts({
      statusActions: ({ status }) => [
        status === "active" && button("stop", "Revoke", askRevoke),
        editable && button("refresh", "Regenerate", () => guarded(askRegenerate)),
      ],
      endActions: ({ status }) => editable && status === "active" && button("edit", "Change", () => guarded(() => changeExpiry(() => token, context))),
      previousActions: () => editable && button("stop", "Stop now", askEndGracePeriod),
      ended: () => reload().catch(() => {}),
    });
    const scopes = scopesTable({ editable, ...context });
    const text = (part, key) => ({ update: (now) => part.update(now[key]) });
    const foot = h(
      "div",
      { class: "actions start" },
      editable && h("a", { class: "button", href: toCopy(id) }, icon("copy"), "Copy as new"),
      h("button", { class: "button danger-quiet", type: "button", on: { click: askDelete } }, icon("trash"), "Delete"),
    );
    return {
      all: [text(name, "name"), text(description, "description"), known, scopes],
      nodes: [h("div", {}, name.node, description.node), !editable && h("p", { class: "notice" }, "This is somebody else’s. You may revoke and delete it."), h("section", { class: "panel" }, known.node), scopes.node, foot],
      known,
      scopes,
    };
  }

  const button = (glyph, label, click) => h("button", { class: "button small", type: "button", on: { click } }, icon(glyph), label);

  const askRevoke = () =>
    ask({
      title: "Revoke this token?",
      text: "Programs that use it are refused from now on, everywhere. You can bring it back later with a new secret: regenerate it.",
      label: "Revoke",
      danger: true,
      action: () => change(() => api.revoke(id), "It is revoked."),
    });

  const askEndGracePeriod = () =>
    ask({
      title: "Stop the old secret?",
      text: "Programs that still use it are refused from now on. The new secret works on.",
      label: "Stop it",
      danger: true,
      action: () => change(() => api.endGracePeriod(id), "The old secret is stopped."),
    });

  async function askRegenerate() {
    secret.clear();
    await regenerate(() => token, { change, reload });
    reveal();
  }

  async function askDelete() {
    if (await removeTokens([token])) goInstead(toList());
  }

  function reveal() {
    if (handed === null || left) return;
    secret.show(handed);
    handed = null;
  }

  /** What needs the catalog may fail before there is a dialog to say so. */
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
      reveal();
    } catch (problem) {
      if (problem.kind === undefined) throw problem;
      fill(body, h("h1", { tabindex: "-1" }, problem.status === 404 ? "Not found" : "Token"));
      box.show(problem, { buttons: problem.status === 404 ? {} : { "Try again": load } });
      // The token is made, whatever became of the look at it.
      reveal();
    }
  }

  return {
    title: "Token",
    node: h("div", { class: "view narrow" }, h("a", { class: "home", href: toList() }, icon("back"), "All tokens"), secret.node, box.node, body),
    ready: load(),
    leave() {
      left = true;
      handed = null;
      secret.clear();
      parts?.known.leave();
    },
  };
}
