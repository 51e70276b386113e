// Shows the view for the current address and moves the focus to it.

import { activityView } from "./activity.js";
import { currentRoute, goInstead, onNavigation, setAddress, toActivity, toList } from "./address.js";
import { missingView, tokenView } from "./detail.js";
import { closeDialogs, dropMessage, entitle, fill, h, hasFocus, icon, isolated, mark } from "./dom.js";
import { askToLeaveSecret, formView } from "./form.js";
import { listView } from "./list.js";
import { absolute, homePath, isAdmin, myName, rich, t } from "./page.js";

const VIEWS = { list: listView, form: formView, token: tokenView, activity: activityView, missing: missingView };

const main = PLACE.main;
const alone = PLACE.alone;
const tabs = [
  ["list", h("a", { href: toList() }, t("page.all_tokens"))],
  ["activity", h("a", { href: toActivity() }, t("page.activity"))],
];
let current = null;

async function showView({ first = false } = {}) {
  // Leave the old view first, because it may show a secret.
  leaveView();
  const route = currentRoute();
  const view = (current = VIEWS[route.view](route));
  entitle(view.title);
  for (const [name, link] of tabs) mark(link, "aria-current", name === route.view && !route.id && "page");
  fill(main, view.node);
  if (first) return;
  if (alone) scrollTo(0, 0);
  else if (main.getBoundingClientRect().top < 0) main.scrollIntoView();
  main.focus({ preventScroll: true });
  await view.ready;
  // Skip this if the person has already navigated to another view.
  if (view === current && (hasFocus(main) || hasFocus(document.body))) main.querySelector("h1")?.focus({ preventScroll: true });
}

function leaveView() {
  closeDialogs();
  dropMessage();
  current?.leave?.();
  current = null;
}

/** Asks before an unsaved secret is lost. The address is restored until the person answers. */
async function askToLeave(before, now) {
  closeDialogs();
  setAddress(before);
  const view = current;
  if ((await askToLeaveSecret()) === null || view !== current) return;
  leaveView();
  goInstead(now);
}

fill(
  PLACE.top,
  alone && homePath && h("a", { href: absolute(homePath), class: "home" }, icon("back"), t("page.back")),
  h("nav", { class: "tabs", "aria-label": t("page.views") }, tabs.map(([, link]) => link)),
  alone && h("p", { class: "person" }, h("span", {}, rich("page.signed_in", { name: h("strong", {}, isolated(myName)) })), isAdmin && h("span", { class: "badge" }, t("page.admin"))),
);

// The fragment of this link does not name a view.
PLACE.root.querySelector(".skip")?.addEventListener("click", (event) => {
  event.preventDefault();
  main.focus();
});
const signal = PLACE.signal;
onNavigation((before, now) => (current?.unsaved?.() ? askToLeave(before, now) : showView()));
addEventListener("beforeunload", (event) => current?.unsaved?.() && event.preventDefault(), { signal });
// A browser may keep the page in its back/forward cache and show it again later.
addEventListener("pagehide", leaveView, { signal });
addEventListener("pageshow", (event) => event.persisted && showView(), { signal });
signal.addEventListener("abort", leaveView);
showView({ first: true });
