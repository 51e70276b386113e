// The real quickstart, in a process of its own: on a port that was free, with nothing kept.

import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { createInterface } from "node:readline";

const BINARY = process.env.HALLPASS_QUICKSTART ?? fileURLToPath(new URL("../../../target/debug/examples/quickstart", import.meta.url));

const PASSWORDS = { alice: "wonderland", bob: "builder", root: "toor" };

/** The password of that person. */
export const passwordOf = (person) => PASSWORDS[person];

/** Starts one; resolves with its `url` and how to `stop` it. */
export async function startServer(options = []) {
  const process = spawn(BINARY, ["--listen", "127.0.0.1:0", "--store", "memory:", ...options], { stdio: ["ignore", "pipe", "inherit"] });
  const ended = new Promise((resolve) => process.once("exit", resolve));
  const url = await new Promise((resolve, reject) => {
    process.once("error", (error) => reject(new Error(`the quickstart cannot be started: build it, or say where it is with HALLPASS_QUICKSTART (${error.message})`)));
    process.once("exit", (code) => reject(new Error(`the quickstart ended with ${code} before it was ready`)));
    createInterface({ input: process.stdout }).on("line", (line) => {
      const ready = /^listening on (http:\/\/\S+)$/.exec(line);
      if (ready) resolve(ready[1]);
    });
  });
  return {
    url,
    async stop() {
      process.kill("SIGTERM");
      await ended;
    },
  };
}
