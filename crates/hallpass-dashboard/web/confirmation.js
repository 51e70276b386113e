// The password, where the host wants it with every change.

import { h } from "./dom.js";
import { openDialog } from "./dialog.js";
import { confirmationWord } from "./facts.js";
import { field } from "./fields.js";
import { explain } from "./problems.js";

/** A person who thought better of it. */
export class Cancelled extends Error {}

/** Whether the host has asked before: then it is asked first, and no change is sent in vain. */
let expected = false;

const asksForPassword = (problem) =>
  problem.kind === "confirmation-required" || problem.kind === "confirmation-failed" || problem.kind === "too-many-attempts";

/**
 * Makes a change, with the password if the host wants one. `attempt` takes the headers to send. The password is asked
 * anew for each change, and kept nowhere.
 */
export async function confirmed(attempt) {
  if (!expected) {
    try {
      return await attempt({});
    } catch (problem) {
      if (problem.kind !== "confirmation-required") throw problem;
      expected = true;
    }
  }
  return prompt(attempt);
}

function prompt(attempt) {
  const password = field({
    label: `Your ${confirmationWord}`,
    name: "password",
    type: "password",
    autocomplete: confirmationWord === "password" ? "current-password" : "one-time-code",
    required: true,
  });
  const submit = h("button", { class: "button primary", type: "submit" }, "Confirm");
  const cancel = h("button", { class: "button", type: "button", on: { click: () => dialog.close() } }, "Cancel");
  const form = h("form", { class: "stack" }, password.node, h("div", { class: "actions" }, cancel, submit));
  const dialog = openDialog({ title: `Confirm with your ${confirmationWord}`, text: `Changes to tokens need your ${confirmationWord}.`, body: form });
  form.noValidate = true;
  return new Promise((resolve, reject) => {
    let wait;
    dialog.closed.then(() => {
      clearTimeout(wait);
      reject(new Cancelled("not confirmed"));
    });
    const done = (settle, value) => {
      settle(value);
      dialog.close();
    };
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      if (password.value === "") return password.fail(`Type your ${confirmationWord}.`);
      password.fail(null);
      submit.disabled = true;
      try {
        done(resolve, await attempt({ "Hallpass-Confirmation": base64url(password.value) }));
      } catch (problem) {
        if (!asksForPassword(problem)) return done(reject, problem);
        password.clear();
        password.fail(problem.kind === "confirmation-failed" ? `That is not your ${confirmationWord}.` : explain(problem).text);
        // Until then the server would not look at another one.
        const seconds = problem.status === 429 ? (problem.retryAfter ?? 1) : 0;
        wait = setTimeout(() => {
          submit.disabled = false;
          if (seconds > 0) password.fail(null);
        }, seconds * 1000);
        password.focus();
      }
    });
    password.focus();
  });
}

/** base64url of the UTF-8 text, without padding (RFC 4648, section 5). */
function base64url(text) {
  const bytes = new TextEncoder().encode(text);
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}
