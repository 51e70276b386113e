// Tests of the scope picker: it grants exactly what it shows.

import assert from "node:assert/strict";
import { scene } from "./harness/index.js";

const box = (page, title) => page.getByRole("checkbox", { name: new RegExp(title) });
const choose = (page, label) => page.getByRole("radio", { name: label, exact: true }).check();
const choice = (page, title) => page.getByRole("radiogroup", { name: title });
const words = (page) => page.locator(".summary li").allInnerTexts();

/** Submits the form and returns the scopes of the new token. */
async function granted(page, api) {
  await page.getByRole("button", { name: "Create token" }).click();
  await page.locator(".secret").waitFor();
  return [...(await api.tokens())[1].scopes].sort();
}

async function start(page, open) {
  await open("#/new");
  await page.getByLabel("Name", { exact: true }).fill("it");
}

scene("an operation is granted for all resources or for selected ones, never both", {}, async ({ page, api, open }) => {
  await start(page, open);
  await box(page, "Read projects").check();
  assert.deepEqual(await words(page), ["Read projects: all"]);
  await choice(page, "Read projects").getByRole("radio", { name: "Only for selected ones" }).check();
  await page.getByLabel("id for Read projects").fill("atlas");
  await page.getByRole("button", { name: "Add" }).click();
  await page.getByLabel("id for Read projects").fill("borealis");
  await page.getByLabel("id for Read projects").press("Enter");
  assert.deepEqual(await words(page), ["Read projects: only atlas, borealis"]);
  assert.deepEqual(await granted(page, api), ["projects:read:atlas", "projects:read:borealis"], "and not all of them");
  await page.getByRole("cell", { name: "Read projects: only atlas" }).waitFor();
});

scene("switching back to all resources drops the selected ones", {}, async ({ page, api, open }) => {
  await start(page, open);
  await box(page, "Read projects").check();
  await choice(page, "Read projects").getByRole("radio", { name: "Only for selected ones" }).check();
  await page.getByLabel("id for Read projects").fill("atlas");
  await page.getByLabel("id for Read projects").press("Enter");
  await choice(page, "Read projects").getByRole("radio", { name: "For all" }).check();
  assert.deepEqual(await granted(page, api), ["projects:read"]);
});

scene("an operation for selected resources requires at least one resource", {}, async ({ page, api, open }) => {
  await start(page, open);
  await box(page, "Read projects").check();
  await choice(page, "Read projects").getByRole("radio", { name: "Only for selected ones" }).check();
  await page.getByRole("button", { name: "Create token" }).click();
  await page.getByText("Add at least one, or choose “For all”.").waitFor();
  const id = page.getByLabel("id for Read projects");
  for (const wrong of ["a b", "a:b", 'a"', "ü", "a/../b", "."]) {
    await id.fill(wrong);
    await id.press("Enter");
    await page.getByText("without spaces, quotes").waitFor();
  }
  await id.fill("atlas");
  assert.deepEqual(await granted(page, api), ["projects:read:atlas"], "without a click on Add");
});

scene("a preset checks the operations that it grants", {}, async ({ page, api, open }) => {
  await start(page, open);
  await choose(page, "Everything about projects");
  await page.getByText("Grants 5 of 5 operations:").waitFor();
  assert.ok(await box(page, "Everything in projects").isChecked());
  assert.deepEqual(await words(page), ["Everything in projects, including what is added later"]);
  assert.equal(await page.locator(".chip").count(), 0);
  await choose(page, "Look, don't touch");
  await page.getByText("Grants 2 of 5 operations:").waitFor();
  assert.deepEqual(await words(page), ["List projects", "Read projects: all"]);
  assert.deepEqual(await granted(page, api), ["projects:list", "projects:read"]);
});

