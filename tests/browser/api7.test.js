// Tests the tasks of API7 Cloud's guide on the page of its example. docs/systems/api7.md refers to
// these tests.

import assert from "node:assert/strict";
import { exec } from "node:child_process";
import { promisify } from "node:util";
import { walk } from "./harness/index.js";
import { names } from "./harness/list.js";

const API7 = { name: "api7", path: "/account/personal-access-token", labels: { person: "User name" } };
const dialog = (page) => page.getByRole("dialog");
const account = async (server, token) => (await fetch(`${server.url}/api/v1/user/me`, { headers: { Authorization: `Bearer ${token}` } })).status;

/** Generates a token and returns it. Without a note it keeps the default name. */
async function generate(page, note) {
  await page.getByRole("link", { name: "Generate a new token" }).click();
  if (note) await page.getByLabel("Token note (optional)").fill(note);
  await page.getByRole("radio", { name: "Everything" }).check();
  await page.getByRole("button", { name: "Generate", exact: true }).click();
  const token = await page.locator(".secret").innerText();
  await page.getByRole("button", { name: "I have saved it" }).click();
  await page.getByRole("link", { name: "All tokens" }).click();
  return token;
}

walk(API7, "the sign-in returns to the requested view", { view: "#/new" }, async ({ page }) => {
  await page.getByRole("heading", { name: "Generate a new token" }).waitFor();
});

walk(API7, "a token needs neither a name nor a note and is shown once", { timezoneId: "UTC" }, async ({ page, server }) => {
  const token = await generate(page);
  assert.match((await names(page, 1))[0], /^token of \d{4}-\d\d-\d\d$/);
  assert.doesNotMatch(await page.content(), new RegExp(token));
  assert.equal(await account(server, token), 200);
});

walk(API7, "the form accepts a note and an expiry and shows the limit of 50", {}, async ({ page }) => {
  await page.getByText("You have 0 of 50 tokens.").waitFor();
  await page.getByRole("link", { name: "Generate a new token" }).click();
  await page.getByText("You have 0 of 50 tokens.").waitFor();
  await page.getByText("Expiry time").waitFor();
  await page.getByLabel("Name (optional)").fill("gateway");
  await page.getByLabel("Token note (optional)").fill("data plane of the office");
  await page.getByRole("radio", { name: "7 days" }).check();
  await page.getByRole("button", { name: "Generate", exact: true }).click();
  await page.locator(".secret").waitFor();
  await page.getByText("data plane of the office").waitFor();
  await page.getByText(/expires in 6 days 23 hours/).waitFor();
});

walk(API7, "the command beside the token shows the account", {}, async ({ page }) => {
  await page.getByRole("link", { name: "Generate a new token" }).click();
  await page.getByRole("radio", { name: "Everything" }).check();
  await page.getByRole("button", { name: "Generate", exact: true }).click();
  const { stdout } = await promisify(exec)(`${await page.locator(".curl").innerText()} --silent`);
  const { payload, status } = JSON.parse(stdout);
  assert.deepEqual([payload.email, status], ["alice@example.com", { code: 0, message: "OK" }]);
});

walk(API7, "one token is deleted from its row and all from the danger zone", {}, async ({ page, server }) => {
  const tokens = [];
  for (const note of ["one", "two", "three"]) tokens.push(await generate(page, note));
  const row = page.getByRole("row", { name: /two/ });
  await row.getByRole("button", { name: /^Delete/ }).click();
  await dialog(page).getByRole("button", { name: "Delete", exact: true }).click();
  await names(page, 2);
  assert.deepEqual(await Promise.all(tokens.map((token) => account(server, token))), [200, 401, 200]);
  await page.getByRole("heading", { name: "Danger zone" }).waitFor();
  await page.getByRole("button", { name: "Delete all…" }).click();
  await dialog(page).getByLabel(/Type/).fill("delete all my tokens");
  await dialog(page).getByRole("button", { name: "Delete all" }).click();
  await page.getByRole("heading", { name: "No tokens yet" }).waitFor();
  assert.deepEqual(await Promise.all(tokens.map((token) => account(server, token))), [401, 401, 401]);
});
