// A test in a real browser: a server of its own, a person who is signed in, a page that is watched.

import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { enter, launch } from "./browser.js";
import { startServer } from "./server.js";

export { delay, enter, eventually, signIn, use } from "./browser.js";

let browser;

before(async () => {
  browser = await launch();
});
after(() => browser.close());

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

