// Tests of the danger zone.

import assert from "node:assert/strict";
import { scene } from "./harness/index.js";

scene("all tokens are deleted only after the confirmation words are typed", {}, async ({ page, api, open, watched }) => {
  await api.make({ name: "another" });
  await open();
  await page.getByRole("button", { name: "Delete all…" }).click();
  const dialog = page.getByRole("dialog", { name: "Delete all your tokens?" });
  const words = dialog.getByLabel(/Type/);
  for (const wrong of ["", "yes", "delete all"]) {
    await words.fill(wrong);
    await dialog.getByRole("button", { name: "Delete all" }).click();
    await dialog.getByText("without the quotes").waitFor();
  }
  assert.equal((await api.tokens()).length, 2);
  await words.fill("delete all my tokens");
  await words.press("Enter");
  await page.getByText("2 tokens deleted.").waitFor();
  await page.getByRole("heading", { name: "No tokens yet" }).waitFor();
  assert.deepEqual(await api.tokens(), []);
  assert.deepEqual(watched.faults, []);
});

