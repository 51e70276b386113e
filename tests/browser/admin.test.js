// Tests of the page as an admin sees it.

import assert from "node:assert/strict";
import { enter, scene } from "./harness/index.js";
import { names } from "./harness/list.js";

const ADMIN = { person: "root" };

scene("an admin revokes all tokens of one owner and no others", ADMIN, async ({ page, api, open, browser, server }) => {
  const own = await api.make({ name: "own" });
  await open();
  await names(page, 2);
  await page.getByRole("button", { name: "Revoke all…" }).click();
  const dialog = page.getByRole("dialog");
  const owner = dialog.getByLabel("Owner", { exact: true });
  const submit = dialog.getByRole("button", { name: "Revoke all" });
  assert.deepEqual(await dialog.locator("datalist option").evaluateAll((options) => options.map(({ value }) => value)), ["alice", "root"]);
  await owner.fill("alise");
  await dialog.getByText("No owner “alise” has tokens.").waitFor();
  await dialog.getByLabel("Type the owner again").fill("alise");
  await submit.click();
  await dialog.locator(".error", { hasText: "No owner “alise” has tokens." }).waitFor();
  assert.equal(await owner.getAttribute("aria-invalid"), "true", "the dialog stays, with the fault at its field");
  await owner.fill("alice");
  await dialog.getByText("alice has 1 active token, 1 in total.").waitFor();
  await submit.click();
  await dialog.getByText("The owners do not match.").waitFor();
  await dialog.getByLabel("Type the owner again").fill("alice");
  await submit.click();
  await page.getByText("1 token revoked.").waitFor();
  assert.equal((await api.show(own.id)).status, "active");
  const alice = await enter(browser, server, "alice");
  assert.deepEqual((await alice.api.tokens()).map(({ status }) => status), ["revoked"]);
  await alice.open();
  await alice.page.getByRole("button", { name: "Delete all…" }).waitFor();
  assert.equal(await alice.page.getByRole("button", { name: "Revoke all…" }).count(), 0, "for admins only");
  assert.deepEqual(alice.watched.faults, []);
  await alice.context.close();
});

scene("the list of an admin has its own heading, count and column widths", ADMIN, async ({ page, api, open }) => {
  await api.make({ name: "a name that is long enough to need some room in its column of the table" });
  await open();
  await names(page, 2);
  await page.getByRole("heading", { name: "Tokens of all owners" }).waitFor();
  await page.getByText("Signed in as root").waitFor();
  await page.getByText("1 of at most 50 are your own").waitFor();
  await page.getByRole("button", { name: "Delete my own…" }).waitFor();
  const size = await page.locator("tbody th").first().evaluate((cell) => ({ width: cell.offsetWidth, lines: cell.querySelector(".name").getClientRects().length }));
  assert.ok(size.width >= 240, `${size.width} pixels`);
  assert.ok(await page.locator("tbody .name").first().evaluate((name) => name.offsetHeight < 60), "two lines at most");
});

scene("an owner filter without a match explains that it is exact", ADMIN, async ({ page, open }) => {
  await open();
  await names(page, 1);
  await page.getByLabel("Owner (exact)").fill("ali");
  await page.getByText("No owner “ali” has tokens. Enter the exact owner.").waitFor();
  await page.getByRole("button", { name: "Show all tokens" }).click();
  await names(page, 1);
});

scene("an admin sees the names of owners and their ids if the host provides names", ADMIN, async ({ page, context, api, open, browser, server }) => {
  const alice = await enter(browser, server, "alice");
  const [{ id }] = await alice.api.tokens();
  await alice.context.close();
  await api.make({ name: "own" });
  await context.route("**/settings/tokens", async (route) => {
    const answer = await route.fetch();
    const html = (await answer.text()).replace("&quot;names&quot;:null", "&quot;names&quot;:&quot;./tokens/owners&quot;");
    await route.fulfill({ response: answer, body: html });
  });
  const asked = [];
  await context.route("**/settings/tokens/owners?*", (route) => {
    asked.push(new URL(route.request().url()).searchParams.getAll("id"));
    return route.fulfill({ json: { alice: "The night shift" } });
  });
  await open();
  const cell = page.getByRole("row", { name: /first token/ }).locator(".owner");
  await cell.getByText("The night shift").waitFor();
  assert.equal((await cell.innerText()).trim(), "The night shift\nalice");
  assert.deepEqual(asked, [["alice"]], "one request, and none for oneself");
  await page.getByRole("button", { name: "Revoke all…" }).click();
  const dialog = page.getByRole("dialog");
  assert.deepEqual(await dialog.locator("datalist option").evaluateAll((options) => options.map(({ value, label }) => [value, label])), [["alice", "The night shift"], ["root", ""]]);
  await dialog.getByLabel("Owner", { exact: true }).fill("alice");
  await dialog.getByText("The night shift (alice) has 1 active token, 1 in total.").waitFor();
  await page.keyboard.press("Escape");
  await open(`#/tokens/${id}`);
  await page.locator(".fact", { hasText: "Owner" }).getByText("The night shift").waitFor();
  await open("#/activity");
  await page.getByText("by The night shift").first().waitFor();
  assert.deepEqual(asked, [["alice"]], "names are asked for once");
});

scene("an owner without a name is shown by the id, whatever it is", ADMIN, async ({ page, context, open, browser, server }) => {
  const alice = await enter(browser, server, "alice");
  await alice.context.close();
  await context.route("**/settings/tokens", async (route) => {
    const answer = await route.fetch();
    const html = (await answer.text()).replace("&quot;names&quot;:null", "&quot;names&quot;:&quot;./tokens/owners&quot;");
    await route.fulfill({ response: answer, body: html });
  });
  await context.route(/:\d+\/tokens\?/, async (route) => {
    const answer = await route.fetch();
    // Objects inherit a member of this name.
    await route.fulfill({ response: answer, body: (await answer.text()).replaceAll('"alice"', '"constructor"') });
  });
  await context.route("**/settings/tokens/owners?*", (route) => route.fulfill({ json: {} }));
  const answered = page.waitForResponse("**/settings/tokens/owners?*");
  await open();
  await (await answered).finished();
  await names(page, 1);
  assert.deepEqual(await page.locator("tbody .owner").allInnerTexts(), ["constructor"]);
});

scene("without names from the host the list shows ids and sends no request", ADMIN, async ({ page, api, open }) => {
  await api.make({ name: "own" });
  const requests = [];
  page.on("request", (request) => requests.push(request.url()));
  await open();
  await names(page, 2);
  assert.deepEqual(await page.locator("tbody .owner").allInnerTexts(), ["root", "alice"]);
  assert.ok(requests.every((url) => !url.includes("/owners")));
});
