// Tests the list: its rows, filters, order, pages and bulk actions.

import assert from "node:assert/strict";
import { scene } from "./harness/index.js";
import { names, rows } from "./harness/list.js";

scene("the empty list explains what tokens are for", {}, async ({ page, api, open }) => {
  await api.call("POST", "/delete", { all: true });
  await open();
  await page.getByRole("heading", { name: "No tokens yet" }).waitFor();
  await page.getByRole("link", { name: "Create your first token" }).click();
  await page.getByRole("heading", { name: "New token" }).waitFor();
});

scene("a row shows the name, scopes, status and expiry of a token", { timezoneId: "UTC" }, async ({ page, api, open, server }) => {
  const token = await api.make({ name: "ci", description: "nightly build", scopes: ["projects:list", "projects:read", "projects:publish"], expires: "12d" });
  const created = token.created_at.slice(0, 10);
  await api.make({ name: "unused", expires: "never" });
  await fetch(`${server.url}/api/me`, { headers: { Authorization: `Bearer ${token.token}` } });
  await open();
  const row = page.getByRole("row", { name: /nightly build/ });
  const text = await row.innerText();
  for (const part of ["ci", "nightly build", "projects:list", "+1", "active", created, "in 12 days", token.expires_at.slice(0, 10)]) {
    assert.ok(text.includes(part), `${part} in ${text}`);
  }
  // On a slow machine the text may no longer be "just now".
  assert.equal(text.match(/just now|minutes? ago/g)?.length, 2, text);
  const end = row.locator("time").nth(1);
  assert.equal(await end.getAttribute("datetime"), token.expires_at);
  assert.match(await end.getAttribute("title"), /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC$/);
  const other = await page.getByRole("row", { name: /unused/ }).innerText();
  assert.equal(other.match(/never/g).length, 2, "never expires, never used");
  assert.ok(other.includes("none"), "no scopes");
});

scene("a token that expires at midnight shows the day before as its last day", { timezoneId: "UTC" }, async ({ page, api, open }) => {
  await api.make({ name: "through March", expires: "31-03-2099" });
  await open();
  assert.ok((await page.getByRole("row", { name: /through March/ }).innerText()).includes("2099-03-31"));
});

scene("dates are shown in the time zone of the browser", { timezoneId: "Pacific/Auckland" }, async ({ page, api, open }) => {
  await api.make({ name: "far", expires: "2099-03-31T20:00:00Z" });
  await open();
  const row = page.getByRole("row", { name: /far/ });
  assert.ok((await row.innerText()).includes("2099-04-01"));
  assert.equal(await row.locator("time").nth(1).getAttribute("title"), "2099-03-31 20:00:00 UTC");
});

scene("the list shows active tokens first and counts the other statuses", {}, async ({ page, api, open }) => {
  const revoked = await api.make({ name: "gone", expires: "1y" });
  await api.call("POST", `/${revoked.id}/revoke`);
  await open();
  assert.deepEqual(await names(page, 1), ["first token"]);
  for (const name of ["Active 1", "Expired 0", "Revoked 1", "All 2"]) await page.getByRole("radio", { name, exact: true }).waitFor();
  await page.getByRole("radio", { name: "All" }).check();
  await names(page, 2);
  const row = page.getByRole("row", { name: /gone/ });
  assert.match(await row.getAttribute("class"), /ended/);
  assert.doesNotMatch(await row.innerText(), /in 12 months/, "it ended when it was revoked");
  assert.match(await row.locator(".status-cell").innerText(), /revoked\s+\d{4}-\d\d-\d\d\s+(just now|\d+ minutes? ago)/);
});

