// Tests the tasks of Magistrala's guide on the page of its example. docs/systems/magistrala.md
// refers to these tests.

import assert from "node:assert/strict";
import { walk } from "./harness/index.js";
import { names } from "./harness/list.js";

const MAGISTRALA = { name: "magistrala", path: "/personal-access-tokens", labels: { person: "User name" } };
const HOME = "3f0a6c52-8d1b-4b7e-9a44-d0c1f2e3a4b5";
const dialog = (page) => page.getByRole("dialog");

/** Requests a channel of the domain with that PAT. */
const read = async (server, token, channel) => (await fetch(`${server.url}/${HOME}/channels/${channel}`, { headers: { Authorization: `Bearer ${token}` } })).status;

/**
 * Finds one of the 110 operations and grants it for one entity of the domain, or for all without
 * `entity`.
 */
async function grant(place, title, entity) {
  await place.getByRole("searchbox", { name: "Search scopes" }).fill(title);
  await place.getByRole("checkbox", { name: new RegExp(`^${title}`) }).check();
  await place.getByLabel(`domain for ${title}`).fill(HOME);
  if (entity) await place.getByLabel(`entity for ${title}`).fill(entity);
  await place.getByLabel(`entity for ${title}`).press("Enter");
}

/** Creates a PAT that can read one channel and returns it. */
async function create(page, name) {
  await page.getByRole("link", { name: "Create PAT" }).click();
  await page.getByLabel("Name", { exact: true }).fill(name);
  await page.getByLabel("Description (optional)").fill("reads the garden");
  await page.getByRole("radio", { name: "7 days" }).check();
  await grant(page, "Read channels", "garden");
  await page.getByRole("button", { name: "Create", exact: true }).click();
  return page.locator(".secret").innerText();
}

walk(MAGISTRALA, "the sign-in returns to the requested view", { view: "#/new" }, async ({ page }) => {
  await page.getByRole("heading", { name: "Create PAT" }).waitFor();
});

walk(MAGISTRALA, "a PAT is created with a duration and scopes for one entity", {}, async ({ page, server }) => {
  const token = await create(page, "garden");
  await page.getByRole("heading", { name: "garden", exact: true }).waitFor();
  await page.getByText(/expires in 6 days 23 hours/).waitFor();
  await page.getByRole("cell", { name: `Read channels: only ${HOME}:garden` }).waitFor();
  assert.deepEqual([await read(server, token, "garden"), await read(server, token, "kitchen")], [200, 403]);
  await page.reload();
  await page.getByRole("heading", { name: "garden", exact: true }).waitFor();
  assert.equal(await page.locator(".secret").count(), 0, "the secret is shown once");
});

walk(MAGISTRALA, "each operation is offered for each entity", {}, async ({ page }) => {
  await page.getByRole("link", { name: "Create PAT" }).click();
  const search = page.getByRole("searchbox", { name: "Search scopes" });
  for (const operation of ["Create", "Read", "List", "Update", "Delete", "Share", "Unshare", "Publish", "Subscribe"]) {
    await search.fill(`${operation} channels`);
    await page.getByRole("checkbox", { name: new RegExp(`^${operation} channels`) }).waitFor();
  }
});

walk(MAGISTRALA, "no operation is offered for all entities, because it cannot be granted", {}, async ({ page, server }) => {
  await page.getByRole("link", { name: "Create PAT" }).click();
  await page.getByLabel("Name", { exact: true }).fill("wide");
  await page.getByRole("searchbox", { name: "Search scopes" }).fill("Read channels");
  await page.getByRole("checkbox", { name: /^Read channels/ }).check();
  await page.getByRole("group", { name: "Read channels" }).getByText("Only for selected ones").waitFor();
  assert.equal(await page.getByText("For all").count(), 0);
  const sent = [];
  page.on("request", (request) => request.method() === "POST" && sent.push(request.url()));
  await page.getByRole("button", { name: "Create", exact: true }).click();
  await page.getByText("Add at least one.").waitFor();
  assert.deepEqual(sent, []);
  const said = await page.context().request.post(`${server.url}${MAGISTRALA.path}/api`, { data: { name: "wide", scopes: ["channels:read"] } });
  assert.equal(said.status(), 403, "the server rejects what the page does not offer");
});

