// Tests the tasks of a Jelastic platform's guides on the page of its example.
// docs/systems/jelastic.md refers to these tests.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { walk } from "./harness/index.js";
import { names, rows } from "./harness/list.js";

const JELASTIC = { name: "jelastic", path: "/settings/access-tokens", labels: { person: "Login" } };
const dialog = (page, name) => page.getByRole("dialog", name ? { name } : {});

/** Enters the password in the dialog that each change opens. */
async function confirm(page, password = "wonderland") {
  const prompt = dialog(page, "Confirm with your password");
  await prompt.getByLabel("Your password").fill(password);
  await prompt.getByRole("button", { name: "Confirm" }).click();
}

/** Generates a token with a predefined set of methods and returns it. */
async function generate(page, description, template = "Extended Access") {
  await page.getByRole("link", { name: "Generate", exact: true }).click();
  await page.getByLabel("Description", { exact: true }).fill(description);
  await page.getByRole("radio", { name: template }).check();
  await page.getByRole("button", { name: "Generate", exact: true }).click();
  await confirm(page);
  const token = await page.locator(".secret").innerText();
  await page.getByRole("button", { name: "I have saved it" }).click();
  await page.getByRole("link", { name: "All tokens" }).click();
  return token;
}

/** Calls a method with the token in the parameter `session` and returns the result. */
async function call(server, method, token) {
  const answer = await fetch(`${server.url}/1.0/environment/control/rest/${method}?envName=my-project&session=${token}`);
  return (await answer.json()).result;
}

/** Returns the options of the tests. Each change requires the password. */
const options = (more = {}) => ({ timezoneId: "Europe/Berlin", ...more });

const expectQuestion = (watched) => watched.expect(403);

walk(JELASTIC, "the sign-in returns to the requested view", { view: "#/new" }, async ({ page }) => {
  await page.getByRole("heading", { name: "Generate access token" }).waitFor();
});

walk(JELASTIC, "a token with a description, a day and a predefined set requires the password", options(), async ({ page, server, watched }) => {
  expectQuestion(watched);
  await page.getByRole("heading", { name: "Access tokens" }).waitFor();
  await page.getByRole("link", { name: "Generate", exact: true }).click();
  await page.getByLabel("Description", { exact: true }).fill("deploy");
  await page.getByRole("radio", { name: "On a date" }).check();
  await page.getByLabel("Last day").fill("2099-03-31");
  await page.getByText("the end of Tuesday, 31-03-2099").waitFor();
  await page.getByRole("radio", { name: "IDE Plugins" }).check();
  await page.getByText("Grants 4 of 6 operations:").waitFor();
  await page.getByRole("button", { name: "Generate", exact: true }).click();
  await confirm(page, "wrong");
  await page.getByText("Incorrect password.").waitFor();
  await confirm(page);
  const token = await page.locator(".secret").innerText();
  await page.getByText("through 31-03-2099").waitFor();
  assert.equal(await call(server, "getenvinfo", token), 0);
});

walk(JELASTIC, "the value is downloaded and is not shown again", options(), async ({ page, watched }) => {
  expectQuestion(watched);
  await page.getByRole("link", { name: "Generate", exact: true }).click();
  await page.getByLabel("Description", { exact: true }).fill("deploy");
  await page.getByRole("button", { name: "Generate", exact: true }).click();
  await confirm(page);
  const token = await page.locator(".secret").innerText();
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Download" }).click()]);
  assert.equal(await readFile(await download.path(), "utf8"), `${token}\n`);
  await page.reload();
  await page.getByRole("heading", { name: "deploy" }).waitFor();
  assert.ok(!(await page.content()).includes(token));
});

walk(JELASTIC, "methods are searched, filtered by selection and linked to documentation", options(), async ({ page, server, watched }) => {
  expectQuestion(watched);
  await page.getByRole("link", { name: "Generate", exact: true }).click();
  await page.getByLabel("Description", { exact: true }).fill("stop at night");
  await page.getByRole("radio", { name: "Custom" }).check();
  const search = page.getByRole("searchbox", { name: "Search" });
  await search.fill("stopenv");
  const shown = () => page.locator(".picker-row:visible code").allInnerTexts();
  assert.deepEqual(await shown(), ["environment.control.StopEnv"]);
  const docs = page.getByRole("link", { name: "Documentation of Stop an environment" });
  assert.match(await docs.getAttribute("href"), /environment\.Control-method-StopEnv$/);
  await page.getByRole("checkbox", { name: /^Stop an environment/ }).check();
  await search.fill("");
  assert.equal((await shown()).length, 6);
  await page.getByLabel("Only checked").check();
  assert.deepEqual(await shown(), ["environment.control.StopEnv"]);
  await page.getByRole("button", { name: "Generate", exact: true }).click();
  await confirm(page);
  const token = await page.locator(".secret").innerText();
  assert.deepEqual([await call(server, "stopenv", token), await call(server, "startenv", token)], [0, 8202]);
});

