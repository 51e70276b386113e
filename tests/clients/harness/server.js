// Starts the real examples, each in a separate process, on a free port and with its files in a
// separate folder.

import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const EXAMPLES = process.env.HALLPASS_EXAMPLES ?? fileURLToPath(new URL("../../../target/debug/examples", import.meta.url));

const SERVERS = process.env.HALLPASS_SERVERS ?? fileURLToPath(new URL("../../../target/debug/hallpass-servers", import.meta.url));

/** The time limit for starting and for stopping, in milliseconds. */
const PATIENCE = 30_000;

/**
 * Starts the example of that name in this folder, with these options in addition to `--listen`.
 * Resolves with its `url`, the lines that it has `printed`, and a function to `stop` it.
 */
export async function start(name, options = [], folder = undefined) {
  const child = spawn(path.join(EXAMPLES, name), ["--listen", "127.0.0.1:0", ...options], { cwd: folder, stdio: ["ignore", "pipe", "inherit"] });
  const ended = new Promise((resolve) => child.once("exit", (code, signal) => resolve(code ?? signal)));
  const printed = [];
  const lines = createInterface({ input: child.stdout });
  const ready = new Promise((resolve, reject) => {
    child.once("error", (error) => reject(new Error(`${name} cannot be started: build it (cargo build --examples), or say where it is with HALLPASS_EXAMPLES (${error.message})`)));
    ended.then((how) => reject(new Error(`${name} ended with ${how} before it was ready`)));
    lines.on("line", (line) => {
      printed.push(line);
      const found = /^listening on (http:\/\/\S+)$/.exec(line);
      if (found) resolve(found[1]);
    });
  });
  try {
    const url = await within(ready, `${name} is not ready`);
    return {
      url,
      printed,
      async stop() {
        child.kill("SIGINT");
        const how = await within(ended, `${name} does not end`);
        if (how !== 0) throw new Error(`${name} ended with ${how}`);
      },
    };
  } catch (error) {
    child.kill("SIGKILL");
    throw error;
  }

  async function within(promise, otherwise) {
    let timer;
    const overdue = new Promise((_, reject) => {
      timer = setTimeout(() => {
        child.kill("SIGKILL");
        reject(new Error(`${otherwise}: waited ${PATIENCE / 1000} s`));
      }, PATIENCE);
    });
    return Promise.race([promise, overdue]).finally(() => clearTimeout(timer));
  }
}

const endings = new WeakMap();

/**
 * Registers a function to run after the test. The functions run in reverse order. `t` is the
 * context of the test.
 */
export function afterwards(t, ending) {
  if (!endings.has(t)) {
    const all = [];
    endings.set(t, all);
    t.after(async () => {
      while (all.length > 0) await all.pop()();
    });
  }
  endings.get(t).push(ending);
}

/** Creates a folder for one test, and deletes it after the test. */
export async function folder(t) {
  const made = await mkdtemp(path.join(tmpdir(), "hallpass-clients-"));
  afterwards(t, () => rm(made, { recursive: true, force: true }));
  return made;
}

/** Starts an example for one test, in that folder or in a new one, and stops it after the test. */
export async function startFor(t, name, options = [], place = undefined) {
  const server = await start(name, options, place ?? (await folder(t)));
  afterwards(t, () => server.stop());
  return server;
}

/**
 * Starts a database server (`postgres` or `redis`) for one test and resolves with its URL. The
 * server is stopped after the test.
 */
export async function databaseFor(t, kind) {
  // The server exits when its input closes, so it also exits if this process is killed.
  const child = spawn(SERVERS, [kind], { stdio: ["pipe", "pipe", "inherit"] });
  const ended = new Promise((resolve) => child.once("close", resolve));
  afterwards(t, async () => {
    child.stdin.end();
    await ended;
  });
  return new Promise((resolve, reject) => {
    child.once("error", (error) => reject(new Error(`${SERVERS} cannot be started: build it (cargo build -p hallpass-servers), or say where it is with HALLPASS_SERVERS (${error.message})`)));
    ended.then((code) => reject(new Error(`${kind} ended with ${code} before it was ready`)));
    createInterface({ input: child.stdout }).once("line", resolve);
  });
}
