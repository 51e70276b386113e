// Runs axe, which detects accessibility problems.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
// `preload` would copy style sheets into inline styles, which the Content Security Policy blocks.
const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/** The rules about contrast. They alone depend on the colour scheme. */
export const COLOURS = ["color-contrast", "link-in-text-block"];

/** Asserts that axe finds no violation of these rules on the page, or inside `within`. */
export async function accessible(page, where, { rules = TAGS, within } = {}) {
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(([rules, within]) => globalThis.axe.run(within ?? document, { runOnly: rules, preload: false }), [rules, within]);
  const found = violations.map(({ id, nodes }) => `${where}: ${id}: ${nodes.map(({ html, any }) => `${html} ${any.map(({ message }) => message).join()}`).join("\n  ")}`);
  assert.deepEqual(found, []);
}
