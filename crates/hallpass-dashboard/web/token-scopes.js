// What a token may do: its scopes, to add to and to take from.

import { addScopes, removeScopes } from "./api.js";
import { loadCatalog, meaning } from "./catalog.js";
import { ask } from "./dialog.js";
import { button, fill, h, iconButton } from "./dom.js";
import { problemBox } from "./problem.js";
import { scopePicker } from "./scope-picker.js";
import { t } from "./texts.js";

/** Creates the table. `change` makes a change to the token and shows what comes of it; `reload` loads it anew. */
export function scopesTable({ editable, change, reload }) {
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
      fields: { scopes: { check, fail: picker.fail, focus: picker.focus } },
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
    /** Shows what the scopes mean once that is known. Without it the table still serves. */
    async explain() {
      catalog = await loadCatalog().catch(() => null);
      if (catalog && token) show();
    },
  };
}
