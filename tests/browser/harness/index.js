// A test in a real browser: a server of its own, a person who is signed in, a page that is watched.

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
 * A test of another system's example, as a person who has yet to sign in there. `system` is its `name`, the `path` of its page,
 * and the `labels` of its sign-in. Options are `person` and `password`, the fragment of the `view` that they want, and what a
 * browser's context takes. What `play` gets can `restart` the example with other options, on what it has kept.
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

/** Opens a view of the page, which leads to the sign-in of the system, and signs in. */
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
 * A test. Options: `person` who is signed in (`null`: nobody), `server` options, and what a browser's context takes (`colorScheme`,
 * `viewport`, `timezoneId`, ...).
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

