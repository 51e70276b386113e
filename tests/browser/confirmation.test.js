// Tests the password prompt for hosts that require a password with each change.

import assert from "node:assert/strict";
import { passwordOf } from "./harness/server.js";
import { scene } from "./harness/index.js";

const CONFIRM = { server: ["--confirm"] };
const prompt = (page) => page.getByRole("dialog", { name: "Confirm with your password" });
const confirm = async (page, password) => {
  await prompt(page).getByLabel("Your password").fill(password);
  await prompt(page).getByRole("button", { name: "Confirm" }).click();
};
/** Returns the password as it is sent. */
const sent = (password) => Buffer.from(password, "utf8").toString("base64url");

async function fillIn(page, open) {
  await open("#/new");
  await page.getByLabel("Name", { exact: true }).fill("it");
  await page.getByRole("button", { name: "Create token" }).click();
  await prompt(page).waitFor();
}

scene("a change requires the correct password", CONFIRM, async ({ page, open, api, watched }) => {
  watched.expect(403);
  await fillIn(page, open);
  await prompt(page).getByText("Create the token “it”.").waitFor();
  assert.deepEqual(await prompt(page).locator("input[autocomplete=username]").evaluateAll((inputs) => inputs.map(({ value }) => value)), ["alice"], "for password managers");
  assert.ok(await prompt(page).getByLabel("Your password").evaluate((input) => input === document.activeElement));
  await prompt(page).getByRole("button", { name: "Confirm" }).click();
  await prompt(page).getByText("Enter your password.").waitFor();
  await confirm(page, "wrong");
  await prompt(page).getByText("Incorrect password.").waitFor();
  assert.equal(await prompt(page).getByLabel("Your password").inputValue(), "");
  assert.equal((await api.tokens()).length, 1, "nothing is made yet");
  const [request] = await Promise.all([
    page.waitForRequest((request) => request.headers()["hallpass-confirmation"] === sent(passwordOf("alice"))),
    confirm(page, passwordOf("alice")),
  ]);
  assert.ok(!request.url().includes(passwordOf("alice")));
  await page.locator(".secret").waitFor();
  assert.equal(await page.getByRole("dialog").count(), 0);
  assert.equal((await api.tokens()).length, 2);
  const kept = await page.evaluate(() => JSON.stringify([document.documentElement.outerHTML, { ...localStorage }, { ...sessionStorage }, history.state, location.href]));
  assert.ok(!kept.includes(passwordOf("alice")) && !kept.includes(sent(passwordOf("alice"))));
});

scene("a name in another direction does not scramble the prompt", CONFIRM, async ({ page, open, watched }) => {
  watched.expect(403);
  await open("#/new");
  await page.getByLabel("Name", { exact: true }).fill("שלום 1");
  await page.getByRole("button", { name: "Create token" }).click();
  await prompt(page).getByText("Create the token “שלום 1”.").waitFor();
  assert.equal(await prompt(page).locator("bdi").innerText(), "שלום 1");
});

scene("cancelling the confirmation keeps the form and changes nothing", CONFIRM, async ({ page, open, api, watched }) => {
  watched.expect(403);
  await fillIn(page, open);
  await page.keyboard.press("Escape");
  await prompt(page).waitFor({ state: "detached" });
  assert.equal(await page.getByLabel("Name", { exact: true }).inputValue(), "it");
  assert.equal(await page.locator(".problem > *").count(), 0);
  assert.equal((await api.tokens()).length, 1);
  await page.getByRole("button", { name: "Create token" }).click();
  await confirm(page, passwordOf("alice"));
  await page.locator(".secret").waitFor();
});

scene("each change prompts for the password before it sends a request", CONFIRM, async ({ page, open, api, watched }) => {
  watched.expect(403);
  await fillIn(page, open);
  await confirm(page, passwordOf("alice"));
  await page.getByRole("button", { name: "I have saved it" }).click();
  const changes = [];
  page.on("request", (request) => request.method() !== "GET" && changes.push(request.url()));
  await page.getByRole("button", { name: "Revoke" }).click();
  await page.getByRole("dialog", { name: "Revoke this token?" }).getByRole("button", { name: "Revoke" }).click();
  await prompt(page).waitFor();
  assert.deepEqual(changes, []);
  await confirm(page, passwordOf("alice"));
  await page.locator(".badge.revoked").waitFor();
  assert.equal(changes.length, 1);
  assert.equal(await page.getByRole("dialog").count(), 0);
  // Delete a token from the list.
  await page.getByRole("link", { name: "All tokens" }).click();
  await page.getByRole("radio", { name: "Revoked" }).check();
  await page.getByRole("button", { name: "Delete it" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete", exact: true }).click();
  await confirm(page, passwordOf("alice"));
  await page.getByText("it deleted.").waitFor();
  assert.equal((await api.tokens()).length, 1);
});

scene("too many wrong passwords start a countdown before the next attempt", CONFIRM, async ({ page, open, watched }) => {
  watched.expect(403, 429);
  await page.clock.install();
  await fillIn(page, open);
  for (let attempt = 0; attempt < 5; attempt += 1) {
    await confirm(page, `wrong ${attempt}`);
    // The error disappears when the attempt is sent and appears again with the response.
    await prompt(page).getByText("Incorrect password.").waitFor();
  }
  await confirm(page, passwordOf("alice"));
  await prompt(page).getByText(/Try again in \d+ seconds?/).waitFor();
  const said = await prompt(page).locator(".error").innerText();
  const first = Number(/Try again in (\d+) second/.exec(said)[1]);
  assert.ok(await prompt(page).getByRole("button", { name: "Confirm" }).isDisabled());
  // After the countdown another attempt is possible.
  await page.clock.fastForward(10_000);
  await page.waitForFunction(
    (first) => Number(/Try again in (\d+) second/.exec(document.querySelector("dialog .error").textContent)?.[1]) < first - 8,
    first,
  );
  await page.clock.fastForward(first * 1000);
  await prompt(page).getByRole("button", { name: "Confirm" }).and(page.locator(":enabled")).waitFor();
  assert.equal(await prompt(page).locator(".error").innerText(), "");
});

scene("a password with non-ASCII letters is sent as UTF-8", {}, async ({ page, open, context, watched }) => {
  watched.expect(403);
  const password = "pässwörd ✓ 💡 ÿ?>~";
  const headers = [];
  await context.route("**/tokens", async (route) => {
    const confirmation = route.request().headers()["hallpass-confirmation"];
    if (route.request().method() !== "POST") return route.continue();
    headers.push(confirmation);
    if (confirmation === sent(password)) return route.continue();
    const problem = { type: "/problems/confirmation-required", title: "x", status: 403, detail: "x" };
    return route.fulfill({ status: 403, contentType: "application/problem+json", body: JSON.stringify(problem) });
  });
  await fillIn(page, open);
  await confirm(page, password);
  await page.locator(".secret").waitFor();
  assert.deepEqual(headers, [undefined, sent(password)]);
  assert.match(sent(password), /^[A-Za-z0-9_-]+$/);
});
