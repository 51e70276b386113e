// A test in a real browser: a server of its own, a person who is signed in, a page that is watched.

import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { enter, launch } from "./browser.js";
import { startExample, startServer } from "./server.js";

export { delay, enter, eventually, signIn, use } from "./browser.js";

let browser;

/** The browser, for tests that start more than one server. */
export const launched = () => browser;

before(async () => {
  browser = await launch();
});
after(() => browser.close());

/**
 * A test of another system's example, as a person who has yet to sign in there. `system` is its `name`, the `path` of its page,
 * and the `labels` of its sign-in; options are `person` and `password`, `server`, and what a browser's context takes.
 */
export function walk(system, name, options, play) {
  test(`${system.name}: ${name}`, async () => {
    const { person = "alice", password = "wonderland", server: serverOptions, ...context } = options;
    const server = await startExample(system.name, serverOptions);
    try {
      const stage = await enter(browser, server, null, { path: system.path, ...context });
      try {
        await signInThere(stage, system, person, password);
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

/** Opens the page, which leads to the sign-in of the system, and signs in. */
export async function signInThere({ page, watched, open }, { path, labels }, person, password) {
  watched.expect(401);
  await open();
  await page.getByLabel(labels.person).fill(person);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.waitForURL((url) => url.pathname === path);
  await page.locator("h1").waitFor();
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

