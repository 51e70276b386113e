// Tests the most common tasks in Firefox, from the list to a new secret and back.

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { after, before, test } from "node:test";
import { firefox } from "playwright-core-bidi";
import { PATIENCE, enter, use } from "./harness/browser.js";
import { serveHost } from "./harness/host.js";
import { startServer } from "./harness/server.js";

// Debian's Firefox supports WebDriver BiDi. Later versions of Playwright use commands that this
// Firefox does not support yet.
const PROGRAMS = [process.env.FIREFOX, "/usr/bin/firefox-esr", "/usr/bin/firefox"];
const FIREFOX = { channel: "moz-firefox", executablePath: PROGRAMS.find((program) => program && existsSync(program)) };

let browser;

before(async () => {
  browser = await firefox.launch({ ...FIREFOX, timeout: PATIENCE });
});
after(() => browser?.close());

test("Firefox creates, uses, changes, regenerates, revokes and deletes a token", async () => {
  const server = await startServer();
  try {
    const { page, api, open, watched, context } = await enter(browser, server, "alice", { timezoneId: "Europe/Berlin" });
    const dialog = page.getByRole("dialog");
    await open();
    await page.getByRole("link", { name: "first token", exact: true }).waitFor();
    await page.getByRole("link", { name: "New token" }).click();
    await page.getByLabel("Name", { exact: true }).fill("spring");
    await page.getByRole("radio", { name: "On a date" }).check();
    await page.getByLabel("Last day").fill("2099-03-31");
    await page.getByRole("checkbox", { name: /Read projects/ }).check();
    await page.getByRole("radio", { name: "Only for selected ones" }).check();
    await page.getByLabel("id for Read projects").fill("atlas");
    await page.getByLabel("id for Read projects").press("Enter");
    await page.getByRole("button", { name: "Create token" }).click();
    const secret = await page.locator(".secret").innerText();
    const [, token] = await api.tokens();
    assert.deepEqual([token.expires_at, token.scopes], ["2099-03-31T22:00:00Z", ["projects:read:atlas"]]);
    assert.equal(await use(server, secret), 200);
    await page.getByRole("link", { name: "All tokens" }).click();
    await page.getByRole("button", { name: "Leave" }).click();
    await page.getByRole("link", { name: "spring", exact: true }).click();
    await page.getByRole("button", { name: "Edit the name" }).click();
    await page.getByLabel("Name", { exact: true }).fill("summer");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByRole("heading", { name: "summer" }).waitFor();
    await page.getByRole("button", { name: "Regenerate" }).click();
    await dialog.getByRole("button", { name: "Regenerate" }).click();
    const renewed = await page.locator(".secret").innerText();
    assert.deepEqual([await use(server, renewed), await use(server, secret)], [200, 401]);
    await page.getByRole("button", { name: "I have saved it" }).click();
    await page.getByRole("button", { name: "Revoke", exact: true }).click();
    await dialog.getByRole("button", { name: "Revoke" }).click();
    await page.locator(".badge.revoked").waitFor();
    assert.equal(await use(server, renewed), 401);
    await page.getByRole("link", { name: "Activity" }).first().click();
    await page.locator(".entry-head", { hasText: "Revoked" }).waitFor();
    await open(`#/tokens/${token.id}`);
    await page.getByRole("button", { name: "Delete", exact: true }).click();
    await dialog.getByRole("button", { name: "Delete", exact: true }).click();
    await page.getByRole("heading", { name: "Personal access tokens" }).waitFor();
    assert.equal((await api.tokens()).length, 1);
    assert.deepEqual(watched.faults, []);
    await context.close();
  } finally {
    await server.stop();
  }
});

test("Firefox creates a token in an embedded page", async () => {
  const server = await startServer();
  try {
    const { page, api, watched, context } = await enter(browser, server, "alice");
    await serveHost(context);
    await page.goto("/host#here");
    await page.getByRole("link", { name: "first token", exact: true }).waitFor();
    await page.getByRole("link", { name: "New token" }).click();
    await page.getByLabel("Name", { exact: true }).fill("embedded");
    await page.getByRole("button", { name: "Create token" }).click();
    const secret = await page.locator(".secret").innerText();
    assert.equal(await use(server, secret), 200);
    await page.getByRole("button", { name: "I have saved it" }).click();
    await page.getByRole("link", { name: "All tokens" }).click();
    await page.getByRole("link", { name: "embedded", exact: true }).waitFor();
    assert.equal((await api.tokens()).length, 2);
    assert.deepEqual([new URL(page.url()).hash, await page.title()], ["#here", "The host"]);
    assert.deepEqual(watched.faults, []);
    await context.close();
  } finally {
    await server.stop();
  }
});
