// Creating tokens.

import assert from "node:assert/strict";
import { scene, use } from "./harness/index.js";

const create = (page) => page.getByRole("button", { name: "Create token" }).click();
const choose = (page, label) => page.getByRole("radio", { name: label, exact: true }).check();

scene("a token is created as it was described, and works", { timezoneId: "UTC" }, async ({ page, api, open, server }) => {
  await open();
  await page.getByRole("link", { name: "New token" }).click();
  await page.getByLabel("Name", { exact: true }).fill("ci");
  await page.getByLabel("Description (optional)").fill("nightly build\nand more");
  await choose(page, "7 days");
  const end = new Date(Date.now() + 7 * 86_400_000);
  const weekday = end.toLocaleDateString("en", { weekday: "long", timeZone: "UTC" });
  await page.getByText(`It works until ${weekday}, ${end.toISOString().slice(0, 10)}`).waitFor();
  await page.getByRole("checkbox", { name: /List projects/ }).check();
  await page.getByLabel("For one thing only").selectOption({ label: "Read projects" });
  await page.getByLabel("id", { exact: true }).fill("atlas");
  await page.getByLabel("id", { exact: true }).press("Enter");
  await create(page);
  await page.getByRole("heading", { name: "Your new token" }).waitFor();
  const secret = await page.locator(".secret").innerText();
  const [, token] = await api.tokens();
  assert.equal(token.name, "ci");
  assert.equal(token.description, "nightly build\nand more");
  assert.deepEqual([...token.scopes].sort(), ["projects:list", "projects:read:atlas"]);
  assert.equal(Math.round((Date.parse(token.expires_at) - Date.parse(token.created_at)) / 86_400_000), 7);
  assert.equal(await use(server, secret), 200);
  await page.getByRole("heading", { name: "ci" }).waitFor();
});

for (const [label, days] of [["30 days", 30], ["60 days", 60], ["90 days", 90], ["1 year", 365], ["Never", null]]) {
  scene(`a token for: ${label}`, {}, async ({ page, api, open }) => {
    await open("#/new");
    await page.getByLabel("Name", { exact: true }).fill("it");
    await choose(page, label);
    await create(page);
    await page.locator(".secret").waitFor();
    const [, token] = await api.tokens();
    if (days === null) assert.equal(token.expires_at, null);
    else assert.equal(Math.round((Date.parse(token.expires_at) - Date.parse(token.created_at)) / 86_400_000), days);
  });
}

scene("a date is the last day on which it works, and is said with its weekday", { timezoneId: "America/New_York" }, async ({ page, api, open }) => {
  await open("#/new");
  await page.getByLabel("Name", { exact: true }).fill("it");
  await choose(page, "On a date");
  await page.getByLabel("Last day").fill("2099-03-31");
  await page.getByText("the whole of Tuesday, 2099-03-31").waitFor();
  await create(page);
  await page.locator(".secret").waitFor();
  assert.equal((await api.tokens())[1].expires_at, "2099-04-01T00:00:00Z");
});

scene("what the server refuses is told at its field, and nothing typed is lost", {}, async ({ page, open, watched }) => {
  watched.expect(422);
  await open("#/new");
  await page.getByLabel("Name", { exact: true }).waitFor();
  await create(page);
  await page.getByText("Give it a name.").waitFor();
  await page.getByLabel("Name", { exact: true }).fill("nul\u202e");
  await page.getByLabel("Description (optional)").fill("kept");
  await choose(page, "On a date");
  await page.getByLabel("Last day").fill("2020-01-01");
  await page.getByLabel("For one thing only").selectOption({ label: "Read projects" });
  await page.getByLabel("id", { exact: true }).fill("x".repeat(128));
  await page.getByRole("button", { name: "Add" }).click();
  await create(page);
  await page.locator('[aria-invalid="true"]').first().waitFor();
  const name = page.getByLabel("Name", { exact: true });
  assert.equal(await name.getAttribute("aria-invalid"), "true");
  const [error] = (await name.getAttribute("aria-describedby")).split(" ").slice(-1);
  assert.notEqual(await page.locator(`#${error}`).innerText(), "");
  assert.notEqual(await page.locator("fieldset.field .error").innerText(), "", "the date is past");
  assert.notEqual(await page.locator(".picker > .error").innerText(), "", "the scope is too long");
  assert.equal(await page.getByLabel("Description (optional)").inputValue(), "kept");
  assert.ok(await name.evaluate((input) => input === document.activeElement), "the first of them has the focus");
});

