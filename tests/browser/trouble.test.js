// Tests error handling: the page shows the problem and a solution, and keeps all input.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { scene, signIn } from "./harness/index.js";

const name = (page) => page.getByLabel("Name", { exact: true });
const create = (page) => page.getByRole("button", { name: "Create token" }).click();
const problem = (page) => page.locator(".problem").filter({ hasText: /\S/ });

async function fillIn(page, open) {
  await open("#/new");
  await name(page).fill("kept");
  await page.getByLabel("Description (optional)").fill("and this");
  await page.getByRole("checkbox", { name: /Read projects/ }).check();
}

async function isKept(page) {
  assert.equal(await name(page).inputValue(), "kept");
  assert.equal(await page.getByLabel("Description (optional)").inputValue(), "and this");
  assert.ok(await page.getByRole("checkbox", { name: /Read projects/ }).isChecked());
}

scene("an expired session keeps the form, which can be sent after a new sign-in", {}, async ({ page, context, open, watched, api }) => {
  watched.expect(401);
  await fillIn(page, open);
  await context.clearCookies();
  await create(page);
  await problem(page).getByText("You are signed out").waitFor();
  const link = problem(page).getByRole("link", { name: /Sign in/ });
  assert.equal(new URL(await link.getAttribute("href")).pathname, "/login");
  assert.equal(await link.getAttribute("target"), "_blank");
  await isKept(page);
  await signIn(context, "alice");
  await create(page);
  await page.locator(".secret").waitFor();
  assert.equal((await api.tokens())[1].description, "and this");
});

for (const [what, answer, said] of [
  ["the store is unavailable", { status: 503, headers: { "Retry-After": "7" }, contentType: "application/problem+json", body: '{"type":"/problems/unavailable","status":503,"detail":"x"}' }, "Try again in 7 seconds"],
  ["the change may have been made", { status: 503, contentType: "application/problem+json", body: '{"type":"urn:acme:outcome-unknown","status":503,"detail":"x"}' }, "Check before you try again"],
  ["a proxy sends its own error page", { status: 502, contentType: "text/html", body: "<h1>Bad gateway</h1>" }, "The server responded with status 502"],
  ["the server fails", { status: 500, contentType: "application/problem+json", body: '{"type":"/problems/internal","status":500,"detail":"x"}' }, "An error occurred on the server."],
]) {
  scene(`the page shows an error and keeps the form when ${what}`, {}, async ({ page, context, open, watched }) => {
    watched.expect(answer.status);
    await fillIn(page, open);
    const broken = (route) => (route.request().method() === "POST" ? route.fulfill(answer) : route.continue());
    await context.route("**/tokens", broken);
    await create(page);
    await problem(page).getByText(said).waitFor();
    await isKept(page);
    await context.unroute("**/tokens", broken);
    await create(page);
    await page.locator(".secret").waitFor();
  });
}

/** The last segments of all problem types of the API, as documented. */
const KINDS = [...readFileSync(new URL("../../crates/hallpass-axum/src/docs/problems.md", import.meta.url), "utf8").split("The layer")[0].matchAll(/`\/problems\/([a-z-]+)` \| (\d+)/g)].map(([, kind, status]) => ({ kind, status: Number(status) }));

for (const [locale, other] of [["en", "Something went wrong"], ["de", "Etwas ist schiefgegangen"]]) {
  scene(`each problem type of the API has a text in the language ${locale}`, { locale }, async ({ page, context, open, watched }) => {
    assert.ok(KINDS.length > 20, `${KINDS.length} kinds`);
    watched.expect(...KINDS.map(({ status }) => status));
    await open();
    await page.getByRole("link", { name: "first token", exact: true }).waitFor();
    const untold = [];
    for (const { kind, status } of KINDS) {
      const body = JSON.stringify({ type: `/problems/${kind}`, title: "x", status, detail: `the server's words on ${kind}` });
      await context.route("**/tokens?*", (route) => route.fulfill({ status, contentType: "application/problem+json", body }));
      await Promise.all([page.waitForResponse(/tokens\?/), page.locator(".toolbar .button").last().click()]);
      const box = problem(page).first();
      await box.waitFor();
      const text = await box.innerText();
      if (text.includes("server's words") || (text.includes(other) && kind !== "internal")) untold.push(`${kind}: ${text}`);
      await context.unroute("**/tokens?*");
      await page.locator(".toolbar .button").last().click();
      await problem(page).waitFor({ state: "detached" });
    }
    assert.deepEqual(untold, []);
  });
}

