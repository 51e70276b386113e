// Tests that the secret is shown once and is not stored anywhere.

import assert from "node:assert/strict";
import { exec } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { scene } from "./harness/index.js";

const TOKEN = /hp_[0-9A-Za-z]{71}/;

async function create(page, open) {
  await open("#/new");
  await page.getByLabel("Name", { exact: true }).fill("canary");
  await page.getByRole("button", { name: "Create token" }).click();
  return page.locator(".secret").innerText();
}

/** Returns everything that the page contains or stores. */
const left = (page) =>
  page.evaluate(async () => {
    const databases = await indexedDB.databases();
    return JSON.stringify({
      html: document.documentElement.outerHTML,
      fields: [...document.querySelectorAll("input, textarea, select")].map((field) => field.value),
      local: { ...localStorage },
      session: { ...sessionStorage },
      cookies: document.cookie,
      databases,
      caches: await caches.keys(),
      state: history.state,
      address: location.href,
      title: document.title,
      entries: performance.getEntries().map(({ name }) => name),
    });
  });

const LEAVING = {
  "following a link": async (page) => {
    await page.getByRole("link", { name: "All tokens" }).click();
    await page.getByRole("button", { name: "Leave" }).click();
  },
  "going back": async (page) => {
    await page.goBack();
    await page.getByRole("button", { name: "Leave" }).click();
  },
  reloading: (page) => page.reload(),
  "confirming that it is saved": (page) => page.getByRole("button", { name: "I have saved it" }).click(),
  "leaving the page": async (page) => {
    await page.getByRole("link", { name: "Back" }).click();
    await page.waitForURL((url) => url.pathname === "/");
  },
};

for (const [how, leave] of Object.entries(LEAVING)) {
  scene(`the secret is removed after ${how}`, {}, async ({ page, open, watched, server }) => {
    const requests = [];
    page.on("request", (request) => requests.push(`${request.url()} ${JSON.stringify(request.headers())} ${request.postData() ?? ""}`));
    await open();
    const secret = await create(page, open);
    assert.match(secret, TOKEN);
    const address = page.url();
    await leave(page);
    await page.locator(".secret").waitFor({ state: "detached" });
    assert.doesNotMatch(await left(page), TOKEN);
    // Go back to the view that showed the secret.
    if (page.url() === address) await page.goto("/");
    else await page.goBack();
    await page.goto(address);
    await page.getByRole("heading", { name: "canary" }).waitFor();
    assert.equal(await page.locator(".secret").count(), 0);
    assert.doesNotMatch(await left(page), TOKEN);
    assert.doesNotMatch(requests.join("\n"), TOKEN);
    assert.ok(requests.length > 5 && requests.every((line) => line.startsWith(server.url)));
    assert.deepEqual(watched.faults, []);
  });
}

scene("the canary check detects a secret on the page", {}, async ({ page, open }) => {
  const secret = await create(page, open);
  assert.ok((await left(page)).includes(secret), "in the document, while it is shown");
  await page.getByRole("button", { name: "I have saved it" }).click();
  await page.evaluate((text) => sessionStorage.setItem("x", text), secret);
  assert.match(await left(page), TOKEN);
});

scene("the secret is not in a form field and comes with a warning", {}, async ({ page, open }) => {
  const secret = await create(page, open);
  await page.getByText("you will not see it again").waitFor();
  const fields = await page.locator("input, textarea").evaluateAll((all) => all.map((field) => field.value));
  assert.ok(!fields.includes(secret));
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "Your new token", "the focus is where it is");
  assert.ok(!page.url().includes(secret));
});

scene("the secret can be copied", { permissions: ["clipboard-read", "clipboard-write"] }, async ({ page, open }) => {
  const secret = await create(page, open);
  await page.getByRole("button", { name: "Copy", exact: true }).click();
  await page.getByText("Copied.").waitFor();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), secret);
});

scene("the secret is selected if the clipboard is unavailable", {}, async ({ page, open }) => {
  await page.addInitScript(() => Object.defineProperty(navigator, "clipboard", { value: undefined }));
  const secret = await create(page, open);
  await page.getByRole("button", { name: "Copy", exact: true }).click();
  await page.getByText("press Ctrl+C").waitFor();
  assert.equal(await page.evaluate(() => getSelection().toString()), secret);
});

for (const [name, file] of [["Nightly Build #7", "nightly-build-7-token.txt"], ["../../con", "con-token.txt"], ["\u6771\u4eac", "token.txt"]]) {
  scene(`the secret of “${name}” is downloaded as ${file}`, {}, async ({ page, open }) => {
    await open("#/new");
    await page.getByLabel("Name", { exact: true }).fill(name);
    await page.getByRole("button", { name: "Create token" }).click();
    const secret = await page.locator(".secret").innerText();
    const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Download" }).click()]);
    assert.equal(download.suggestedFilename(), file);
    assert.equal(await readFile(await download.path(), "utf8"), `${secret}\n`);
    assert.doesNotMatch(download.url(), TOKEN);
  });
}

scene("the example command works when it is pasted", { permissions: ["clipboard-read", "clipboard-write"] }, async ({ page, open, server }) => {
  await create(page, open);
  await page.getByRole("button", { name: "Copy the command" }).click();
  await page.getByText("Copied.").waitFor();
  const command = await page.evaluate(() => navigator.clipboard.readText());
  const { stdout } = await promisify(exec)(`${command} -s`);
  assert.equal(JSON.parse(stdout).owner, "alice");
  assert.ok(command.includes(`${server.url}/api/me`));
});

scene("leaving an unsaved secret requires confirmation", { permissions: ["clipboard-read", "clipboard-write"] }, async ({ page, open }) => {
  const secret = await create(page, open);
  const address = page.url();
  await page.getByRole("link", { name: "Activity" }).first().click();
  const question = page.getByRole("dialog", { name: "Leave without the token?" });
  await question.getByRole("button", { name: "Cancel" }).click();
  assert.equal(page.url(), address);
  assert.equal(await page.locator(".secret").innerText(), secret);
  let asked = false;
  page.once("dialog", (dialog) => {
    asked = dialog.type() === "beforeunload";
    dialog.accept();
  });
  await page.reload();
  assert.ok(asked, "the browser asks before a reload");
  await create(page, open);
  await page.getByRole("button", { name: "Copy", exact: true }).click();
  await page.getByText("Copied.").waitFor();
  await page.getByRole("link", { name: "All tokens" }).click();
  await page.getByRole("heading", { name: "Personal access tokens" }).waitFor();
});

scene("revoking a token removes its secret from the page", {}, async ({ page, open }) => {
  await create(page, open);
  await page.getByRole("button", { name: "Revoke", exact: true }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Revoke" }).click();
  await page.locator(".badge.revoked").waitFor();
  assert.equal(await page.locator(".secret, .curl").count(), 0);
  assert.equal(await page.getByText("Your new token").count(), 0);
});
