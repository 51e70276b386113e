// The page: shows the view that the address asks for, and moves the focus there.

import { h, fill } from "./dom.js";
import { closeDialogs } from "./dialog.js";
import { homePath, isAdmin, me } from "./facts.js";
import { icon } from "./icons.js";
import { listView } from "./list.js";
import { problemBox } from "./problem-view.js";
import { currentRoute, toList } from "./route.js";

/** Those that are not needed at first come when they are. */
const views = {
  list: async () => listView,
  create: async () => (await import("./create.js")).createView,
  detail: async () => (await import("./detail.js")).detailView,
};

const main = document.querySelector("#main");
let current = null;
let turn = 0;

async function show({ first = false } = {}) {
  const mine = ++turn;
  const route = currentRoute();
  // At once, whatever comes next: a secret may be on the screen.
  leave();
  const build = await views[route.view]().catch(() => failedView);
  if (mine !== turn) return;
  const view = (current = build(route));
  document.title = view.title;
  fill(main, view.node);
  if (first) return;
  scrollTo(0, 0);
  main.focus();
  await view.ready;
  // Unless the person has gone on already.
  if (mine === turn && (document.activeElement === main || document.activeElement === document.body)) main.querySelector("h1")?.focus();
}

function leave() {
  closeDialogs();
  current?.leave?.();
  current = null;
}

function failedView() {
  const box = problemBox();
  box.show({ kind: "unreachable", detail: "" }, { buttons: { "Try again": () => location.reload() } });
  return { title: "Personal access tokens", node: h("div", { class: "view" }, h("h1", { tabindex: "-1" }, "Personal access tokens"), box.node) };
}

fill(
  document.querySelector("#top"),
  homePath ? h("a", { href: homePath, class: "home" }, icon("back"), "Back") : h("span", {}),
  h("p", {}, h("a", { href: toList(), class: "home" }, "Tokens"), " of ", h("strong", {}, me), isAdmin && h("span", { class: "badge" }, "admin")),
);

addEventListener("hashchange", () => show());
// A browser may keep the page as it was, to show it again when the person comes back.
addEventListener("pagehide", leave);
addEventListener("pageshow", (event) => event.persisted && show());
show({ first: true });
