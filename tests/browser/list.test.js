// The list: what it shows, and what of it.

import assert from "node:assert/strict";
import { scene } from "./harness/index.js";
import { names, rows } from "./harness/list.js";

scene("a person without tokens is told what they are for", {}, async ({ page, api, open }) => {
  await api.call("DELETE", "");
  await open();
  await page.getByRole("heading", { name: "No tokens yet" }).waitFor();
  await page.getByRole("link", { name: "Create your first token" }).click();
  await page.getByRole("heading", { name: "New token" }).waitFor();
});

scene("a row says what a token is, may do, and when it ends", { timezoneId: "UTC" }, async ({ page, api, open, server }) => {
  const token = await api.make({ name: "ci", description: "nightly build", scopes: ["projects:list", "projects:read", "projects:publish"], expires: "12d" });
  await api.make({ name: "unused", expires: "never" });
  await fetch(`${server.url}/api/me`, { headers: { Authorization: `Bearer ${token.token}` } });
  await open();
  const row = page.getByRole("row", { name: /nightly build/ });
  const text = await row.innerText();
  const today = new Date().toISOString().slice(0, 10);
  for (const part of ["ci", "nightly build", "projects:list", "+1", "active", today, "in 12 days", token.expires_at.slice(0, 10), "just now"]) {
    assert.ok(text.includes(part), `${part} in ${text}`);
  }
  const end = row.locator("time").nth(1);
  assert.equal(await end.getAttribute("datetime"), token.expires_at);
  assert.match(await end.getAttribute("title"), /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC$/);
  const other = await page.getByRole("row", { name: /unused/ }).innerText();
  assert.equal(other.match(/never/g).length, 2, "never expires, never used");
  assert.ok(other.includes("none"), "no scopes");
});

scene("a token that ends at midnight ends with the day before", { timezoneId: "UTC" }, async ({ page, api, open }) => {
  await api.make({ name: "through March", expires: "31-03-2099" });
  await open();
  assert.ok((await page.getByRole("row", { name: /through March/ }).innerText()).includes("2099-03-31"));
});

scene("dates are those of the person's own zone", { timezoneId: "Pacific/Auckland" }, async ({ page, api, open }) => {
  await api.make({ name: "far", expires: "2099-03-31T20:00:00Z" });
  await open();
  const row = page.getByRole("row", { name: /far/ });
  assert.ok((await row.innerText()).includes("2099-04-01"));
  assert.equal(await row.locator("time").nth(1).getAttribute("title"), "2099-03-31 20:00:00 UTC");
});

scene("status, text and order narrow the list, and stay in the address", {}, async ({ page, api, open }) => {
  await api.call("DELETE", "");
  await api.make({ name: "banana", description: "100%_done" });
  const revoked = await api.make({ name: "apple" });
  await api.make({ name: "cherry" });
  await api.call("POST", `/${revoked.id}/revoke`);
  await open();
  assert.deepEqual(await names(page, 3), ["cherry", "apple", "banana"]);

  await page.getByRole("button", { name: "Name", exact: true }).click();
  await page.waitForURL(/sort=name/);
  assert.deepEqual(await names(page, 3, "apple"), ["apple", "banana", "cherry"]);
  assert.equal(await page.getByRole("columnheader", { name: "Name" }).getAttribute("aria-sort"), "ascending");
  await page.getByRole("button", { name: "Name", exact: true }).click();
  assert.deepEqual(await names(page, 3, "cherry"), ["cherry", "banana", "apple"]);

  await page.getByRole("radio", { name: "Revoked" }).check();
  assert.deepEqual(await names(page, 1), ["apple"]);
  await page.reload();
  assert.deepEqual(await names(page, 1), ["apple"], "the address says it all");
  await page.getByRole("radio", { name: "All" }).check();
  await names(page, 3);

  const search = page.getByRole("searchbox", { name: "Search name or description" });
  await search.fill("%_D");
  assert.deepEqual(await names(page, 1), ["banana"]);
  await search.fill("nothing like it");
  await page.getByRole("heading", { name: "No token matches" }).waitFor();
  await page.getByRole("button", { name: "Show all tokens" }).click();
  await names(page, 3);
});

scene("pages follow each other, there and back", { server: ["--limit", "60"] }, async ({ page, api, open }) => {
  for (let number = 0; number < 44; number += 1) await api.make({ name: `t${number}` });
  await open();
  await names(page, 20, "t43");
  assert.equal(await page.locator(".count").innerText(), "1–20 of 45");
  assert.ok(await page.getByRole("button", { name: "Previous" }).isDisabled());
  await page.getByRole("button", { name: "Next" }).click();
  await names(page, 20, "t23");
  // To a token and back: where it was.
  await page.getByRole("link", { name: "t23", exact: true }).click();
  await page.getByRole("heading", { name: "t23" }).waitFor();
  await page.goBack();
  await names(page, 20, "t23");
  await page.getByRole("button", { name: "Next" }).click();
  await names(page, 5, "t3");
  assert.ok(await page.getByRole("button", { name: "Next" }).isDisabled());
  // The last page goes with its last token.
  await page.getByLabel("Select all tokens shown").check();
  await page.getByRole("button", { name: "Delete selected (5)" }).click();
  await page.getByRole("button", { name: "Delete 5 tokens" }).click();
  await names(page, 20, "t23");
  await page.getByRole("button", { name: "Previous" }).click();
  await names(page, 20, "t43");
});

