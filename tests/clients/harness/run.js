// Runs client programs and returns their output and exit code.

import { spawn } from "node:child_process";
import path from "node:path";
import { fileURLToPath } from "node:url";

/** The environment of the Python clients. `node venv.js` creates it. */
export const VENV = process.env.HALLPASS_VENV ?? fileURLToPath(new URL("../../../target/clients-venv", import.meta.url));

/** Returns the path of a program of that environment. */
export const python = (name) => path.join(VENV, process.platform === "win32" ? "Scripts" : "bin", name);

/** Runs a program to its end. Rejects with a separate error if the program cannot be started. */
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
