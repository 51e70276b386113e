// Tests the badges and filters that show which tokens need attention.

import assert from "node:assert/strict";
import { scene } from "./harness/index.js";
import { names } from "./harness/list.js";

const DAY = 86_400_000;

/** Changes the details of these tokens, by name, in the list that the page gets. */
async function change(context, tokens) {
  await context.route("**/tokens?*", async (route) => {
    const answer = await route.fetch();
    const said = await answer.json();
    await route.fulfill({ response: answer, json: { ...said, items: said.items.map((token) => ({ ...token, ...tokens[token.name] })) } });
  });
}

scene("expiring tokens have a badge, and filters find expiring and unused tokens", {}, async ({ page, api, open, server }) => {
  const used = await api.make({ name: "used", expires: "6d", scopes: ["projects:list"] });
  await api.make({ name: "late", expires: "8d", scopes: ["projects:list"] });
  await fetch(`${server.url}/api/me`, { headers: { Authorization: `Bearer ${used.token}` } });
  await open();
  await names(page, 3);
  assert.deepEqual(await page.locator("tr", { hasText: "expires soon" }).locator(".name").allInnerTexts(), ["used"]);
  await page.getByLabel("Expires within 7 days").check();
  assert.deepEqual(await names(page, 1), ["used"]);
  await page.reload();
  assert.deepEqual(await names(page, 1), ["used"], "the filter is in the address");
  await page.getByLabel("Expires within 7 days").uncheck();
  await page.getByLabel("Never used").check();
  assert.deepEqual(await names(page, 2, "late"), ["late", "first token"]);
  await page.getByLabel("Never used").uncheck();
  await page.getByLabel("Scope (exact)").fill("projects:list");
  await names(page, 3);
  await page.getByLabel("Scope (exact)").fill("projects:read");
  assert.deepEqual(await names(page, 1), ["first token"]);
});

scene("the filter for unused tokens uses the same number of days as the badge", {}, async ({ page, api, open, context }) => {
  const fresh = await api.make({ name: "new", expires: "never" });
  await change(context, { "first token": { created_at: new Date(Date.now() - 90.5 * DAY).toISOString() } });
  await open("#/?status=all");
  await names(page, 2);
  assert.deepEqual(await page.locator("tr", { hasText: "unused for 90 days" }).locator(".name").allInnerTexts(), ["first token"]);
  // No token of the server is that old, so the server gets the time of issue of the new token instead.
  let asked;
  await context.route(/unused_since=/, (route) => {
    const url = new URL(route.request().url());
    asked = { days: (Date.now() - Date.parse(url.searchParams.get("unused_since"))) / DAY, status: url.searchParams.get("status") };
    url.searchParams.set("unused_since", fresh.created_at);
    return route.continue({ url: url.href });
  });
  await page.getByLabel("Unused for 90 days").check();
  assert.deepEqual(await names(page, 1), ["first token"]);
  assert.equal(Math.round(asked.days), 90);
  assert.equal(asked.status, "active", "only an active token has the badge");
  await context.unroute(/unused_since=/);
  await page.reload();
  await page.getByText("No token has been unused for 90 days.").waitFor();
});

scene("the filter for old secrets finds tokens whose old secret works", {}, async ({ page, api, open }) => {
  const renewed = await api.make({ name: "renewed" });
  const ended = await api.make({ name: "ended" });
  const revoked = await api.make({ name: "revoked" });
  for (const { id } of [renewed, ended, revoked]) await api.call("POST", `/${id}/regenerate`, { grace_period: "1d" });
  await api.call("DELETE", `/${ended.id}/previous-secret`);
  await api.call("POST", `/${revoked.id}/revoke`);
  await open("#/?status=all");
  await names(page, 4);
  const row = page.locator("tr", { hasText: "old secret works" });
  assert.deepEqual(await row.locator(".name").allInnerTexts(), ["renewed"]);
  assert.match(await row.locator(".status-cell").innerText(), /until \d{4}-\d\d-\d\d \d\d:\d\d/);
  await page.getByLabel("Old secret works").check();
  assert.deepEqual(await names(page, 1), ["renewed"]);
  await page.reload();
  assert.deepEqual(await names(page, 1), ["renewed"], "the filter is in the address");
  await page.getByRole("link", { name: "renewed", exact: true }).click();
  await page.getByRole("button", { name: "Stop now" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Stop it" }).click();
  await page.getByText("Old secret stopped.").waitFor();
  await page.getByRole("link", { name: "All tokens" }).click();
  await page.getByLabel("Old secret works").check();
  await page.getByText("No token has an old secret that still works.").waitFor();
  await page.getByRole("button", { name: "Show all tokens" }).click();
  await names(page, 4);
});

scene("a list that is filtered by time can be paged", { server: ["--limit", "60"] }, async ({ page, api, open }) => {
  for (let number = 0; number < 24; number += 1) await api.make({ name: `t${number}`, expires: "6d" });
  await open("#/?soon=true");
  await names(page, 20, "t23");
  await page.getByRole("button", { name: "Next" }).click();
  await names(page, 4, "t3");
  await page.getByRole("link", { name: "t3", exact: true }).click();
  await page.getByRole("heading", { name: "t3" }).waitFor();
  await page.goBack();
  await names(page, 4, "t3");
  await page.getByRole("button", { name: "Previous" }).click();
  await names(page, 20, "t23");
});

for (const [locale, width] of [["en", 1280], ["de", 1280], ["de", 900], ["de", 390]]) {
  scene(`the badges of a token fit their column at ${width} pixels in ${locale}`, { locale, viewport: { width, height: 800 } }, async ({ page, api, open, context }) => {
    const { id } = await api.make({ name: "all", expires: "6d" });
    await api.call("POST", `/${id}/regenerate`, { grace_period: "1d" });
    await change(context, { all: { created_at: new Date(Date.now() - 1200 * DAY).toISOString() } });
    await open();
    await names(page, 2, "all");
    assert.equal(await page.locator(".badge").count(), 5);
    const outside = await page.locator(".status-cell > div").evaluateAll((cells) =>
      cells.flatMap((cell) => [...cell.querySelectorAll(".badge, time")].filter((part) => part.getBoundingClientRect().right > cell.getBoundingClientRect().right + 1).map((part) => part.textContent)),
    );
    assert.deepEqual(outside, []);
    assert.ok(await page.getByRole("rowheader", { name: "all" }).evaluate((cell) => cell.getBoundingClientRect().width >= 140), "the name has room");
  });
}

scene("a token that was not used for 90 days has a badge", {}, async ({ page, api, open, context }) => {
  await api.call("POST", "/delete", { all: true });
  for (const name of ["idle", "used", "waiting", "new", "revoked"]) await api.make({ name, expires: "never" });
  const ago = (days) => new Date(Date.now() - days * DAY).toISOString();
  const aged = {
    idle: { created_at: ago(500), last_used_at: ago(120.5) },
    used: { created_at: ago(500), last_used_at: ago(80) },
    waiting: { created_at: ago(91.5) },
    revoked: { created_at: ago(500), status: "revoked", revoked_at: ago(1) },
  };
  await change(context, aged);
  await open("#/?status=all");
  await names(page, 5);
  const said = await page.locator(".badge", { hasText: "unused" }).evaluateAll((badges) => badges.map((badge) => [badge.closest("tr").querySelector(".name").textContent, badge.textContent]));
  assert.deepEqual(said, [["waiting", "unused for 91 days"], ["idle", "unused for 120 days"]]);
});
