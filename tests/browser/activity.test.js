// Tests the activity: who changed what, when and from where.

import assert from "node:assert/strict";
import { scene } from "./harness/index.js";

const entries = (page) => page.locator(".entry");

scene("the activity of a token shows actor, change, and values before and after", { timezoneId: "Europe/Berlin" }, async ({ page, api, open }) => {
  const token = await api.make({ name: "before", scopes: ["projects:list"] });
  await api.call("PATCH", `/${token.id}`, { name: "after" });
  await api.call("POST", `/${token.id}/revoke`);
  await api.make({ name: "another" });
  await open(`#/tokens/${token.id}`);
  await page.getByRole("main").getByRole("link", { name: "Activity" }).click();
  await page.getByRole("heading", { name: "Activity of after" }).waitFor();
  await entries(page).nth(2).waitFor();
  assert.deepEqual(await page.locator(".entry-head strong").allInnerTexts(), ["Revoked", "Changed", "Created"], "newest first, of this token alone");
  const changed = entries(page).nth(1);
  await changed.getByText("by alice").waitFor();
  const row = changed.getByRole("row", { name: /Name/ });
  assert.deepEqual(await row.getByRole("cell").allInnerTexts(), ["before", "after"]);
  const created = entries(page).nth(2);
  assert.deepEqual(await created.getByRole("row", { name: /^Name/ }).getByRole("cell").allInnerTexts(), ["before"], "there was nothing before");
  await created.getByText(/Chrome on Linux/).waitFor();
  assert.match(await created.locator("p[title]").getAttribute("title"), /^Mozilla/);
  assert.match(await changed.locator("time").first().getAttribute("title"), /UTC$/);
  assert.match(await entries(page).nth(2).innerText(), /projects:list/);
  assert.doesNotMatch(await page.locator("main").innerText(), /hp_/);
});

scene("the account activity includes deleted tokens and can be filtered", {}, async ({ page, api, open }) => {
  const token = await api.make({ name: "short-lived" });
  await api.call("DELETE", `/${token.id}`);
  await open();
  await page.getByRole("link", { name: "Activity" }).click();
  await page.getByRole("heading", { name: "Activity" }).waitFor();
  await entries(page).nth(2).waitFor();
  assert.deepEqual(await page.locator(".entry-head strong").allInnerTexts(), ["Deleted", "Created", "Created"]);
  await entries(page).first().getByText("short-lived").first().waitFor();
  await page.getByLabel("Kind of change").selectOption({ label: "Deleted" });
  await page.waitForFunction(() => document.querySelectorAll(".entry").length === 1);
  await page.getByLabel("Kind of change").selectOption({ label: "Revoked" });
  await page.getByText("There are no entries.").waitFor();
});

scene("an admin can list the activity of all owners or of one", { person: "root" }, async ({ page, api, open }) => {
  await api.make({ name: "own" });
  await open("#/activity");
  await entries(page).nth(1).waitFor();
  await page.getByLabel("Owner (exact)").fill("root");
  await page.getByLabel("Owner (exact)").press("Enter");
  await page.waitForFunction(() => document.querySelectorAll(".entry").length === 1);
  await entries(page).getByText("own").first().waitFor();
});

scene("a long activity list is paginated", {}, async ({ page, api, open }) => {
  const token = await api.make({ name: "0" });
  for (let number = 1; number <= 55; number += 1) await api.call("PATCH", `/${token.id}`, { name: String(number) });
  await open(`#/tokens/${token.id}/activity`);
  await entries(page).nth(49).waitFor();
  await page.getByRole("button", { name: "Show more" }).click();
  await entries(page).nth(55).waitFor();
  assert.equal(await page.getByRole("button", { name: "Show more" }).count(), 0);
});
