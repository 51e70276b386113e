// Measures the time, requests and bytes until the first rows are shown, for several network delays.

import { delay, enter, launch } from "./harness/browser.js";
import { startServer } from "./harness/server.js";

const DELAYS = [0, 60, 150];
const TOKENS = 20;
const ROUNDS = Number(process.argv[2] ?? 5);

const server = await startServer();
const browser = await launch();
try {
  const { api, context } = await enter(browser, server, "alice");
  for (let number = 1; number < TOKENS; number += 1) {
    await api.make({ name: `token ${number}`, description: "what it is for", scopes: ["projects:list", "projects:read"] });
  }
  await context.close();
  await visit(0);
  console.log(`the list of ${TOKENS} tokens in ${browser.browserType().name()} ${browser.version()}; medians of ${ROUNDS}`);
  console.log("delay     visit   requests     bytes   rows after");
  for (const milliseconds of DELAYS) {
    const rounds = [];
    for (let round = 0; round < ROUNDS; round += 1) rounds.push(await visit(milliseconds));
    for (const name of ["first", "again"]) {
      const median = (key) => rounds.map((round) => round[name][key]).sort((a, b) => a - b)[Math.floor(ROUNDS / 2)];
      const cells = [`${milliseconds} ms`.padEnd(9), name.padEnd(5), String(median("requests")).padStart(10), median("bytes").toLocaleString("en").padStart(9), `${Math.round(median("time"))} ms`.padStart(12)];
      console.log(cells.join(" "));
    }
  }
} finally {
  await browser.close();
  await server.stop();
}

/**
 * Visits the page twice with a new browser profile: with an empty cache, then with the cached
 * files.
 */
async function visit(milliseconds) {
  const stage = await enter(browser, server, "alice");
  await delay(stage.page, milliseconds);
  await stage.page.addInitScript(() => {
    const seen = new MutationObserver(() => {
      if (globalThis.rowsAfter === undefined && document.querySelector("table.tokens .name")) globalThis.rowsAfter = performance.now();
    });
    seen.observe(document, { childList: true, subtree: true });
  });
  const first = await look(stage);
  const again = await look(stage);
  await stage.context.close();
  return { first, again };
}

async function look({ page, open }) {
  const finished = [];
  const note = (request) => finished.push(request);
  page.on("requestfinished", note);
  await page.goto("about:blank");
  await open();
  await page.locator("table.tokens .name").nth(TOKENS - 1).waitFor();
  const time = await page.evaluate(() => globalThis.rowsAfter);
  await page.waitForLoadState("networkidle");
  page.off("requestfinished", note);
  // A file from the cache does not count as a request.
  const kept = await page.evaluate(() => performance.getEntriesByType("resource").filter(({ transferSize }) => transferSize === 0).map(({ name }) => name));
  const requests = finished.filter((request) => request.url().startsWith("http") && !kept.includes(request.url()));
  let bytes = 0;
  for (const request of requests) {
    const { responseBodySize, responseHeadersSize } = await request.sizes();
    bytes += responseBodySize + responseHeadersSize;
  }
  return { requests: requests.length, bytes, time };
}
