// Tests the view of one token and all actions in it.

import assert from "node:assert/strict";
import { scene, use } from "./harness/index.js";

const dialog = (page) => page.getByRole("dialog");
const at = (token) => `#/tokens/${token.id}`;

scene("name and description are edited in place", {}, async ({ page, api, open }) => {
  const token = await api.make({ name: "before", description: "old" });
  await open(at(token));
  await page.getByRole("button", { name: "Edit the name" }).click();
  await page.getByLabel("Name", { exact: true }).fill("after");
  await page.getByLabel("Name", { exact: true }).press("Enter");
  await page.getByRole("heading", { name: "after" }).waitFor();
  assert.equal(await page.title(), "after");
  await page.getByRole("button", { name: "Edit the description" }).click();
  await page.getByLabel("Description").fill("");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("No description").waitFor();
  const now = await api.show(token.id);
  assert.deepEqual([now.name, now.description, now.revision], ["after", "", 3]);
  // Cancelling changes nothing.
  await page.getByRole("button", { name: "Edit the name" }).click();
  await page.getByLabel("Name", { exact: true }).fill("never");
  await page.keyboard.press("Escape");
  await page.getByRole("heading", { name: "after" }).waitFor();
  assert.equal((await api.show(token.id)).revision, 3);
});

scene("a name that the server rejects stays in its field", {}, async ({ page, api, open, watched }) => {
  watched.expect(422);
  const token = await api.make({ name: "before" });
  await open(at(token));
  await page.getByRole("button", { name: "Edit the name" }).click();
  await page.getByLabel("Name", { exact: true }).fill("   ");
  await page.getByRole("button", { name: "Save" }).click();
  await page.locator('[aria-invalid="true"]').waitFor();
  assert.equal(await page.getByLabel("Name", { exact: true }).inputValue(), "   ");
});

scene("scopes are added, removed one by one and removed all at once", {}, async ({ page, api, open }) => {
  const token = await api.make({ name: "it", scopes: ["projects:list"] });
  await open(at(token));
  await page.getByRole("cell", { name: "List projects" }).waitFor();
  await page.getByRole("button", { name: "Add scopes" }).click();
  assert.ok(await dialog(page).getByRole("checkbox", { name: /List projects/ }).isDisabled(), "it has this one");
  const submit = dialog(page).getByRole("button", { name: "Add scopes" });
  await dialog(page).getByText("Nothing yet. Select the scopes to add.").waitFor();
  await submit.click();
  await page.getByText("Choose at least one.").waitFor();
  await dialog(page).getByRole("checkbox", { name: /Create projects/ }).check();
  await dialog(page).getByRole("checkbox", { name: /Publish projects/ }).check();
  await dialog(page).getByRole("radio", { name: "Only for selected ones" }).check();
  await dialog(page).getByLabel("id for Publish projects").fill("borealis");
  await dialog(page).getByLabel("id for Publish projects").press("Enter");
  await dialog(page).getByText("Adds 2 operations:").waitFor();
  await submit.click();
  await page.getByRole("cell", { name: "Publish projects: only borealis" }).waitFor();
  assert.equal((await api.show(token.id)).scopes.length, 3);
  await page.getByRole("button", { name: "Remove projects:publish:borealis" }).click();
  await dialog(page).getByRole("button", { name: "Remove" }).click();
  await dialog(page).waitFor({ state: "detached" });
  assert.deepEqual([...(await api.show(token.id)).scopes].sort(), ["projects:create", "projects:list"]);
  await page.getByRole("button", { name: "Remove all" }).click();
  await dialog(page).getByRole("button", { name: "Remove all" }).click();
  await page.getByText("No scopes. This token cannot do anything.").waitFor();
  assert.deepEqual((await api.show(token.id)).scopes, []);
});

scene("the expiry of a token can be changed", { timezoneId: "UTC" }, async ({ page, api, open }) => {
  const token = await api.make({ name: "it", expires: "7d" });
  await open(at(token));
  await page.getByRole("button", { name: "Change" }).click();
  assert.ok(await dialog(page).getByRole("radio", { name: /Unchanged/ }).isChecked());
  await dialog(page).getByRole("radio", { name: "On a date" }).check();
  await dialog(page).getByLabel("Last day").fill("2099-12-31");
  await dialog(page).getByRole("button", { name: "Save" }).click();
  await dialog(page).waitFor({ state: "detached" });
  assert.equal((await api.show(token.id)).expires_at, "2100-01-01T00:00:00Z");
});

scene("a regenerated token shows its new secret once and rejects the old one", {}, async ({ page, api, open, server }) => {
  const token = await api.make({ name: "it", description: "kept", scopes: ["projects:list"], expires: "7d" });
  await open(at(token));
  await page.getByRole("button", { name: "Regenerate" }).click();
  await dialog(page).getByRole("radio", { name: "90 days" }).check();
  await dialog(page).getByRole("button", { name: "Regenerate" }).click();
  const secret = await page.locator(".secret").innerText();
  assert.notEqual(secret, token.token);
  assert.deepEqual([await use(server, secret), await use(server, token.token)], [200, 401]);
  const now = await api.show(token.id);
  assert.deepEqual([now.name, now.description, now.scopes], ["it", "kept", ["projects:list"]]);
  assert.ok(Date.parse(now.expires_at) > Date.parse(token.expires_at));
  await page.getByText("Regenerated").waitFor();
});