scene("rows are selected one by one, with Ctrl, and with Shift as a range", {}, async ({ page, api, open }) => {
  await api.call("DELETE", "");
  for (const name of ["e", "d", "c", "b", "a"]) await api.make({ name });
  await open();
  await names(page, 5, "a");
  const all = rows(page);
  const chosen = async () => {
    const boxes = await all.locator("input").evaluateAll((inputs) => inputs.map((input) => input.checked));
    return boxes.flatMap((on, at) => (on ? ["abcde"[at]] : [])).join("");
  };
  const status = (row) => all.nth(row).locator(".badge");
  await status(1).click({ modifiers: ["Control"] });
  assert.equal(await chosen(), "b");
  await status(3).click({ modifiers: ["Shift"] });
  assert.equal(await chosen(), "bcd");
  await status(2).click({ modifiers: ["Control"] });
  assert.equal(await chosen(), "bd");
  await all.nth(0).getByRole("checkbox").check();
  await all.nth(4).getByRole("checkbox").click({ modifiers: ["Shift"] });
  assert.equal(await chosen(), "abcde");
  assert.equal(await page.evaluate(() => getSelection().toString()), "", "no text is selected by the way");
  await page.getByLabel("Select all tokens shown").uncheck();
  assert.equal(await chosen(), "");
  // By keyboard.
  await all.nth(1).getByRole("checkbox").press("Space");
  await all.nth(3).getByRole("checkbox").press("Shift+Space");
  assert.equal(await chosen(), "bcd");
  await page.getByRole("button", { name: "Delete selected (3)" }).click();
  const dialog = page.getByRole("dialog", { name: "Delete 3 tokens?" });
  assert.deepEqual(await dialog.getByRole("listitem").allInnerTexts(), ["b", "c", "d"]);
  await dialog.getByRole("button", { name: "Cancel" }).click();
  assert.equal((await api.tokens()).length, 5);
  await page.getByRole("button", { name: "Delete selected (3)" }).click();
  await page.getByRole("button", { name: "Delete 3 tokens" }).click();
  assert.deepEqual(await names(page, 2), ["a", "e"]);
  assert.deepEqual((await api.tokens()).map(({ name }) => name).sort(), ["a", "e"]);
});

scene("a click on a row opens the token, and its buttons do what they say", {}, async ({ page, api, open }) => {
  await api.call("DELETE", "");
  await api.make({ name: "ci" });
  await open();
  await rows(page).first().locator(".badge").click();
  await page.getByRole("heading", { name: "ci" }).waitFor();
  await page.getByRole("link", { name: "All tokens" }).click();
  await page.getByRole("link", { name: "View ci" }).click();
  await page.getByRole("heading", { name: "ci" }).waitFor();
  await page.goBack();
  await page.getByRole("button", { name: "Delete ci" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete", exact: true }).click();
  await page.getByRole("heading", { name: "No tokens yet" }).waitFor();
  assert.deepEqual(await api.tokens(), []);
});

scene("refresh shows what others did meanwhile", {}, async ({ page, api, open }) => {
  await open();
  await names(page, 1);
  await api.make({ name: "from elsewhere" });
  await page.getByRole("button", { name: "Refresh" }).click();
  assert.deepEqual(await names(page, 2, "from elsewhere"), ["from elsewhere", "first token"]);
});

scene("an admin sees everybody's, with owner, and may not edit or copy another's", { person: "root" }, async ({ page, api, open }) => {
  const own = await api.make({ name: "own" });
  await open();
  await names(page, 2);
  const row = page.getByRole("row", { name: /first token/ });
  assert.ok((await row.innerText()).includes("alice"));
  assert.equal(await row.getByRole("link", { name: /Copy as new/ }).count(), 0);
  await page.getByRole("searchbox", { name: "Owner" }).fill("root");
  assert.deepEqual(await names(page, 1), ["own"]);
  await page.getByRole("searchbox", { name: "Owner" }).fill("alice");
  assert.deepEqual(await names(page, 1, "first token"), ["first token"]);
  await page.getByRole("link", { name: "first token", exact: true }).click();
  await page.getByText("somebody else’s").waitFor();
  assert.equal(await page.getByRole("button", { name: /Edit|Change|Regenerate|Add|Remove/ }).count(), 0);
  await page.getByRole("button", { name: "Revoke" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Revoke" }).click();
  await page.locator(".badge.revoked").waitFor();
  assert.equal((await api.show(own.id)).status, "active");
});
