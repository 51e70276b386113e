// Tests of how the page loads: with few requests, compressed, and cached.

import assert from "node:assert/strict";
import { scene } from "./harness/index.js";

scene("the first view needs few requests and bytes and has no layout shift", {}, async ({ page, context, api, open, server }) => {
  for (let number = 0; number < 12; number += 1) await api.make({ name: `t${number}`, description: "something", scopes: ["projects:list"] });
  await page.addInitScript(() => {
    globalThis.shifts = 0;
    new PerformanceObserver((list) => {
      for (const shift of list.getEntries()) if (!shift.hadRecentInput) globalThis.shifts += shift.value;
    }).observe({ type: "layout-shift", buffered: true });
  });
  let release;
  const held = new Promise((resolve) => (release = resolve));
  await context.route("**/tokens?*", async (route) => {
    await held;
    await route.continue();
  });
  const requests = [];
  page.on("requestfinished", (request) => requests.push(request));
  await open();
  await page.locator(".waiting").first().waitFor();
  release();
  await page.locator("table.tokens .name").first().waitFor();
  await page.waitForLoadState("networkidle");
  let bytes = 0;
  for (const request of requests) {
    const { responseBodySize, responseHeadersSize } = await request.sizes();
    bytes += responseBodySize + responseHeadersSize;
  }
  const lists = requests.filter((request) => request.url().startsWith(`${server.url}/tokens?`));
  assert.equal(lists.length, 1, "the list is asked for once, although it is preloaded");
  assert.ok(requests.length < 8, `${requests.length} requests`);
  assert.ok(bytes < 60_000, `${bytes} bytes`);
  assert.equal(await page.evaluate(() => globalThis.shifts), 0);
  console.log(`first view: ${requests.length} requests, ${bytes} bytes`);
});

scene("the list is requested in parallel with the script", {}, async ({ page, context, open }) => {
  // The response with the script waits for the request for the list. If the script had to load
  // first, this test would hang.
  let asked;
  const listed = new Promise((resolve) => (asked = resolve));
  page.on("request", (request) => request.url().includes("/tokens?") && asked());
  await context.route("**/hallpass.en.js", async (route) => {
    await listed;
    await route.continue();
  });
  await open();
  await page.locator("table.tokens .name").first().waitFor();
});

scene("a list that was preloaded for another view is not reused", {}, async ({ page, api, open }) => {
  await open("#/new");
  await page.getByLabel("Name", { exact: true }).waitFor();
  await api.make({ name: "made meanwhile" });
  await page.getByRole("link", { name: "All tokens" }).click();
  await page.getByRole("link", { name: "made meanwhile", exact: true }).waitFor();
});

scene("files are compressed and cached by the browser", {}, async ({ page, open }) => {
  const encodings = new Map();
  page.on("response", (answer) => answer.url().includes("/assets/") && encodings.set(answer.url().split("/").pop(), answer.headers()));
  await open();
  await page.locator("table.tokens .name").first().waitFor();
  for (const name of ["hallpass.en.js", "hallpass.css"]) {
    assert.equal(encodings.get(name)["content-encoding"], "gzip", name);
    assert.match(encodings.get(name)["cache-control"], /immutable/);
  }
  await page.goto("/");
  await open("#/new");
  await page.getByLabel("Name", { exact: true }).waitFor();
  const files = await page.evaluate(() => performance.getEntriesByType("resource").filter(({ name }) => name.includes("/assets/")).map(({ transferSize }) => transferSize));
  assert.ok(files.length >= 2);
  assert.deepEqual(files.filter((size) => size > 0), []);
});