walk(JELASTIC, "a token is edited and regenerated, and keeps its other values", options(), async ({ page, server, watched }) => {
  expectQuestion(watched);
  const old = await generate(page, "deploy");
  await page.getByRole("link", { name: "Edit deploy" }).click();
  await page.getByRole("button", { name: "Edit the description" }).click();
  await page.getByLabel("Description", { exact: true }).fill("release");
  await page.getByRole("button", { name: "Save" }).click();
  await confirm(page);
  await page.getByRole("heading", { name: "release" }).waitFor();
  await page.getByRole("button", { name: "Change", exact: true }).click();
  await dialog(page, "Change the expiration").getByRole("button", { name: "Regenerate" }).click();
  await dialog(page, "Regenerate this token?").getByRole("button", { name: "Regenerate" }).click();
  await confirm(page);
  const token = await page.locator(".secret").innerText();
  assert.notEqual(token, old);
  assert.deepEqual([await call(server, "getenvinfo", token), await call(server, "getenvinfo", old)], [0, 701]);
  await page.getByRole("heading", { name: "release" }).waitFor();
  assert.equal(await page.getByRole("table").getByRole("row").count(), 7, "its six methods, below their heads");
});

walk(JELASTIC, "a copy starts with the parameters of the original", options(), async ({ page, watched }) => {
  expectQuestion(watched);
  await generate(page, "deploy", "Marketplace");
  await page.getByRole("link", { name: "Copy deploy" }).click();
  await page.getByText("Grants 2 of 6 operations:").waitFor();
  assert.equal(await page.getByLabel("Description", { exact: true }).inputValue(), "deploy (copy)");
  assert.ok(await page.getByRole("radio", { name: "Marketplace" }).isChecked());
  await page.getByRole("button", { name: "Generate", exact: true }).click();
  await confirm(page);
  await page.locator(".secret").waitFor();
});

walk(JELASTIC, "tokens are selected with Shift and Ctrl and removed after the password", options(), async ({ page, server, watched }) => {
  expectQuestion(watched);
  const tokens = [];
  for (const description of ["d", "c", "b", "a"]) tokens.push(await generate(page, description));
  await names(page, 4, "a");
  await rows(page).nth(0).locator(".badge").click({ modifiers: ["Control"] });
  await rows(page).nth(2).locator(".badge").click({ modifiers: ["Shift"] });
  await rows(page).nth(1).locator(".badge").click({ modifiers: ["Control"] });
  await page.getByRole("button", { name: "Remove selected (2)" }).click();
  await dialog(page).getByRole("button", { name: "Remove 2 tokens" }).click();
  await confirm(page);
  assert.deepEqual(await names(page, 2), ["b", "d"]);
  assert.deepEqual(await Promise.all(tokens.map((token) => call(server, "getenvinfo", token))), [0, 701, 0, 701]);
});

walk(JELASTIC, "refresh shows changes of another window, with dates in the platform's format", options(), async ({ page, context, watched, open }) => {
  expectQuestion(watched);
  await open();
  await page.getByRole("heading", { name: "No tokens yet" }).waitFor();
  const other = await context.newPage();
  await other.goto(JELASTIC.path);
  await generate(other, "elsewhere");
  await other.close();
  await page.getByRole("button", { name: "Refresh" }).click();
  assert.deepEqual(await names(page, 1), ["elsewhere"]);
  assert.match(await page.locator("tbody .created time").innerText(), /^\d\d-\d\d-\d{4}$/);
});

walk(JELASTIC, "a URL with the token stops the environment in a browser", options(), async ({ page, server, watched }) => {
  expectQuestion(watched);
  const token = await generate(page, "stop");
  await page.goto(`${server.url}/1.0/environment/control/rest/stopenv?envName=my-project&session=${token}`);
  assert.equal(JSON.parse(await page.locator("body").innerText()).result, 0);
  const answer = await fetch(`${server.url}/1.0/environment/control/rest/getenvinfo?envName=my-project&session=${token}`);
  assert.equal((await answer.json()).env.status, 2, "the platform's number for an environment that is stopped");
});
