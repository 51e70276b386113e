// What a token may do: its scopes, to add to and to take from.

import * as api from "./api.js";
import { ask } from "./ask.js";
import { catalog, meaning } from "./catalog.js";
import { fill, h } from "./dom.js";
import { icon } from "./icons.js";
import { problemBox } from "./problem-view.js";
import { scopePicker } from "./scope-picker.js";

/** The table. `change` makes a change to the token and shows what comes of it; `reload` looks at it anew. */
export function scopesTable({ editable, change, reload }) {
  let token = null;
  let known = null;
  const box = problemBox();
  const body = h("div", {});
  const all = h("button", { class: "button small", type: "button", on: { click: removeAll } }, icon("trash"), "Remove all");
  const add = h("button", { class: "button small", type: "button", on: { click: addSome } }, icon("plus"), "Add scopes");

  function show() {
    all.hidden = token.scopes.length === 0;
    if (token.scopes.length === 0) return fill(body, h("p", { class: "quiet pad" }, "No scopes: it may do nothing."));
    fill(
      body,
      h(
        "table",
        { class: "scopes" },
        h("thead", { class: "hidden" }, h("tr", {}, h("th", { scope: "col" }, "Scope"), h("th", { scope: "col" }, "Meaning"), editable && h("th", { scope: "col" }, "Remove"))),
        h("tbody", {}, token.scopes.map(row)),
      ),
    );
  }

  const row = (scope) =>
    h(
      "tr",
      {},
      h("th", { scope: "row" }, h("code", {}, scope)),
      h("td", { class: "quiet" }, known ? meaning(known, scope) : ""),
      editable &&
        h("td", { class: "row-actions" }, h("button", { class: "button icon", type: "button", "aria-label": `Remove ${scope}`, title: "Remove", on: { click: () => removeOne(scope) } }, icon("trash"))),
    );

  async function addSome() {
    try {
      known ??= await catalog();
    } catch (problem) {
      if (problem.kind === undefined) throw problem;
      return box.show(problem, { buttons: { "Try again": addSome } });
    }
    box.clear();
    const picker = scopePicker(known, { held: token.scopes });
    await ask({
      title: "Add scopes",
      body: picker.node,
      label: "Add",
      wide: true,
      fields: { scopes: picker },
      reload,
      action: () => {
        if (picker.value.length === 0) throw new api.Problem("invalid", 422, { errors: [{ field: "scopes", message: "choose at least one" }] });
        return change(() => api.addScopes(token, picker.value), "The scopes are added.");
      },
    });
  }

  const removeOne = (scope) =>
    ask({
      title: "Remove this scope?",
      text: "Programs that use the token may no longer do this.",
      body: h("p", {}, h("code", {}, scope)),
      label: "Remove",
      danger: true,
      reload,
      action: () => change(() => api.removeScope(token, scope), `${scope} is removed.`),
    });

  function removeAll() {
    return ask({
      title: "Remove all scopes?",
      text: "Programs that use the token may then do nothing. You can add scopes again later.",
      label: "Remove all",
      danger: true,
      reload,
      action: () => change(() => api.clearScopes(token), "All scopes are removed."),
    });
  }

  return {
    node: h("section", { class: "panel", "aria-labelledby": "scopes" }, h("div", { class: "panel-head" }, h("h2", { id: "scopes" }, "Scopes"), editable && h("div", { class: "actions" }, all, add)), box.node, body),
    update(now) {
      token = now;
      show();
    },
    /** What the scopes mean is told once it is known; without it the table does as well. */
    async explain() {
      known = await catalog().catch(() => null);
      if (known && token) show();
    },
  };
}
