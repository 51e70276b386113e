// Tests the tasks of Dragonfly's guide on the page of its example. docs/systems/dragonfly.md refers
// to these tests.

import assert from "node:assert/strict";
import { enter, signInThere, walk } from "./harness/index.js";
import { names } from "./harness/list.js";

const DRAGONFLY = { name: "dragonfly", path: "/developer/personal-access-tokens", labels: { person: "Account" } };
const dialog = (page) => page.getByRole("dialog");

/** Calls the Open API with the token and returns the status. */
const clusters = async (server, token) => (await fetch(`${server.url}/oapi/v1/clusters`, { headers: { Authorization: `Bearer ${token}` } })).status;

/** Fills in the form and returns the new token. */
async function add(page, name, scope) {
  await page.getByRole("link", { name: "Add personal access tokens" }).click();
  await page.getByLabel("Name", { exact: true }).fill(name);
  await page.getByLabel("Description (optional)").fill("for the build");
  await page.getByRole("radio", { name: "90 days" }).check();
  await page.getByRole("checkbox", { name: scope }).check();
  await page.getByRole("button", { name: "Save" }).click();
  return page.locator(".secret").innerText();
}

walk(DRAGONFLY, "the sign-in returns to the requested view", { view: "#/new" }, async ({ page }) => {
  await page.getByRole("heading", { name: "Create personal access token" }).waitFor();
});

walk(DRAGONFLY, "a token with name, description, expiration and scopes calls the Open API", { permissions: ["clipboard-read", "clipboard-write"] }, async ({ page, server }) => {
  const token = await add(page, "build", /^Clusters/);
  await page.getByText("you will not see it again").waitFor();
  await page.getByRole("button", { name: "Copy", exact: true }).click();
  await page.getByText("Copied.").waitFor();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), token);
  assert.equal(await clusters(server, token), 200);
  await page.reload();
  await page.getByRole("heading", { name: "build" }).waitFor();
  assert.equal(await page.locator(".secret").count(), 0, "it is not shown again");
});

walk(DRAGONFLY, "each scope links to the documentation", {}, async ({ page }) => {
  await page.getByRole("link", { name: "Add personal access tokens" }).click();
  const docs = page.getByRole("link", { name: /^Documentation of/ });
  await docs.first().waitFor();
  assert.deepEqual(await docs.evaluateAll((links) => links.map(({ hostname }) => hostname)), ["d7y.io", "d7y.io", "d7y.io"]);
});

walk(DRAGONFLY, "a click on the name opens the token, where it can be edited", {}, async ({ page, server }) => {
  const token = await add(page, "build", /^Jobs/);
  await page.getByRole("link", { name: "All tokens" }).click();
  await page.getByRole("button", { name: "Leave" }).click();
  await page.getByRole("link", { name: "build", exact: true }).click();
  await page.getByRole("button", { name: "Edit the name" }).click();
  await page.getByLabel("Name", { exact: true }).fill("nightly");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByRole("heading", { name: "nightly" }).waitFor();
  await page.getByRole("button", { name: "Change", exact: true }).click();
  await dialog(page).getByRole("radio", { name: "1 year" }).check();
  await dialog(page).getByRole("button", { name: "Save" }).click();
  await dialog(page).waitFor({ state: "detached" });
  await page.getByText("expires in 364 days").waitFor();
  assert.equal(await clusters(server, token), 403);
  await page.getByRole("button", { name: "Add scopes" }).click();
  await dialog(page).getByRole("checkbox", { name: /^Clusters/ }).check();
  await dialog(page).getByRole("button", { name: "Add scopes" }).click();
  await page.getByRole("cell", { name: "Clusters", exact: true }).waitFor();
  assert.equal(await clusters(server, token), 200);
});

walk(DRAGONFLY, "a token is deleted from its row and rejected afterwards", {}, async ({ page, server }) => {
  const token = await add(page, "build", /^Clusters/);
  await page.getByRole("button", { name: "I have saved it" }).click();
  await page.getByRole("link", { name: "All tokens" }).click();
  await page.getByRole("button", { name: "Delete build" }).click();
  await dialog(page).getByRole("button", { name: "Delete", exact: true }).click();
  await page.getByRole("heading", { name: "No tokens yet" }).waitFor();
  assert.equal(await clusters(server, token), 401);
});

walk(DRAGONFLY, "only root sees the tokens of all users", { person: "root", password: "dragonfly" }, async ({ page, open, browser, server }) => {
  const bob = await enter(browser, server, null, { path: DRAGONFLY.path });
  await signInThere(bob, DRAGONFLY, "bob", "builder");
  await add(bob.page, "of bob", /^Jobs/);
  await bob.page.getByRole("button", { name: "I have saved it" }).click();
  const alice = await enter(browser, server, null, { path: DRAGONFLY.path });
  await signInThere(alice, DRAGONFLY, "alice", "wonderland");
  await alice.page.getByRole("heading", { name: "No tokens yet" }).waitFor();
  await open();
  await page.getByRole("heading", { name: "Tokens of all owners" }).waitFor();
  assert.deepEqual(await names(page, 1), ["of bob"]);
  for (const { context, watched } of [alice, bob]) {
    assert.deepEqual(watched.faults, []);
    await context.close();
  }
});
