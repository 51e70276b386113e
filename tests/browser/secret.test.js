// The secret: shown once, and nowhere else, ever.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { scene } from "./harness/index.js";

const TOKEN = /hp_[0-9A-Za-z]{71}/;

async function create(page, open) {
  await open("#/new");
  await page.getByLabel("Name", { exact: true }).fill("canary");
  await page.getByRole("button", { name: "Create token" }).click();
  return page.locator(".secret").innerText();
}

/** Everything that a page, and what it leaves behind, may hold. */
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
  "going on": (page) => page.getByRole("link", { name: "All tokens" }).click(),
  "going back": (page) => page.goBack(),
  reloading: (page) => page.reload(),
  "having saved it": (page) => page.getByRole("button", { name: "I have saved it" }).click(),
  "leaving the page": (page) => page.getByRole("link", { name: "Back" }).click(),
};

for (const [how, leave] of Object.entries(LEAVING)) {
  scene(`the secret is gone after ${how}`, {}, async ({ page, open, watched, server }) => {
    const requests = [];
    page.on("request", (request) => requests.push(`${request.url()} ${JSON.stringify(request.headers())} ${request.postData() ?? ""}`));
    await open();
    const secret = await create(page, open);
    assert.match(secret, TOKEN);
    const address = page.url();
    await leave(page);
    await page.locator(".secret").waitFor({ state: "detached" });
    assert.doesNotMatch(await left(page), TOKEN);
    // And to wherever it was shown.
    if (page.url() === address) await page.goto("/");
    else await page.goBack();
    await page.goto(address);
    await page.getByRole("heading", { name: "canary" }).waitFor();
    assert.equal(await page.locator(".secret").count(), 0);
    assert.doesNotMatch(await left(page), TOKEN);
    assert.doesNotMatch(requests.join("\n"), TOKEN);
    assert.ok(requests.length > 10 && requests.every((line) => line.startsWith(server.url)));
    assert.deepEqual(watched.faults, []);
  });
}

scene("the canary test finds a secret where there is one", {}, async ({ page, open }) => {
  const secret = await create(page, open);
  assert.ok((await left(page)).includes(secret), "in the document, while it is shown");
  await page.getByRole("button", { name: "I have saved it" }).click();
  await page.evaluate((text) => sessionStorage.setItem("x", text), secret);
  assert.match(await left(page), TOKEN);
});

scene("the secret is in no field that a browser would remember, and is warned about", {}, async ({ page, open }) => {
  const secret = await create(page, open);
  await page.getByText("you will not see it again").waitFor();
  const fields = await page.locator("input, textarea").evaluateAll((all) => all.map((field) => field.value));
  assert.ok(!fields.includes(secret));
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "Your new token", "the focus is where it is");
  assert.ok(!page.url().includes(secret));
});

scene("the secret is copied", { permissions: ["clipboard-read", "clipboard-write"] }, async ({ page, open }) => {
  const secret = await create(page, open);
  await page.getByRole("button", { name: "Copy", exact: true }).click();
  await page.getByText("Copied.").waitFor();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), secret);
});

scene("without a clipboard the secret is selected", {}, async ({ page, open }) => {
  await page.addInitScript(() => Object.defineProperty(navigator, "clipboard", { value: undefined }));
  const secret = await create(page, open);
  await page.getByRole("button", { name: "Copy", exact: true }).click();
  await page.getByText("press Ctrl+C").waitFor();
  assert.equal(await page.evaluate(() => getSelection().toString()), secret);
});

scene("the secret is downloaded, under a name that nobody chose", {}, async ({ page, open }) => {
  const secret = await create(page, open);
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Download" }).click()]);
  assert.equal(download.suggestedFilename(), "token.txt");
  assert.equal(await readFile(await download.path(), "utf8"), `${secret}\n`);
  assert.doesNotMatch(download.url(), TOKEN);
});
