// What happens when a form is sent: once at a time, with what goes wrong told where it belongs, and nothing lost.

import { mark } from "./dom.js";
import { Cancelled } from "./confirmation.js";
import { sentence } from "./problems.js";

/**
 * Lets `action` run when the form is sent. `fields` are by the names that the API gives them; `box` takes what
 * belongs to none. `reload`, if there is one, is offered where somebody else changed the token meanwhile.
 */
export function submits(form, { action, fields = {}, box, reload }) {
  let busy = false;
  form.noValidate = true;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    // Not by disabling the button, which would lose the focus.
    if (busy) return;
    busy = true;
    mark(form, "aria-busy", "true");
    clear(fields, box);
    try {
      await action();
    } catch (problem) {
      if (problem instanceof Cancelled) return;
      // A fault of this page's own is for the console, and for whoever mends it.
      if (problem.kind === undefined) throw problem;
      tell(problem, { fields, box, reload });
    } finally {
      busy = false;
      mark(form, "aria-busy", null);
    }
  });
}

function clear(fields, box) {
  box.clear();
  for (const field of Object.values(fields)) field.fail(null);
}

function tell(problem, { fields, box, reload }) {
  const messages = problem.kind === "scope-not-grantable" ? [{ field: "scopes", message: problem.detail }] : (problem.errors ?? []);
  const homeless = [];
  const failed = new Map();
  for (const { field, message } of messages) {
    if (fields[field]) failed.set(field, [...(failed.get(field) ?? []), sentence(message)]);
    else homeless.push(`${field}: ${message}`);
  }
  for (const [name, said] of failed) fields[name].fail(said.join(" "));
  const [first] = failed.keys();
  if (first) fields[first].focus();
  if (failed.size > 0 && homeless.length === 0) return;
  const buttons = problem.status === 412 && reload ? { "Load how it is now, keep what I typed": again(reload, box) } : {};
  box.show(problem, { more: homeless, buttons });
}

function again(reload, box) {
  return async () => {
    try {
      await reload();
      box.clear();
    } catch (problem) {
      box.show(problem);
    }
  };
}
