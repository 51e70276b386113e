// The password, where the host wants it with every change.

import { openDialog } from "./dialog.js";
import { h } from "./dom.js";
import { field } from "./form.js";
import { confirmationWord, confirmsByPassword, me } from "./page-data.js";
import { explain } from "./problem.js";
import { plural, t } from "./texts.js";

/** The person cancelled. */
export class Cancelled extends Error {}

/** Whether the host has asked before. Then the password is asked for first, and no change is sent in vain. */
let expected = false;

const asksForPassword = ({ kind }) => ["confirmation-required", "confirmation-failed", "too-many-attempts"].includes(kind);

/**
 * Makes a change, with the password if the host wants one. `attempt` takes the headers to send; `doing` says what the
 * password confirms. Each change asks anew, and the password is stored nowhere.
 */
export async function confirmed(doing, attempt) {
  if (!expected) {
    try {
      return await attempt({});
    } catch (problem) {
      if (problem.kind !== "confirmation-required") throw problem;
      expected = true;
    }
  }
  return prompt(doing, attempt);
}

function prompt(doing, attempt) {
  const values = { what: confirmationWord };
  const password = field({
    label: t("confirm.label", values),
    name: "password",
    type: "password",
    autocomplete: confirmsByPassword ? "current-password" : "one-time-code",
    required: true,
    check: (text) => (text === "" ? t("confirm.missing", values) : null),
  });
  // For password managers: they save and offer a password together with a user name.
  const user = h("input", { class: "hidden", name: "username", autocomplete: "username", readonly: true, tabindex: "-1", "aria-hidden": "true" });
  user.value = me;
  const submit = h("button", { class: "button primary", type: "submit" }, t("confirm.submit"));
  const cancel = h("button", { class: "button", type: "button", on: { click: () => dialog.close() } }, t("cancel"));
  const form = h("form", { class: "stack" }, user, password.node, h("div", { class: "actions" }, cancel, submit));
  const dialog = openDialog({ title: t("confirm.title", values), text: doing, body: form });
  form.noValidate = true;
  return new Promise((resolve, reject) => {
    let countdown;
    dialog.closed.then(() => {
      clearInterval(countdown);
      reject(new Cancelled("not confirmed"));
    });
    const finish = (settle, value) => {
      settle(value);
      dialog.close();
    };
    /** Until then the server would not look at another attempt. */
    const wait = (seconds) => {
      submit.disabled = true;
      const until = Date.now() + seconds * 1000;
      const tick = () => {
        const rest = Math.ceil((until - Date.now()) / 1000);
        password.fail(rest > 0 ? plural("confirm.wait", rest) : null);
        if (rest > 0) return;
        clearInterval(countdown);
        submit.disabled = false;
      };
      clearInterval(countdown);
      countdown = setInterval(tick, 1000);
      tick();
    };
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const missing = password.check();
      password.fail(missing);
      if (missing || submit.disabled) return;
      submit.disabled = true;
      try {
        finish(resolve, await attempt({ "Hallpass-Confirmation": base64url(password.value) }));
      } catch (problem) {
        if (!asksForPassword(problem)) return finish(reject, problem);
        password.value = "";
        submit.disabled = false;
        if (problem.status === 429) wait(problem.retryAfter ?? 1);
        else password.fail(problem.kind === "confirmation-failed" ? t("confirm.wrong", values) : explain(problem).text);
        password.focus();
      }
    });
    password.focus();
  });
}

/** Encodes a text as base64url of its UTF-8 form, without padding (RFC 4648, section 5). */
function base64url(text) {
  const bytes = new TextEncoder().encode(text);
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}
