// Starts the real examples, each in a separate process on a free port.

import { spawn } from "node:child_process";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { createInterface } from "node:readline";

const EXAMPLES = process.env.HALLPASS_EXAMPLES ?? fileURLToPath(new URL("../../../target/debug/examples", import.meta.url));
const QUICKSTART = process.env.HALLPASS_QUICKSTART ?? path.join(EXAMPLES, "quickstart");

const PASSWORDS = { alice: "wonderland", bob: "builder", root: "toor" };

/** Returns the password of a person. */
export const passwordOf = (person) => PASSWORDS[person];

/**
 * Starts the quickstart with an empty store. Resolves with its `url` and a function to `stop` it.
 */
export const startServer = (options = []) => start(QUICKSTART, ["--store", "memory:", ...options]);

/** Starts another example, in this folder if it stores files. */
export const startExample = (name, options = [], folder = undefined) => start(path.join(EXAMPLES, name), options, folder);

async function start(binary, options, folder) {
  const process = spawn(binary, ["--listen", "127.0.0.1:0", ...options], { cwd: folder, stdio: ["ignore", "pipe", "inherit"] });
  const ended = new Promise((resolve) => process.once("exit", resolve));
  const url = await new Promise((resolve, reject) => {
    process.once("error", (error) => reject(new Error(`${binary} cannot be started: build it, or say where it is with HALLPASS_EXAMPLES (${error.message})`)));
    process.once("exit", (code) => reject(new Error(`${binary} ended with ${code} before it was ready`)));
    createInterface({ input: process.stdout }).on("line", (line) => {
      const ready = /^listening on (http:\/\/\S+)$/.exec(line);
      if (ready) resolve(ready[1]);
    });
  });
  return {
    url,
    async stop() {
      process.kill("SIGINT");
      await ended;
    },
  };
}
