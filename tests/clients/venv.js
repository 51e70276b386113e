// Creates target/clients-venv with the Python clients in the versions that requirements.txt pins.
// It is created again when that file changes.

import { createHash } from "node:crypto";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { VENV, python, run } from "./harness/run.js";

const REQUIREMENTS = fileURLToPath(new URL("requirements.txt", import.meta.url));
const STAMP = path.join(VENV, "requirements.sha256");

const wanted = createHash("sha256").update(await readFile(REQUIREMENTS)).digest("hex");
const made = await readFile(STAMP, "utf8").catch(() => "");
if (made !== wanted) {
  await rm(VENV, { recursive: true, force: true });
  await mkdir(path.dirname(VENV), { recursive: true });
  await must(process.env.PYTHON ?? "python3", ["-m", "venv", VENV]);
  await must(python("pip"), ["install", "--quiet", "--disable-pip-version-check", "--no-deps", "--requirement", REQUIREMENTS]);
  await must(python("pip"), ["check"]);
  await writeFile(STAMP, wanted);
}

async function must(program, args) {
  const { code, stdout, stderr } = await run(program, args);
  if (code !== 0) throw new Error(`${program} ${args.join(" ")} ended with ${code}:\n${stdout}${stderr}`);
}