scene("the summary says when the token cannot change anything", {}, async ({ page, api, open }) => {
  await start(page, open);
  const summary = page.locator(".summary");
  const says = (count) => page.waitForFunction((count) => document.querySelectorAll(".summary .read-only").length === count, count);
  await summary.getByText("A token without scopes cannot do anything.").waitFor();
  await says(0);
  await box(page, "Read projects").check();
  await summary.getByText("The token cannot change anything.").waitFor();
  await choice(page, "Read projects").getByRole("radio", { name: "Only for selected ones" }).check();
  await page.getByLabel("id for Read projects").fill("atlas");
  await page.getByLabel("id for Read projects").press("Enter");
  await summary.getByText("The token cannot change anything.").waitFor();
  await box(page, "Delete projects").check();
  await says(0);
  await choose(page, "Everything about projects");
  await says(0);
  await choose(page, "Look, don't touch");
  await says(1);
  await granted(page, api);
  // What the token already has counts, too.
  await page.getByRole("button", { name: "Add scopes" }).click();
  await box(page, "Create projects").check();
  await says(0);
});

scene("scopes that the catalog does not mark may change something", {}, async ({ page, context, open }) => {
  await context.route("**/tokens/scopes", async (route) => {
    const answer = await route.fetch();
    const scope = (scope, readOnly) => ({ scope, title: scope, description: "", docs: null, read_only: readOnly });
    const scopes = [
      ...[scope("mail:read", false), scope("mail:list", true), scope("disk:list", true)],
      ...[scope("notes", true), scope("notes:delete", false), scope("keys", false), scope("keys:list", true)],
    ];
    await route.fulfill({ response: answer, json: { ...(await answer.json()), scopes, presets: [{ name: "disk", title: "Whole disk", scopes: ["disk"] }] } });
  });
  await start(page, open);
  await box(page, "mail:list").check();
  await page.getByText("The token cannot change anything.").waitFor();
  await box(page, "mail:read").check();
  await page.getByText("The token cannot change anything.").waitFor({ state: "detached" });
  await box(page, "mail:read").uncheck();
  await page.getByText("The token cannot change anything.").waitFor();
  for (const name of ["^notes notes", "^notes:delete", "^keys keys"]) {
    await box(page, name).check();
    await page.getByText("The token cannot change anything.").waitFor({ state: "detached" });
    await box(page, name).uncheck();
    await page.getByText("The token cannot change anything.").waitFor();
  }
  await box(page, "^keys:list").check();
  await page.getByText("The token cannot change anything.").waitFor();
  await choose(page, "Whole disk");
  assert.deepEqual(await words(page), ["Everything in disk, including what is added later"]);
  assert.equal(await page.getByText("The token cannot change anything.").count(), 0, "later operations may change something");
});

scene("unchecking one operation of a wildcard keeps the others", {}, async ({ page, api, open }) => {
  await start(page, open);
  await choose(page, "Everything about projects");
  await box(page, "Delete projects").uncheck();
  assert.ok(await page.getByRole("radio", { name: "Custom" }).isChecked());
  assert.ok(!(await box(page, "Everything in projects").isChecked()));
  assert.deepEqual(await granted(page, api), ["projects:create", "projects:list", "projects:publish", "projects:read"]);
});

scene("checking the operations of a preset selects the preset", {}, async ({ page, open }) => {
  await start(page, open);
  await box(page, "List projects").check();
  assert.ok(await page.getByRole("radio", { name: "Custom" }).isChecked());
  await box(page, "Read projects").check();
  assert.ok(await page.getByRole("radio", { name: "Look, don't touch" }).isChecked());
});

scene("the picker names the scopes that the person cannot grant", { locale: "de" }, async ({ page, context, open, watched }) => {
  watched.expect(403);
  await open("#/new");
  await page.getByLabel("Name", { exact: true }).fill("es");
  for (const title of ["List projects", "Create projects"]) await box(page, title).check();
  const body = JSON.stringify({ type: "/problems/scope-not-grantable", status: 403, detail: "you may not grant projects:create" });
  await context.route("**/tokens", (route) => route.fulfill({ status: 403, contentType: "application/problem+json", body }));
  await page.getByRole("button", { name: "Token anlegen" }).click();
  await page.locator(".picker > .error", { hasText: "Das dürfen Sie nicht vergeben: projects:create." }).waitFor();
});

