// Tests the expiry day. A selected day includes all of that day in the local time zone, and the
// whole page shows the same day.

import assert from "node:assert/strict";
import { scene } from "./harness/index.js";

const dialog = (page) => page.getByRole("dialog");

for (const [zone, end] of [
  ["UTC", "2099-04-01T00:00:00Z"],
  ["Europe/Berlin", "2099-03-31T22:00:00Z"],
  ["Pacific/Auckland", "2099-03-31T11:00:00Z"],
  ["America/New_York", "2099-04-01T04:00:00Z"],
  ["Australia/Adelaide", "2099-03-31T13:30:00Z"],
  ["Pacific/Honolulu", "2099-04-01T10:00:00Z"],
]) {
  scene(`the whole page shows 2099-03-31 as the last day in ${zone}`, { timezoneId: zone }, async ({ page, api, open }) => {
    await open("#/new");
    await page.getByLabel("Name", { exact: true }).fill("spring");
    await page.getByRole("radio", { name: "On a date" }).check();
    await page.getByLabel("Last day").fill("2099-03-31");
    await page.getByText(/the end of Tuesday, 2099-03-31 \(in \d+ years, /).getByText(`${zone} time)`).waitFor();
    await page.getByRole("button", { name: "Create token" }).click();
    await page.locator(".secret").waitFor();
    const token = (await api.tokens()).find(({ name }) => name === "spring");
    assert.equal(token.expires_at, end, "the instant at which the day is over there");
    await page.getByText("through 2099-03-31").waitFor();
    await page.getByText(`in your time zone, ${zone}.`).waitFor();
    await page.getByRole("button", { name: "I have saved it" }).click();
    await page.getByRole("button", { name: "Change" }).click();
    await dialog(page).getByRole("radio", { name: "Unchanged (2099-03-31)" }).waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("link", { name: "Copy as new" }).click();
    await page.getByRole("radio", { name: "As the original (2099-03-31)" }).waitFor();
    await page.getByText(`the end of Tuesday, 2099-03-31`).waitFor();
    await page.getByRole("link", { name: "Cancel" }).click();
    const row = page.getByRole("row", { name: /spring/ });
    assert.equal(await row.locator(".expires time").innerText(), "2099-03-31");
    await page.getByText(`in your time zone, ${zone}.`).waitFor();
  });
}

scene("a day that starts at 01:00 ends when the next day starts", { timezoneId: "Africa/Cairo" }, async ({ page, api, open }) => {
  // On 2099-04-24 the clocks change from 00:00 to 01:00.
  await open("#/new");
  await page.getByLabel("Name", { exact: true }).fill("cairo");
  await page.getByRole("radio", { name: "On a date" }).check();
  await page.getByLabel("Last day").fill("2099-04-23");
  await page.getByRole("button", { name: "Create token" }).click();
  await page.getByText("through 2099-04-23").waitFor();
  assert.equal((await api.tokens()).find(({ name }) => name === "cairo").expires_at, "2099-04-23T22:00:00Z");
});

scene("a token that expires within a day shows the time of its expiry", { timezoneId: "America/New_York" }, async ({ page, api, open }) => {
  const token = await api.make({ name: "utc", expires: "2099-03-31" });
  await open(`#/tokens/${token.id}`);
  await page.getByText("until 2099-03-31 20:00").waitFor();
});

scene("the form rejects a missing or past day with a clear message", {}, async ({ page, open }) => {
  await open("#/new");
  await page.getByLabel("Name", { exact: true }).fill("it");
  await page.getByRole("radio", { name: "On a date" }).check();
  const sent = [];
  page.on("request", (request) => request.method() === "POST" && sent.push(request.url()));
  const create = page.getByRole("button", { name: "Create token" });
  await create.click();
  await page.getByText("Choose the last day on which the token works.").waitFor();
  assert.ok(await page.getByLabel("Last day").evaluate((input) => input === document.activeElement));
  await page.getByLabel("Last day").fill("2020-01-01");
  await create.click();
  await page.getByText("This day has passed. Choose today or a later day.").waitFor();
  await page.getByLabel("Last day").fill("9999-12-31");
  await create.click();
  await page.getByText(/Choose 9999-12-\d\d or an earlier day/).waitFor();
  assert.deepEqual(sent, [], "nothing was sent");
  assert.doesNotMatch(await page.locator("main").innerText(), /RFC|`/);
});
