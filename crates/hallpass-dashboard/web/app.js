// The page: shows the view that the address asks for, and moves the focus there.

import { activityView } from "./activity.js";
import { missingView, tokenView } from "./detail.js";
import { closeDialogs, dropMessage, fill, h, icon, isolated, mark } from "./dom.js";
import { askToLeaveSecret, formView } from "./form.js";
import { listView } from "./list.js";
import { currentRoute, goInstead, homePath, isAdmin, myName, rich, setAddress, t, toActivity, toList } from "./page.js";

const VIEWS = { list: listView, form: formView, token: tokenView, activity: activityView, missing: missingView };

const main = document.getElementById("main");
const tabs = [
  ["list", h("a", { href: toList() }, t("page.all_tokens"))],
  ["activity", h("a", { href: toActivity() }, t("page.activity"))],
];
let current = null;

async function showView({ first = false } = {}) {
  // At once, whatever comes next: a secret may be on the screen.
  leaveView();
  const route = currentRoute();
  const view = (current = VIEWS[route.view](route));
  document.title = view.title;
  for (const [name, link] of tabs) mark(link, "aria-current", name === route.view && !route.id && "page");
  fill(main, view.node);
  if (first) return;
  scrollTo(0, 0);
  main.focus();
  await view.ready;
  // Unless the person has gone on already.
  if (view === current && (document.activeElement === main || document.activeElement === document.body)) main.querySelector("h1")?.focus();
}

function leaveView() {
  closeDialogs();
  dropMessage();
  current?.leave?.();
  current = null;
}

/** Asks before a secret is lost that nobody has saved. The address goes back until the answer is there. */
async function askToLeave({ oldURL, newURL }) {
  closeDialogs();
  setAddress(new URL(oldURL).hash || toList());
  const view = current;
  if ((await askToLeaveSecret()) === null || view !== current) return;
  leaveView();
  goInstead(new URL(newURL).hash || toList());
}

fill(
  document.getElementById("top"),
  homePath && h("a", { href: homePath, class: "home" }, icon("back"), t("page.back")),
  h("nav", { class: "tabs", "aria-label": t("page.views") }, tabs.map(([, link]) => link)),
  h("p", { class: "person" }, h("span", {}, rich("page.signed_in", { name: h("strong", {}, isolated(myName)) })), isAdmin && h("span", { class: "badge" }, t("page.admin"))),
);

addEventListener("hashchange", (event) => (current?.unsaved?.() ? askToLeave(event) : showView()));
addEventListener("beforeunload", (event) => current?.unsaved?.() && event.preventDefault());
// A browser may keep the page as it was, to show it again when the person comes back.
addEventListener("pagehide", leaveView);
addEventListener("pageshow", (event) => event.persisted && showView());
showView({ first: true });