walk(MAGISTRALA, "a PAT is opened by a click on its row or on View", {}, async ({ page }) => {
  await create(page, "garden");
  await page.getByRole("button", { name: "I have saved it" }).click();
  for (const click of [page.locator("tbody .badge.active"), page.getByRole("link", { name: "View garden" })]) {
    await page.getByRole("link", { name: "All tokens" }).click();
    await click.click();
    await page.getByRole("heading", { name: "garden", exact: true }).waitFor();
  }
});

walk(MAGISTRALA, "a scope for a whole domain is added, one is removed, then all are", {}, async ({ page, server }) => {
  const token = await create(page, "garden");
  await page.getByRole("button", { name: "I have saved it" }).click();
  await page.getByRole("button", { name: "Add Scope" }).click();
  await grant(dialog(page), "View channels");
  await dialog(page).getByRole("button", { name: "Add Scope" }).click();
  await page.getByRole("cell", { name: `View channels: only ${HOME}`, exact: true }).waitFor();
  assert.deepEqual([await read(server, token, "garden"), await read(server, token, "kitchen")], [200, 200]);
  await page.getByRole("button", { name: `Remove channels:view:${HOME}` }).click();
  await dialog(page).getByRole("button", { name: "Remove" }).click();
  await dialog(page).waitFor({ state: "detached" });
  assert.deepEqual([await read(server, token, "garden"), await read(server, token, "kitchen")], [200, 403]);
  await page.getByRole("button", { name: "Delete All" }).click();
  await dialog(page).getByRole("button", { name: "Delete All" }).click();
  await page.getByText("No scopes. This token cannot do anything.").waitFor();
  assert.equal(await read(server, token, "garden"), 403);
});

walk(MAGISTRALA, "a revoked PAT is regenerated with a new duration and a new secret", {}, async ({ page, server }) => {
  const old = await create(page, "garden");
  await page.getByRole("button", { name: "Revoke", exact: true }).click();
  await dialog(page).getByRole("button", { name: "Revoke" }).click();
  await page.locator(".badge.revoked").waitFor();
  assert.equal(await read(server, old, "garden"), 401);
  await page.getByRole("button", { name: "Regenerate" }).click();
  await dialog(page).getByRole("radio", { name: "60 days" }).check();
  await dialog(page).getByRole("button", { name: "Regenerate" }).click();
  const token = await page.locator(".secret").innerText();
  await page.getByText(/expires in 59 days/).waitFor();
  await page.getByText("reads the garden").waitFor();
  assert.deepEqual([await read(server, token, "garden"), await read(server, old, "garden")], [200, 401]);
});

walk(MAGISTRALA, "an expired PAT is found by status and regenerated with a new duration", {}, async ({ page, restart }) => {
  await create(page, "garden");
  await page.getByRole("button", { name: "I have saved it" }).click();
  await restart(["--later", "10d"], async ({ page, server }) => {
    await page.getByRole("heading", { name: "No active tokens" }).waitFor();
    await page.getByRole("radio", { name: "Expired" }).check();
    await page.getByRole("link", { name: "garden", exact: true }).click();
    await page.locator(".badge.expired").waitFor();
    await page.getByRole("button", { name: "Regenerate" }).click();
    await dialog(page).getByRole("radio", { name: "60 days" }).check();
    await dialog(page).getByRole("button", { name: "Regenerate" }).click();
    const token = await page.locator(".secret").innerText();
    await page.locator(".badge.active").waitFor();
    assert.equal(await read(server, token, "garden"), 200);
  });
});

walk(MAGISTRALA, "one PAT is deleted from its row and all of them together", {}, async ({ page }) => {
  for (const name of ["one", "two", "three"]) {
    await create(page, name);
    await page.getByRole("button", { name: "I have saved it" }).click();
    await page.getByRole("link", { name: "All tokens" }).click();
  }
  await page.getByRole("button", { name: "Delete two" }).click();
  await dialog(page).getByRole("button", { name: "Delete", exact: true }).click();
  assert.deepEqual(await names(page, 2), ["three", "one"]);
  await page.getByRole("button", { name: "Delete all…" }).click();
  await dialog(page).getByLabel(/Type/).fill("delete all my tokens");
  await dialog(page).getByRole("button", { name: "Delete all" }).click();
  await page.getByRole("heading", { name: "No tokens yet" }).waitFor();
});