scene("a lost connection shows a message in the form and in the list", {}, async ({ page, context, open, watched }) => {
  watched.expect("FAILED");
  await open();
  await page.getByRole("link", { name: "first token", exact: true }).waitFor();
  await context.route("**/tokens?*", (route) => route.abort());
  await page.getByRole("button", { name: "Refresh" }).click();
  await problem(page).getByText("The server cannot be reached").waitFor();
  assert.equal(await page.getByRole("link", { name: "first token", exact: true }).count(), 1, "what was there is still there");
  await context.unroute("**/tokens?*");
  await page.getByRole("button", { name: "Try again" }).click();
  await problem(page).waitFor({ state: "detached" });
});

scene("a concurrent change is not overwritten and the input is kept", {}, async ({ page, api, open, watched }) => {
  watched.expect(412);
  const token = await api.make({ name: "before" });
  await open(`#/tokens/${token.id}`);
  await page.getByRole("button", { name: "Edit the name" }).click();
  await name(page).fill("mine");
  await api.call("PATCH", `/${token.id}`, { name: "theirs" });
  await page.getByRole("button", { name: "Save" }).click();
  await problem(page).getByText("This token was changed elsewhere").waitFor();
  assert.equal((await api.show(token.id)).name, "theirs");
  await page.getByRole("button", { name: "Load the current version and keep my input" }).click();
  await page.getByText("Current value: “theirs”").waitFor();
  assert.equal(await name(page).inputValue(), "mine");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByRole("heading", { name: "mine" }).waitFor();
  assert.equal((await api.show(token.id)).name, "mine");
});

scene("a conflict keeps the dialog open", {}, async ({ page, api, open, watched }) => {
  watched.expect(412);
  const token = await api.make({ name: "it" });
  await open(`#/tokens/${token.id}`);
  await page.getByRole("button", { name: "Add scopes" }).click();
  await page.getByRole("checkbox", { name: /Create projects/ }).check();
  await api.call("PATCH", `/${token.id}`, { description: "changed" });
  const add = page.getByRole("dialog").getByRole("button", { name: "Add scopes" });
  await add.click();
  await page.getByRole("button", { name: "Load the current version and keep my input" }).click();
  await problem(page).waitFor({ state: "detached" });
  assert.ok(await page.getByRole("checkbox", { name: /Create projects/ }).isChecked());
  await add.click();
  await page.getByRole("dialog").waitFor({ state: "detached" });
  const now = await api.show(token.id);
  assert.deepEqual([now.description, now.scopes], ["changed", ["projects:create"]]);
});

scene("reaching the token limit shows the count and keeps the form", { server: ["--limit", "2"] }, async ({ page, api, open, watched }) => {
  watched.expect(409);
  await fillIn(page, open);
  await api.make({ name: "second" });
  await create(page);
  await problem(page).getByText("You have 2 of 2 tokens.").waitFor();
  await isKept(page);
});

for (const id of ["01a2036e-ec89-82bd-a180-37eb9531a5ce", "no-id", "%2e%2e%2fscopes", "%E0%A4%A"]) {
  scene(`a link to the missing token ${id} shows not found`, {}, async ({ page, open, watched }) => {
    if (id.length === 36) watched.expect(404);
    await open(`#/tokens/${id}`);
    await page.getByRole("heading", { name: "Not found" }).waitFor();
    await page.getByText("This token does not exist").waitFor();
    await page.getByRole("link", { name: "All tokens" }).click();
    await page.getByRole("heading", { name: "Personal access tokens" }).waitFor();
  });
}

scene("a link to a token of another owner shows not found", { person: "bob" }, async ({ page, open, watched, browser, server }) => {
  watched.expect(404);
  const alice = await browser.newContext({ baseURL: server.url });
  await signIn(alice, "alice");
  const { items } = await (await alice.request.get("/tokens")).json();
  await alice.close();
  await open(`#/tokens/${items[0].id}`);
  await page.getByRole("heading", { name: "Not found" }).waitFor();
});

scene("a URL with an invalid filter shows an error and a link to the whole list", {}, async ({ page, open, watched }) => {
  watched.expect(422);
  await open("#/?sort=secret");
  await page.getByRole("button", { name: "Show the whole list" }).click();
  await page.getByRole("link", { name: "first token", exact: true }).waitFor();
});

scene("a signed-out person is redirected to the sign-in and returns to the page", { person: null }, async ({ page, open, watched }) => {
  watched.expect(401);
  await open();
  await page.waitForURL(/login/);
  assert.equal(new URL(page.url()).pathname, "/login");
  await page.getByLabel("Name").fill("alice");
  await page.getByLabel("Password").fill("wonderland");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("heading", { name: "Personal access tokens" }).waitFor();
});
