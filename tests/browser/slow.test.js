// Tests a slow network and an impatient person: each response takes 150 ms, and each button is
// clicked twice.

import assert from "node:assert/strict";
import { delay, eventually, scene, use } from "./harness/index.js";
import { names } from "./harness/list.js";

const DELAY = 150;
const dialog = (page) => page.getByRole("dialog");

/** Records the changes that the page requests: method and path, without ids. */
function changesOf(page, server) {
  const changes = [];
  page.on("request", (request) => {
    const path = request.url().slice(server.url.length).replace(/[0-9a-f]{8}-[0-9a-f-]{27}/, "ID");
    if (request.method() !== "GET") changes.push(`${request.method()} ${path}`);
  });
  return changes;
}

/** Clicks twice and submits the form once more, as Enter does. */
async function insist(button) {
  await button.evaluate((element) => {
    const { form } = element;
    element.click();
    element.click();
    form?.requestSubmit();
  });
}

scene("repeated clicks make each change only once when responses take 150 ms", {}, async ({ page, open, api, server }) => {
  const changes = changesOf(page, server);
  await delay(page, DELAY);
  await open("#/new");
  await page.getByLabel("Name", { exact: true }).fill("once");
  await insist(page.getByRole("button", { name: "Create token" }));
  const secret = await page.locator(".secret").innerText();
  await page.getByRole("button", { name: "I have saved it" }).click();

  await page.getByRole("button", { name: "Edit the name" }).click();
  await page.getByLabel("Name", { exact: true }).fill("renamed");
  await insist(page.getByRole("button", { name: "Save" }));
  await page.getByRole("heading", { name: "renamed" }).waitFor();

  await page.getByRole("button", { name: "Change", exact: true }).click();
  await dialog(page).getByRole("radio", { name: "60 days" }).check();
  await insist(dialog(page).getByRole("button", { name: "Save" }));
  await dialog(page).waitFor({ state: "detached" });

  await page.getByRole("button", { name: "Add scopes" }).click();
  await dialog(page).getByRole("checkbox", { name: /List projects/ }).check();
  await insist(dialog(page).getByRole("button", { name: "Add scopes" }));
  await page.getByRole("button", { name: "Remove projects:list" }).click();
  await insist(dialog(page).getByRole("button", { name: "Remove" }));
  await page.getByText("No scopes. This token cannot do anything.").waitFor();

  await page.getByRole("button", { name: "Regenerate" }).click();
  await insist(dialog(page).getByRole("button", { name: "Regenerate" }));
  const renewed = await page.locator(".secret").innerText();
  await page.getByRole("button", { name: "I have saved it" }).click();
  assert.deepEqual([await use(server, secret), await use(server, renewed)], [401, 200]);

  await page.getByRole("button", { name: "Revoke", exact: true }).click();
  await insist(dialog(page).getByRole("button", { name: "Revoke" }));
  await page.locator(".badge.revoked").waitFor();

  await page.getByRole("button", { name: "Delete", exact: true }).click();
  await insist(dialog(page).getByRole("button", { name: "Delete", exact: true }));
  await page.getByRole("heading", { name: "Personal access tokens" }).waitFor();
  assert.deepEqual(await names(page, 1), ["first token"]);
  assert.equal((await api.tokens()).length, 1);
  assert.deepEqual(changes, [
    "POST /tokens",
    "PATCH /tokens/ID",
    "PATCH /tokens/ID",
    "POST /tokens/ID/scopes",
    "POST /tokens/ID/scopes/remove",
    "POST /tokens/ID/regenerate",
    "POST /tokens/revoke",
    "POST /tokens/delete",
  ]);
});

scene("a late response does not replace a newer one", {}, async ({ page, open, api, context }) => {
  for (const name of ["alpha", "beta"]) await api.make({ name });
  await open();
  await names(page, 3);
  // The response to the first search arrives after the response to the second.
  let release;
  const held = new Promise((resolve) => (release = resolve));
  const isFirst = (url) => url.searchParams.get("q") === "al";
  await context.route(isFirst, async (route) => {
    await held;
    await route.continue().catch(() => {});
  });
  const search = page.getByRole("searchbox", { name: "Search name or description" });
  await Promise.all([page.waitForRequest((request) => isFirst(new URL(request.url()))), search.fill("al")]);
  await search.fill("be");
  assert.deepEqual(await names(page, 1, "beta"), ["beta"]);
  release();
  await page.getByRole("button", { name: "Refresh" }).click();
  await page.getByText("The list is up to date.").waitFor();
  assert.deepEqual(await names(page, 1), ["beta"]);
});

scene("a slow response does not change the view after navigation", {}, async ({ page, open, api }) => {
  const token = await api.make({ name: "left alone" });
  await delay(page, DELAY);
  await open(`#/tokens/${token.id}`);
  await page.getByRole("heading", { name: "left alone" }).waitFor();
  await page.getByRole("button", { name: "Revoke", exact: true }).click();
  const answered = page.waitForResponse(/revoke$/);
  await Promise.all([page.waitForRequest(/revoke$/), dialog(page).getByRole("button", { name: "Revoke" }).click()]);
  await open("#/activity");
  await answered;
  await page.getByRole("heading", { name: "Activity", exact: true }).waitFor();
  await eventually(async () => assert.equal((await api.show(token.id)).status, "revoked"));
  assert.equal(await dialog(page).count(), 0);
  assert.equal(await page.getByRole("heading", { name: "left alone" }).count(), 0);
});
