// Tests of creating tokens.

import assert from "node:assert/strict";
import { scene, use } from "./harness/index.js";

const create = (page) => page.getByRole("button", { name: "Create token" }).click();
/** Selects an operation and limits it to one resource. */
async function limit(page, title, id) {
  await page.getByRole("checkbox", { name: new RegExp(title) }).check();
  await page.getByRole("radiogroup", { name: title }).getByRole("radio", { name: "Only for selected ones" }).check();
  await page.getByLabel(`id for ${title}`).fill(id);
  await page.getByLabel(`id for ${title}`).press("Enter");
}

const choose = (page, label) => page.getByRole("radio", { name: label, exact: true }).check();

scene("a created token has the values of the form and works", { timezoneId: "UTC" }, async ({ page, api, open, server }) => {
  await open();
  await page.getByRole("link", { name: "New token" }).click();
  await page.getByLabel("Name", { exact: true }).fill("ci");
  await page.getByLabel("Description (optional)").fill("nightly build\nand more");
  const chosenAt = Date.now();
  await choose(page, "7 days");
  // Midnight may pass between the clock of the test and the clock of the page.
  const days = [chosenAt, Date.now()].map((now) => new Date(now + 7 * 86_400_000));
  const written = days.map((day) => `It works until ${day.toLocaleDateString("en", { weekday: "long", timeZone: "UTC" })}, ${day.toISOString().slice(0, 10)}`);
  await page.getByText(new RegExp(written.join("|"))).waitFor();
  await page.getByRole("checkbox", { name: /List projects/ }).check();
  await limit(page, "Read projects", "atlas");
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
  scene(`a token with the expiration “${label}” is created`, {}, async ({ page, api, open }) => {
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

scene("server validation errors appear at their fields and keep the input", {}, async ({ page, open, watched }) => {
  watched.expect(422);
  await open("#/new");
  await page.getByLabel("Name", { exact: true }).waitFor();
  await create(page);
  await page.getByText("Enter a name.").waitFor();
  await page.getByLabel("Name", { exact: true }).fill("nul\u202e");
  await page.getByLabel("Description (optional)").fill("kept");
  await limit(page, "Read projects", "x".repeat(128));
  await create(page);
  await page.locator('[aria-invalid="true"]').first().waitFor();
  const name = page.getByLabel("Name", { exact: true });
  assert.equal(await name.getAttribute("aria-invalid"), "true");
  const [error] = (await name.getAttribute("aria-describedby")).split(" ").slice(-1);
  assert.notEqual(await page.locator(`#${error}`).innerText(), "");
  assert.notEqual(await page.locator(".picker > .error").innerText(), "", "the scope is too long");
  assert.equal(await page.getByLabel("Description (optional)").inputValue(), "kept");
  assert.ok(await name.evaluate((input) => input === document.activeElement), "the first of them has the focus");
});

scene("a copy has the values of the original and a secret of its own", {}, async ({ page, api, open, server }) => {
  const original = await api.make({ name: "ci", description: "nightly", scopes: ["projects:list", "projects:read:atlas"], expires: "60d" });
  await open();
  await page.getByRole("link", { name: "Copy as new ci" }).click();
  assert.equal(await page.getByLabel("Name", { exact: true }).inputValue(), "ci (copy)", "no two tokens of one name");
  await page.getByLabel("Name", { exact: true }).fill("ci 2");
  await create(page);
  const secret = await page.locator(".secret").innerText();
  const copy = (await api.tokens()).find(({ name }) => name === "ci 2");
  assert.deepEqual([copy.description, copy.scopes, copy.expires_at], [original.description, original.scopes, original.expires_at]);
  assert.notEqual(secret, original.token);
  assert.deepEqual([await use(server, secret), await use(server, original.token)], [200, 200]);
});

scene("going back from a new token leads to the list, not to the form", {}, async ({ page, open }) => {
  await open();
  await page.getByRole("link", { name: "New token" }).click();
  await page.getByLabel("Name", { exact: true }).fill("it");
  await create(page);
  await page.locator(".secret").waitFor();
  await page.getByRole("button", { name: "I have saved it" }).click();
  await page.goBack();
  await page.getByRole("heading", { name: "Personal access tokens" }).waitFor();
});

scene("a second click while the next view loads creates no second token", {}, async ({ page, api, open, context }) => {
  await open("#/new");
  await page.getByLabel("Name", { exact: true }).fill("once");
  let release;
  const held = new Promise((resolve) => (release = resolve));
  await context.route(/\/tokens\/[0-9a-f-]{36}$/, async (route) => {
    await held;
    await route.continue();
  });
  const button = page.getByRole("button", { name: "Create token" });
  await button.dblclick();
  await page.locator("form").evaluateAll((forms) => forms.forEach((form) => form.requestSubmit()));
  await page.waitForURL(/#\/tokens\//);
  release();
  await page.locator(".secret").waitFor();
  assert.equal((await api.tokens()).filter(({ name }) => name === "once").length, 1);
});

scene("the form keeps its input when the person visits the list and returns", {}, async ({ page, open }) => {
  await open("#/new");
  const name = page.getByLabel("Name", { exact: true });
  await name.fill("draft");
  await page.getByLabel("Description (optional)").fill("half done");
  await choose(page, "On a date");
  await page.getByLabel("Last day").fill("2099-03-31");
  await limit(page, "Read projects", "atlas");
  await page.getByRole("link", { name: "All tokens" }).click();
  await page.getByRole("heading", { name: "Personal access tokens" }).waitFor();
  await page.getByRole("link", { name: "New token" }).click();
  await page.getByText("Your previous input was restored.").waitFor();
  assert.equal(await name.inputValue(), "draft");
  assert.equal(await page.getByLabel("Description (optional)").inputValue(), "half done");
  assert.equal(await page.getByLabel("Last day").inputValue(), "2099-03-31");
  await page.locator(".chip", { hasText: "atlas" }).waitFor();
  await page.getByRole("button", { name: "Start over" }).click();
  assert.equal(await name.inputValue(), "");
  await name.fill("again");
  await page.getByRole("link", { name: "Cancel" }).click();
  await page.getByRole("link", { name: "New token" }).click();
  await name.waitFor();
  assert.equal(await name.inputValue(), "", "cancelled is cancelled");
});

scene("the form shows the token limit before it is filled in", { server: ["--limit", "1"] }, async ({ page, open }) => {
  await open("#/new");
  await page.getByText("You have 1 of 1 tokens").waitFor();
  await page.getByLabel("Name", { exact: true }).fill("kept");
  await page.getByRole("link", { name: "Go to the list" }).click();
  await page.getByRole("button", { name: "Delete first token" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete", exact: true }).click();
  await page.getByText("first token deleted.").waitFor();
  await page.getByRole("link", { name: "New token" }).click();
  assert.equal(await page.getByLabel("Name", { exact: true }).inputValue(), "kept");
  await create(page);
  await page.locator(".secret").waitFor();
});
