// The danger zone.

import assert from "node:assert/strict";
import { enter, scene } from "./harness/index.js";

scene("all tokens are deleted when the words are typed, and not before", {}, async ({ page, api, open, watched }) => {
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
  await page.getByText("2 tokens are deleted.").waitFor();
  await page.getByRole("heading", { name: "No tokens yet" }).waitFor();
  assert.deepEqual(await api.tokens(), []);
  assert.deepEqual(watched.faults, []);
});

scene("an admin revokes all tokens of somebody, and of nobody else", { person: "root" }, async ({ page, api, open, browser, server }) => {
  const own = await api.make({ name: "own" });
  await open();
  await page.getByRole("button", { name: "Revoke all…" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Owner", { exact: true }).fill("alice");
  await dialog.getByLabel("Type the owner again").fill("bob");
  await dialog.getByRole("button", { name: "Revoke all" }).click();
  await dialog.getByText("This is not the same.").waitFor();
  await dialog.getByLabel("Type the owner again").fill("alice");
  await dialog.getByRole("button", { name: "Revoke all" }).click();
  await page.getByText("1 token is revoked.").waitFor();
  assert.equal((await api.show(own.id)).status, "active");
  const alice = await enter(browser, server, "alice");
  assert.deepEqual((await alice.api.tokens()).map(({ status }) => status), ["revoked"]);
  await alice.open();
  await alice.page.getByRole("button", { name: "Delete all…" }).waitFor();
  assert.equal(await alice.page.getByRole("button", { name: "Revoke all…" }).count(), 0, "for admins only");
  assert.deepEqual(alice.watched.faults, []);
  await alice.context.close();
});
