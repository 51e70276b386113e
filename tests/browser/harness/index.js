// Runs each test in a real browser, with a separate server and a watched page.

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { enter, launch } from "./browser.js";
import { startExample, startServer } from "./server.js";

export { delay, enter, eventually, signIn, use } from "./browser.js";

let browser;

before(async () => {
  browser = await launch();
});
after(() => browser.close());

/**
 * Tests the example of another system, with a person who still has to sign in there. `system` has
 * the `name` of the example, the `path` of its page and the `labels` of its sign-in. Options are
 * `person`, `password`, the fragment of the requested `view`, and the options of a browser context.
 * `play` gets a function `restart`, which restarts the example with other options and the same
 * files.
 */
export function walk(system, name, { person = "alice", password = "wonderland", view, ...context }, play) {
  test(`${system.name}: ${name}`, async () => {
    const folder = await mkdtemp(path.join(tmpdir(), "hallpass-browser-"));
    const visit = async (serverOptions, play) => {
      const server = await startExample(system.name, serverOptions, folder);
      try {
        const stage = await enter(browser, server, null, { path: system.path, ...context });
        try {
          await signInThere(stage, system, person, password, view);
          await play({ ...stage, restart: visit });
          assert.deepEqual(stage.watched.faults, []);
        } finally {
          await stage.context.close();
        }
      } finally {
        await server.stop();
      }
    };
    try {
      await visit([], play);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
}

/** Opens a view of the page, which redirects to the system's sign-in, and signs in. */
export async function signInThere({ page, watched, open }, { path, labels }, person, password, hash = "") {
  watched.expect(401);
  await open(hash);
  await page.getByLabel(labels.person).fill(person);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.waitForURL((url) => url.pathname === path);
  await page.locator("h1").waitFor();
  await page.getByText(`Signed in as ${person}`).waitFor();
  assert.equal(new URL(page.url()).hash, hash, "the sign-in returns to the requested view");
}

/**
 * Tests the quickstart. Options are `person` (`null` for nobody), the `server` options, and the
 * options of a browser context (`colorScheme`, `viewport`, `timezoneId` and others).
 */
export function scene(name, options, play) {
  test(name, async () => {
    const { person = "alice", server: serverOptions = [], ...context } = options;
    const server = await startServer(serverOptions);
    try {
      const stage = await enter(browser, server, person, context);
      try {
        await play(stage);
        assert.deepEqual(stage.watched.faults, []);
      } finally {
        await stage.context.close();
      }
    } finally {
      await server.stop();
    }
  });
}

