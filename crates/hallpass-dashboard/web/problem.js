// What a problem means to a person, what to do about it, and the box in which the page says so.

import { fill, h, icon } from "./dom.js";
import { signInPath } from "./page-data.js";
import { signInAddress } from "./sign-in-address.js";
import { plural, t } from "./texts.js";

const BY_KIND = ["unreachable", "stale", "conflict", "token-limit", "not-found", "cross-site", "ended"];
const BY_STATUS = { 401: "signed-out", 404: "not-found", 412: "stale", 422: "invalid", 429: "too-many", 503: "unavailable" };

/** Returns a title and a sentence. */
export function explain(problem) {
  const cause = BY_KIND.includes(problem.kind) ? problem.kind : BY_STATUS[problem.status];
  if (!cause) return { title: t("problem.other.title"), text: sentence(problem.detail) || t("problem.other.text", { status: problem.status }) };
  const wait = problem.retryAfter === null ? t("problem.wait") : plural("problem.wait_seconds", problem.retryAfter);
  const values = { limit: problem.limit, in_use: problem.inUse, wait };
  // Whether such a change was made is not known: the server's own words say so.
  const unknown = cause === "unavailable" && /not known/.test(problem.detail);
  return { title: t(`problem.${cause}.title`), text: unknown ? t("problem.unavailable.unknown", values) : t(`problem.${cause}.text`, values) };
}

/** Returns the server's words as a sentence. */
export function sentence(text) {
  const trimmed = text.trim();
  if (trimmed === "") return "";
  const begun = trimmed[0].toUpperCase() + trimmed.slice(1);
  return /[.!?]$/.test(begun) ? begun : `${begun}.`;
}

/**
 * Creates a box: `show` puts a problem into it, with more sentences and with buttons `{ label: action }`; `clear` empties
 * it. In a form it says that nothing typed is lost.
 */
export function problemBox({ form = false } = {}) {
  // The box is always there: screen readers announce what appears in it.
  const node = h("div", { class: "problem", role: "alert" });
  return {
    node,
    show(problem, { more = [], buttons = {} } = {}) {
      const { title, text } = explain(problem);
      const actions = Object.entries(buttons).map(([label, click]) => h("button", { class: "button small", type: "button", on: { click } }, label));
      const lines = [text, form && problem.status !== 422 && t("problem.kept"), ...more].filter(Boolean);
      fill(
        node,
        icon("warning"),
        h(
          "div",
          {},
          h("strong", {}, title),
          lines.map((line) => h("p", {}, line)),
          problem.status === 401 && signInPath && signInLink(),
          actions.length > 0 && h("div", { class: "actions start" }, actions),
        ),
      );
    },
    clear: () => fill(node),
  };
}

const signInLink = () =>
  h("p", {}, h("a", { href: signInAddress(signInPath), target: "_blank", rel: "noopener" }, t("problem.sign_in"), icon("external")));