scene("the old secret can be stopped before its grace period ends", {}, async ({ page, api, open, server }) => {
  const token = await api.make({ name: "it" });
  await open(at(token));
  await page.getByRole("button", { name: "Regenerate" }).click();
  await dialog(page).getByLabel("Old secret").selectOption({ label: "Keeps working for a day" });
  await dialog(page).getByRole("button", { name: "Regenerate" }).click();
  const secret = await page.locator(".secret").innerText();
  await page.getByText(/still works for 23 hours 5\d minutes/).waitFor();
  await page.getByRole("link", { name: "All tokens" }).click();
  await dialog(page).getByRole("button", { name: "Leave" }).click();
  await page.getByRole("row", { name: /it/ }).getByText("old secret works").waitFor();
  await page.getByRole("link", { name: "it", exact: true }).click();
  await page.getByRole("button", { name: "Stop now" }).click();
  await dialog(page).getByRole("button", { name: "Stop it" }).click();
  await page.getByText("Old secret stopped.").waitFor();
  assert.equal(await page.getByRole("button", { name: "Stop now" }).count(), 0);
  assert.deepEqual([await use(server, token.token), await use(server, secret)], [401, 200]);
});

scene("with a grace period the old secret works until the new one is used", {}, async ({ page, api, open, server }) => {
  const token = await api.make({ name: "it" });
  await open(at(token));
  await page.getByRole("button", { name: "Regenerate" }).click();
  await dialog(page).getByLabel("Old secret").selectOption({ label: "Keeps working for an hour" });
  await dialog(page).getByRole("button", { name: "Regenerate" }).click();
  const secret = await page.locator(".secret").innerText();
  assert.equal(await use(server, token.token), 200);
  assert.equal(await use(server, secret), 200);
  assert.equal(await use(server, token.token), 401);
});

scene("a revoked token is rejected and can be regenerated with a new secret", {}, async ({ page, api, open, server }) => {
  const token = await api.make({ name: "it" });
  await open(at(token));
  await page.getByRole("button", { name: "Revoke" }).click();
  await dialog(page).getByRole("button", { name: "Cancel" }).click();
  assert.equal(await use(server, token.token), 200);
  await page.getByRole("button", { name: "Revoke" }).click();
  await dialog(page).getByRole("button", { name: "Revoke" }).click();
  await page.locator(".badge.revoked").waitFor();
  assert.equal(await use(server, token.token), 401);
  assert.equal(await page.getByRole("button", { name: /Revoke|Change/ }).count(), 0);
  await page.getByRole("button", { name: "Regenerate" }).click();
  assert.equal(await dialog(page).getByLabel("Old secret").count(), 0);
  await dialog(page).getByRole("button", { name: "Regenerate" }).click();
  await page.locator(".badge.active").waitFor();
  assert.deepEqual([await use(server, await page.locator(".secret").innerText()), await use(server, token.token)], [200, 401]);
});

scene("an expired token is found by status and regenerated with a new expiry", {}, async ({ page, context, api, open }) => {
  // The API does not create tokens that expire within a minute, so the test modifies its response.
  const token = await api.make({ name: "late" });
  const past = { status: "expired", expires_at: "2026-01-01T00:00:00Z" };
  await context.route(/\/tokens(\?.*|\/[0-9a-f-]{36})$/, async (route) => {
    const url = new URL(route.request().url());
    url.searchParams.delete("status");
    const answer = await route.fetch({ url: url.href });
    const said = await answer.json();
    const aged = (one) => (one.id === token.id ? { ...one, ...past } : one);
    await route.fulfill({ response: answer, json: said.items ? { ...said, items: said.items.map(aged) } : aged(said) });
  });
  await open();
  await page.getByRole("radio", { name: "Expired" }).check();
  await page.getByRole("link", { name: "late", exact: true }).click();
  await page.locator(".badge.expired").waitFor();
  await page.getByRole("button", { name: "Regenerate" }).click();
  assert.equal(await dialog(page).getByRole("radio", { name: /Unchanged/ }).count(), 0, "its end is past");
  assert.ok(await dialog(page).getByRole("radio", { name: "30 days" }).isChecked());
  const [sent] = await Promise.all([page.waitForRequest(/regenerate$/), dialog(page).getByRole("button", { name: "Regenerate" }).click()]);
  assert.deepEqual(sent.postDataJSON(), { expires: "30d" });
  await page.locator(".secret").waitFor();
});

scene("the details count down to the expiry and reload the token when it is reached", {}, async ({ page, api, open }) => {
  const token = await api.make({ name: "short", expires: "2h" });
  const end = Date.parse(token.expires_at);
  await page.clock.install();
  await open(at(token));
  await page.getByText(/expires in (1 hour 5\d|2 hours 0) minutes/).waitFor();
  // From here on the test controls the page's clock.
  await page.clock.pauseAt(end - 58.5 * 60_000);
  await page.getByText(/expires in 58 minutes \d+ seconds/).waitFor();
  // The page's clock has passed the expiry, but the server's has not. The page reloads the token
  // once and uses the response.
  const asked = [];
  page.on("request", (request) => request.url().endsWith(token.id) && asked.push(request.url()));
  await page.clock.pauseAt(end + 500);
  await page.getByText("has just expired").waitFor();
  await page.clock.runFor(3000);
  await page.getByText(/expires in (1 hour 5\d|2 hours 0) minutes/).waitFor();
  assert.equal(asked.length, 1);
});

scene("a token is deleted from its own view", {}, async ({ page, api, open, server }) => {
  const token = await api.make({ name: "it" });
  await open(at(token));
  await page.getByRole("button", { name: "Delete" }).click();
  await dialog(page).getByRole("button", { name: "Delete", exact: true }).click();
  await page.getByRole("heading", { name: "Personal access tokens" }).waitFor();
  assert.equal((await api.call("GET", `/${token.id}`)).status, 404);
  assert.equal(await use(server, token.token), 401);
});