/** Serves a catalog with this number of resources, each with ten operations. */
async function catalogOf(context, resources) {
  await context.route("**/tokens/scopes", async (route) => {
    const answer = await route.fetch();
    const said = await answer.json();
    said.presets = [];
    said.scopes = Array.from({ length: resources * 10 }, (_, at) => {
      const [group, operation] = [Math.floor(at / 10), at % 10];
      return { scope: `r${group}:op${operation}`, title: `Operation ${operation} of r${group}`, description: `Does ${operation}.`, docs: at === 0 ? "https://docs.example.com/x" : at === 1 ? "javascript:alert(1)" : null };
    });
    await route.fulfill({ response: answer, json: said });
  });
}

scene("three hundred operations can be grouped, searched and filtered", {}, async ({ page, open, context }) => {
  await catalogOf(context, 30);
  await start(page, open);
  await page.getByText("Grants 0 of 300 operations:").waitFor();
  const listed = () => page.locator(".picker-row:visible strong").allInnerTexts();
  assert.deepEqual(await listed(), [], "the groups are closed");
  assert.equal(await page.locator(".picker-group:visible").count(), 30);
  await page.getByRole("button", { name: "r7", exact: true }).click();
  assert.equal((await listed()).length, 10);
  await page.getByLabel("All operations on r7").check();
  await page.getByText("Grants 10 of 300 operations:").waitFor();
  await page.getByText("10 of 10", { exact: true }).last().waitFor();
  assert.deepEqual(await words(page), ["r7: 10 scopes"]);
  const search = page.getByRole("searchbox", { name: "Search scopes" });
  await search.fill("operation 3 r12");
  assert.deepEqual(await listed(), ["Operation 3 of r12"]);
  await search.press("Enter");
  await box(page, "Operation 3 of r12").check();
  await search.fill("no such");
  await page.getByText("No scope matches.").waitFor();
  await search.fill("");
  await page.getByLabel("Only checked").check();
  assert.equal((await listed()).length, 11);
  await page.getByLabel("Only checked").uncheck();
  await page.getByRole("button", { name: "r0", exact: true }).click();
  const docs = page.getByRole("link", { name: /Documentation of/ });
  assert.equal(await docs.count(), 1, "only where a link may lead");
  assert.equal(await docs.getAttribute("href"), "https://docs.example.com/x");
  assert.match(await docs.getAttribute("rel"), /noopener/);
});

scene("ungrouped operations form one list and methods are grouped by class", {}, async ({ page, open, context }) => {
  await context.route("**/tokens/scopes", async (route) => {
    const answer = await route.fetch();
    const scopes = ["ping", "mail.box.Send", "mail.box.Read", "upload"].map((scope) => ({ scope, title: `Call ${scope}`, description: "", docs: null }));
    await route.fulfill({ response: answer, json: { ...(await answer.json()), scopes, presets: [] } });
  });
  await start(page, open);
  await page.getByText("Grants 0 of 4 operations:").waitFor();
  assert.deepEqual(await page.locator(".picker-group").evaluateAll((groups) => groups.map((group) => group.ariaLabel)), ["mail.box"]);
  await page.getByLabel("All operations on mail.box").check();
  await box(page, "Call upload").check();
  assert.deepEqual(await words(page), ["Call mail.box.Send", "Call mail.box.Read", "Call upload"]);
  await page.getByRole("searchbox", { name: "Search scopes" }).fill("ping");
  assert.deepEqual(await page.locator(".picker-row:visible strong").allInnerTexts(), ["Call ping"]);
});

scene("the summary stays visible while the operations scroll", { viewport: { width: 1280, height: 500 } }, async ({ page, open }) => {
  await start(page, open);
  await box(page, "List projects").scrollIntoViewIfNeeded();
  await page.locator(".summary").getByText("Grants 0 of 5").waitFor();
  const inView = await page.locator(".summary").evaluate((element) => element.getBoundingClientRect().bottom <= innerHeight);
  assert.ok(inView);
  assert.ok(await page.locator(".picker-list").first().evaluate((list) => list.scrollHeight <= list.clientHeight + 1), "nothing scrolls in a box of its own");
});