scene("the picker: presets, custom, search, only checked, documentation", {}, async ({ page, open, context, api }) => {
  await context.route("**/tokens/scopes", async (route) => {
    const answer = await route.fetch();
    const said = await answer.json();
    said.scopes[0].docs = "https://docs.example.com/list";
    said.scopes[1].docs = "javascript:alert(1)";
    await route.fulfill({ response: answer, json: said });
  });
  await open("#/new");
  const box = (title) => page.getByRole("checkbox", { name: new RegExp(title) });
  const listed = () => page.locator(".picker-row:visible strong").allInnerTexts();
  await choose(page, "Look, don't touch");
  assert.ok(await box("List projects").isChecked());
  assert.ok(await box("Read projects").isChecked());
  await page.getByLabel("Only checked").check();
  assert.deepEqual(await listed(), ["List projects", "Read projects"]);
  await page.getByLabel("Only checked").uncheck();
  await page.getByRole("searchbox", { name: "Search scopes" }).fill("add");
  assert.deepEqual(await listed(), ["Create projects"]);
  await page.getByRole("searchbox", { name: "Search scopes" }).press("Enter");
  await page.getByRole("searchbox", { name: "Search scopes" }).fill("no such");
  await page.getByText("No scope matches.").waitFor();
  await page.getByRole("searchbox", { name: "Search scopes" }).fill("");
  // All of it is one scope, which covers the others: taking one out leaves the rest.
  await choose(page, "Everything about projects");
  assert.equal(await page.locator(".picker-row input:checked").count(), 5);
  await box("Delete projects").uncheck();
  assert.ok(await page.getByRole("radio", { name: "Custom" }).isChecked());
  const docs = page.getByRole("link", { name: /Documentation of/ });
  assert.equal(await docs.count(), 1, "only where it may be followed");
  assert.equal(await docs.getAttribute("href"), "https://docs.example.com/list");
  assert.match(await docs.getAttribute("rel"), /noopener/);
  await page.getByLabel("Name", { exact: true }).fill("it");
  await create(page);
  await page.locator(".secret").waitFor();
  const scopes = (await api.tokens())[1].scopes;
  assert.deepEqual([...scopes].sort(), ["projects:create", "projects:list", "projects:publish", "projects:read"]);
});

scene("a scope for one thing needs a thing", {}, async ({ page, open }) => {
  await open("#/new");
  const id = page.getByLabel("id", { exact: true });
  await page.getByRole("button", { name: "Add" }).click();
  await page.getByText("Write the id.").waitFor();
  for (const wrong of ["a b", "a:b", 'a"', "ü"]) {
    await id.fill(wrong);
    await id.press("Enter");
    await page.getByText("No spaces, quotes").waitFor();
  }
  await id.fill("atlas");
  await id.press("Enter");
  await page.getByRole("button", { name: "Take projects:read:atlas out" }).click();
  assert.equal(await page.locator(".picker .chip").count(), 0);
});

scene("a copy starts as the original is, with a secret of its own", {}, async ({ page, api, open, server }) => {
  const original = await api.make({ name: "ci", description: "nightly", scopes: ["projects:list", "projects:read:atlas"], expires: "60d" });
  await open();
  await page.getByRole("link", { name: "Copy as new ci" }).click();
  assert.equal(await page.getByLabel("Name", { exact: true }).inputValue(), "ci");
  await page.getByLabel("Name", { exact: true }).fill("ci 2");
  await create(page);
  const secret = await page.locator(".secret").innerText();
  const copy = (await api.tokens()).find(({ name }) => name === "ci 2");
  assert.deepEqual([copy.description, copy.scopes, copy.expires_at], [original.description, original.scopes, original.expires_at]);
  assert.notEqual(secret, original.token);
  assert.deepEqual([await use(server, secret), await use(server, original.token)], [200, 200]);
});

scene("back from a new token leads to the list, not to the form", {}, async ({ page, open }) => {
  await open();
  await page.getByRole("link", { name: "New token" }).click();
  await page.getByLabel("Name", { exact: true }).fill("it");
  await create(page);
  await page.locator(".secret").waitFor();
  await page.goBack();
  await page.getByRole("heading", { name: "Personal access tokens" }).waitFor();
});
