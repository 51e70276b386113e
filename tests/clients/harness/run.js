// Programs that are clients: what they answered, and how they ended.

import { spawn } from "node:child_process";
import path from "node:path";
import { fileURLToPath } from "node:url";

/** The Python clients' own environment; `node venv.js` makes it. */
export const VENV = process.env.HALLPASS_VENV ?? fileURLToPath(new URL("../../../target/clients-venv", import.meta.url));

/** A program of that environment. */
export const python = (name) => path.join(VENV, process.platform === "win32" ? "Scripts" : "bin", name);

/** Runs a program to its end. A program that cannot be started is an error that says so, not one that ended badly. */
export async function run(program, args, options = {}) {
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"], ...options });
  const [out, err] = [[], []];
  child.stdout.on("data", (bytes) => out.push(bytes));
  child.stderr.on("data", (bytes) => err.push(bytes));
  const code = await new Promise((resolve, reject) => {
    child.once("error", (error) => reject(new Error(`${program} cannot be started: is it installed? (${error.message})`)));
    child.once("close", resolve);
  });
  return { code, stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(err).toString() };
}