scene("tokens that were never used sort first as longest unused on every page", { server: ["--limit", "60"] }, async ({ page, api, open, server }) => {
  await api.call("POST", "/delete", { all: true });
  const use = (token) => fetch(`${server.url}/api/me`, { headers: { Authorization: `Bearer ${token.token}` } });
  const made = [];
  for (let number = 0; number < 44; number += 1) made.push(await api.make({ name: `t${number}` }));
  for (const token of made.slice(0, 22)) await use(token);
  await open();
  await names(page, 20);
  await page.getByLabel("Order").selectOption({ label: "Longest unused" });
  const all = [];
  for (const size of [20, 20, 4]) {
    await names(page, size);
    await page.getByText(new RegExp(`${all.length + 1}–${all.length + size} of 44`)).waitFor();
    all.push(...(await page.locator("table.tokens tbody tr").evaluateAll((rows) => rows.map((row) => [row.querySelector(".name").textContent, /never/.test(row.querySelector(".used").textContent)]))));
    if (size === 20) await page.getByRole("button", { name: "Next" }).click();
  }
  assert.ok(await page.getByRole("button", { name: "Next" }).isDisabled());
  assert.equal(new Set(all.map(([name]) => name)).size, 44, "each is there once");
  assert.deepEqual(all.map(([, never]) => never), [...Array(22).fill(true), ...Array(22).fill(false)]);
});

scene("an empty list explains why it is empty", {}, async ({ page, open }) => {
  await open();
  await names(page, 1);
  await page.getByRole("radio", { name: "Revoked" }).check();
  await page.getByRole("heading", { name: "No revoked tokens" }).waitFor();
  await page.getByText("There is 1 active token.").waitFor();
  await page.getByRole("button", { name: "Show them" }).click();
  await names(page, 1);
  await page.getByRole("searchbox", { name: "Search name or description" }).fill("zebra");
  await page.getByText("No name or description contains “zebra”.").waitFor();
  await page.getByRole("searchbox", { name: "Search name or description" }).fill("first");
  await names(page, 1);
  await page.getByRole("radio", { name: "Revoked" }).check();
  await page.getByRole("heading", { name: "No matching tokens" }).waitFor();
  await page.getByText("1 active token matches.").waitFor();
  await page.getByRole("searchbox", { name: "Search name or description" }).fill("zebra");
  await page.getByText("No name or description contains “zebra”.").waitFor();
  await page.getByLabel("Never used").check();
  await page.getByText("No token matches all of these filters.").waitFor();
});

scene("tokens are revoked from their rows and in bulk", {}, async ({ page, api, open, server }) => {
  const made = [];
  for (const name of ["c", "b", "a"]) made.push(await api.make({ name }));
  await open();
  await names(page, 4);
  await page.getByRole("button", { name: "Revoke c", exact: true }).click();
  await page.getByRole("dialog", { name: "Revoke this token?" }).getByRole("button", { name: "Revoke" }).click();
  await page.getByText("c revoked.").waitFor();
  await names(page, 3);
  await page.getByLabel("Select a", { exact: true }).check();
  await page.getByLabel("Select b", { exact: true }).check();
  await page.getByRole("button", { name: "Revoke selected (2)" }).click();
  await page.getByRole("button", { name: "Revoke 2 tokens" }).click();
  await page.getByText("2 tokens revoked.").waitFor();
  await names(page, 1);
  for (const { token } of made) assert.equal((await fetch(`${server.url}/api/me`, { headers: { Authorization: `Bearer ${token}` } })).status, 401);
  await page.getByRole("radio", { name: "Revoked" }).check();
  await names(page, 3);
  assert.equal(await page.getByRole("button", { name: /^Revoke [abc]$/ }).count(), 0);
});

scene("a message disappears when it is dismissed or the view changes", {}, async ({ page, open }) => {
  await page.clock.install();
  await open();
  await names(page, 1);
  // Stop the clock, so that no message disappears by itself.
  await page.clock.pauseAt(Date.now() + 60_000);
  await page.getByRole("button", { name: "Refresh" }).click();
  const message = page.getByText("The list is up to date.");
  await message.waitFor();
  await page.getByRole("button", { name: "Dismiss" }).click();
  await message.waitFor({ state: "detached" });
  await page.getByRole("button", { name: "Refresh" }).click();
  await message.waitFor();
  await page.getByRole("link", { name: "New token" }).click();
  await message.waitFor({ state: "detached" });
});

