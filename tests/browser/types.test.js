// Checks the page's scripts with TypeScript: names, imports, and the types in their comments.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createRequire } from "node:module";
import path from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";

const TYPESCRIPT = path.dirname(createRequire(import.meta.url).resolve("typescript/package.json"));
const tsc = (...args) => promisify(execFile)(process.execPath, [path.join(TYPESCRIPT, "bin", "tsc"), ...args], { cwd: import.meta.dirname });

test("TypeScript reports no errors in the page's scripts", async () => {
  const { stdout } = await tsc("--project", ".").catch((error) => error);
  assert.equal(stdout, "");
});
