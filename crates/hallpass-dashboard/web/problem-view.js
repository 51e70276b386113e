// The box in which a problem is told, next to what it is about.

import { h, fill } from "./dom.js";
import { signInPath } from "./facts.js";
import { icon } from "./icons.js";
import { explain } from "./problems.js";

/** A box: `show` a problem in it, with more sentences and with buttons `{ label: action }`; `clear` it. */
export function problemBox() {
  // It is there from the start: readers of screens announce what appears in it.
  const node = h("div", { class: "problem", role: "alert" });
  return {
    node,
    show(problem, { more = [], buttons = {} } = {}) {
      const { title, text } = explain(problem);
      const actions = Object.entries(buttons).map(([label, click]) =>
        h("button", { class: "button small", type: "button", on: { click } }, label),
      );
      fill(
        node,
        icon("warning"),
        h(
          "div",
          {},
          h("strong", {}, title),
          h("p", {}, text),
          more.map((line) => h("p", {}, line)),
          problem.status === 401 && signInPath && signIn(),
          actions.length > 0 && h("div", { class: "actions start" }, actions),
        ),
      );
    },
    clear() {
      fill(node);
    },
  };
}

const signIn = () =>
  h("p", {}, h("a", { href: signInPath, target: "_blank", rel: "noopener" }, "Sign in in a new tab", icon("external")));
