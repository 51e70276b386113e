// Tests with other languages, scripts, keyboards and screens.

import assert from "node:assert/strict";
import { scene } from "./harness/index.js";
import { names } from "./harness/list.js";

scene("the page is in German if the browser prefers it", { locale: "de-AT" }, async ({ page, open }) => {
  await open();
  await page.getByRole("heading", { name: "Persönliche Zugangstoken" }).waitFor();
  assert.equal(await page.evaluate(() => document.documentElement.lang), "de");
  await page.getByText("in 30 Tagen").waitFor();
  const created = page.locator("tbody .created time");
  assert.match(await created.innerText(), /^\d\d\.\d\d\.\d{4}$/, "dates are in the language's order");
  assert.match(await created.getAttribute("title"), /^\d\d\.\d\d\.\d{4} \d\d:\d\d:\d\d UTC$/);
  await page.getByRole("link", { name: "Neues Token" }).click();
  await page.getByLabel("Name", { exact: true }).fill("nächtlich");
  await page.getByText(/Es gilt bis (Mon|Diens|Mitt|Donners|Frei|Sams|Sonn)/).waitFor();
  await page.getByRole("button", { name: "Token anlegen" }).click();
  await page.getByRole("heading", { name: "Ihr neues Token" }).waitFor();
  await page.getByText(/läuft in 29 Tage 23 Stunden ab/).waitFor();
  assert.doesNotMatch(await page.locator("body").innerText(), /\b(the|your|Token is|Expires)\b/);
});

scene("the page falls back to English for other languages", { locale: "fr" }, async ({ page, open }) => {
  await open();
  await page.getByRole("heading", { name: "Personal access tokens" }).waitFor();
});

scene("a right-to-left name does not affect the text around it", {}, async ({ page, api, open }) => {
  const token = await api.make({ name: "\u05d1\u05e0\u05d9\u05d9\u05d4 (1)", description: "\u05ea\u05d9\u05d0\u05d5\u05e8" });
  await open();
  await names(page, 2);
  const link = page.getByRole("link", { name: token.name, exact: true });
  assert.equal(await link.evaluate((element) => getComputedStyle(element).direction), "rtl");
  await page.getByRole("button", { name: `Delete ${token.name}` }).click();
  assert.equal(await page.getByRole("dialog").locator("bdi").innerText(), token.name);
  await page.keyboard.press("Escape");
  await open("#/new");
  await page.getByLabel("Name", { exact: true }).fill(token.name);
  assert.equal(await page.getByLabel("Name", { exact: true }).evaluate((element) => getComputedStyle(element).direction), "rtl");
});

scene("composition keys of an input method neither close an editor nor add a resource", {}, async ({ page, api, open }) => {
  const token = await api.make({ name: "before" });
  const composing = (locator, key) => locator.evaluate((element, key) => element.dispatchEvent(new KeyboardEvent("keydown", { key, isComposing: true, bubbles: true, cancelable: true })), key);
  await open(`#/tokens/${token.id}`);
  await page.getByRole("button", { name: "Edit the name" }).click();
  const name = page.getByLabel("Name", { exact: true });
  await name.fill("\u65e5\u672c");
  await composing(name, "Escape");
  assert.equal(await name.inputValue(), "\u65e5\u672c");
  await page.keyboard.press("Escape");
  await name.waitFor({ state: "detached" });
  await open("#/new");
  await page.getByRole("checkbox", { name: /Read projects/ }).check();
  await page.getByRole("radio", { name: "Only for selected ones" }).check();
  const id = page.getByLabel("id for Read projects");
  await id.fill("atlas");
  await composing(id, "Enter");
  assert.equal(await page.locator(".chip").count(), 0);
  await id.press("Enter");
  assert.equal(await page.locator(".chip").count(), 1);
});

scene("rows are compact on a phone and open their details on tap", { viewport: { width: 390, height: 844 }, hasTouch: true }, async ({ page, api, open }) => {
  for (const name of ["one", "two", "three"]) await api.make({ name, description: "long ".repeat(30), scopes: ["projects:list", "projects:read"] });
  await open();
  await names(page, 4);
  const row = await page.locator("tbody tr").first().boundingBox();
  assert.ok(row.height <= 80, `a row is ${row.height} high`);
  assert.ok(row.y <= 350, `the first row starts at ${row.y}`);
  await page.getByRole("button", { name: "Filters" }).tap();
  await page.getByLabel("Never used").waitFor();
  await page.locator("tbody tr").first().locator(".expires").tap();
  await page.getByRole("heading", { name: "three" }).waitFor();
  await open("#/new");
  await page.getByRole("checkbox", { name: /Read projects/ }).check();
  await page.getByRole("radio", { name: "Only for selected ones" }).check();
  assert.ok((await page.getByLabel("id for Read projects").boundingBox()).width >= 150);
});

scene("signing in returns to the requested view", { person: null }, async ({ page, open, watched }) => {
  watched.expect(401);
  await open("#/new");
  await page.waitForURL(/\/login\?next=/);
  assert.equal(new URL(page.url()).searchParams.get("next"), "/settings/tokens#/new");
  await page.getByLabel("Name").fill("alice");
  await page.getByLabel("Password").fill("wonderland");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("heading", { name: "New token" }).waitFor();
});

scene("a URL without a valid token id sends no request", {}, async ({ page, open, server }) => {
  await open();
  await names(page, 1);
  const asked = [];
  page.on("request", (request) => request.url().startsWith(`${server.url}/tokens`) && asked.push(request.url()));
  for (const hash of ["#/tokens/..", "#/tokens/scopes", "#/tokens/current", "#/tokens/x/copy", "#/tokens/%2e%2e"]) {
    await open(hash);
    await page.getByRole("heading", { name: "Not found" }).waitFor();
  }
  assert.deepEqual(asked, []);
});