scene("the list shows the number of tokens and the limit", { server: ["--limit", "3"] }, async ({ page, api, open }) => {
  await open();
  await page.getByText("You have 1 of 3 tokens.").waitFor();
  await api.make({ name: "more" });
  await page.getByRole("button", { name: "Delete first token" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete", exact: true }).click();
  await page.getByText("You have 1 of 3 tokens.").waitFor();
  await page.getByRole("link", { name: "New token" }).click();
  await page.getByText("You have 1 of 3 tokens.").waitFor();
});

scene("status, search and sort order apply to the list and stay in the URL", {}, async ({ page, api, open }) => {
  await api.call("POST", "/delete", { all: true });
  await api.make({ name: "banana", description: "100%_done" });
  const revoked = await api.make({ name: "apple" });
  await api.make({ name: "cherry" });
  await api.call("POST", `/${revoked.id}/revoke`);
  await open();
  assert.deepEqual(await names(page, 2), ["cherry", "banana"]);
  await page.getByRole("radio", { name: "All" }).check();
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
  await page.getByRole("heading", { name: "No matching tokens" }).waitFor();
  await page.getByRole("button", { name: "Show all tokens" }).click();
  await names(page, 3);
});

scene("the list can be paged forwards and backwards", { server: ["--limit", "60"] }, async ({ page, api, open }) => {
  for (let number = 0; number < 44; number += 1) await api.make({ name: `t${number}` });
  await open();
  await names(page, 20, "t43");
  assert.equal(await page.locator(".toolbar .count").innerText(), "1–20 of 45");
  assert.ok(await page.getByRole("button", { name: "Previous" }).isDisabled());
  await page.getByRole("button", { name: "Next" }).click();
  await names(page, 20, "t23");
  // Open a token and return to the same page of the list.
  await page.getByRole("link", { name: "t23", exact: true }).click();
  await page.getByRole("heading", { name: "t23" }).waitFor();
  await page.goBack();
  await names(page, 20, "t23");
  await page.getByRole("button", { name: "Next" }).click();
  await names(page, 5, "t3");
  assert.ok(await page.getByRole("button", { name: "Next" }).isDisabled());
  // The last page disappears with its last token.
  await page.getByLabel("Select all tokens shown").check();
  await page.getByRole("button", { name: "Delete selected (5)" }).click();
  await page.getByRole("button", { name: "Delete 5 tokens" }).click();
  await names(page, 20, "t23");
  await page.getByRole("button", { name: "Previous" }).click();
  await names(page, 20, "t43");
});

scene("rows are selected one by one, with Ctrl, and as a range with Shift", {}, async ({ page, api, open }) => {
  await api.call("POST", "/delete", { all: true });
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
  // Use the keyboard.
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

scene("a click on a row opens the token and its buttons work", {}, async ({ page, api, open }) => {
  await api.call("POST", "/delete", { all: true });
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

scene("refresh shows changes made elsewhere", {}, async ({ page, api, open }) => {
  await open();
  await names(page, 1);
  await api.make({ name: "from elsewhere" });
  await page.getByRole("button", { name: "Refresh" }).click();
  assert.deepEqual(await names(page, 2, "from elsewhere"), ["from elsewhere", "first token"]);
});

scene("an admin sees all tokens with owners but cannot edit or copy them", { person: "root" }, async ({ page, api, open }) => {
  const own = await api.make({ name: "own" });
  await open();
  await names(page, 2);
  const row = page.getByRole("row", { name: /first token/ });
  assert.ok((await row.innerText()).includes("alice"));
  assert.equal(await row.getByRole("link", { name: /Copy as new/ }).count(), 0);
  await page.getByLabel("Owner (exact)").fill("root");
  assert.deepEqual(await names(page, 1), ["own"]);
  await page.getByLabel("Owner (exact)").fill("alice");
  assert.deepEqual(await names(page, 1, "first token"), ["first token"]);
  await page.getByRole("link", { name: "first token", exact: true }).click();
  await page.getByText("This token belongs to another owner.").waitFor();
  assert.equal(await page.getByRole("button", { name: /Edit|Change|Regenerate|Add|Remove/ }).count(), 0);
  await page.getByRole("button", { name: "Revoke" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Revoke" }).click();
  await page.locator(".badge.revoked").waitFor();
  assert.equal((await api.show(own.id)).status, "active");
});
