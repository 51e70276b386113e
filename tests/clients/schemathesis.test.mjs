// Runs Schemathesis against the token API of examples/quickstart on every store, with the API's own
// OpenAPI document, signed in as alice.
//
// To run it by hand: `cargo build --examples`, `cargo build -p hallpass-servers`, `node venv.js`,
// `node --test schemathesis.test.mjs`. HALLPASS_EXAMPLES names the folder of the examples if it is
// not target/debug/examples. It needs Python 3. schemathesis.toml lists the findings that it
// ignores.

import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { python, run } from "./harness/run.js";
import { databaseFor, folder, startFor } from "./harness/server.js";

const CONFIG = fileURLToPath(new URL("schemathesis.toml", import.meta.url));

/** The number of examples per operation. All phases together take about a minute. */
const EXAMPLES = 10;

const COOKIE = "quickstart";

/** The stores, each with the value of the quickstart's option `--store`. */
const STORES = {
  memory: () => "memory:",
  sqlite: () => "sqlite:tokens.db",
  postgres: (t) => databaseFor(t, "postgres"),
  redis: (t) => databaseFor(t, "redis"),
};

describe("the API conforms to its OpenAPI document", { concurrency: 2 }, () => {
  for (const [name, store] of Object.entries(STORES)) {
    test(`on ${name}`, { timeout: 300_000 }, async (t) => check(t, await store(t)));
  }
});

async function check(t, store) {
  const { url } = await startFor(t, "quickstart", ["--store", store]);
  const signIn = await fetch(`${url}/login`, { method: "POST", body: new URLSearchParams({ username: "alice", password: "wonderland" }), redirect: "manual" });
  const session = new RegExp(`^${COOKIE}=([^;]+)`).exec(signIn.headers.get("set-cookie"))[1];
  const issued = await fetch(`${url}/tokens`, {
    method: "POST",
    headers: { Cookie: `${COOKIE}=${session}`, "Content-Type": "application/json" },
    body: JSON.stringify({ name: "itself", expires: "1y" }),
  });
  assert.equal(issued.status, 201);
  const { token } = await issued.json();

  const place = await folder(t);
  const document = await (await fetch(`${url}/tokens/openapi.json`)).json();
  // The URL is relative to the URL of the document, which a file does not have.
  assert.deepEqual(document.servers, [{ url: "." }]);
  document.servers = [{ url: "/tokens" }];
  // The document is read from a file, because Schemathesis does not test the operation that it
  // reads the document from.
  await writeFile(path.join(place, "openapi.json"), JSON.stringify(document));
  const operations = Object.values(document.paths).flatMap((path) => Object.keys(path).filter((key) => ["get", "post", "put", "patch", "delete"].includes(key))).length;
  const { code, stdout, stderr } = await run(
    python("schemathesis"),
    ["--config-file", CONFIG, "run", "openapi.json", "--url", `${url}/tokens`, "--checks", "all", "--phases", "examples,coverage,fuzzing,stateful", "--mode", "all", "--max-examples", String(EXAMPLES), "--seed", "6"],
    { cwd: place, env: { ...process.env, HALLPASS_SESSION: session, HALLPASS_TOKEN: token, PYTHONUTF8: "1", NO_COLOR: "1" } },
  );
  assert.equal(code, 0, stdout + stderr);
  const found = (pattern) => Number(pattern.exec(stdout)?.[1] ?? assert.fail(`no ${pattern} in:\n${stdout}`));
  assert.ok(operations > 10);
  assert.equal(found(/Tested: (\d+)/), operations, "every operation was tested");
  assert.ok(found(/Scenarios: +(\d+)/) > 0, "and some after one another");
  assert.ok(found(/(\d+) passed/) > 0);
  assert.equal((await fetch(`${url}/api/health`)).status, 200, "it is still there");
}
