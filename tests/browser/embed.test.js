// Tests the embedded page, which is part of the host's page without a frame.

import assert from "node:assert/strict";
import { accessible } from "./harness/axe.js";
import { scene, use } from "./harness/index.js";
import { serveHost } from "./harness/host.js";

const dialog = (page) => page.getByRole("dialog");
const row = (page, name) => page.getByRole("link", { name, exact: true });
const style = (locator, property) => locator.evaluate((element, property) => getComputedStyle(element)[property], property);

scene("a token is created, used and revoked in an embedded page without side effects", {}, async ({ page, context, api, server, open }) => {
  await serveHost(context);
  await page.goto("/host#a-section-of-the-host");
  const [address, entries] = [page.url(), await page.evaluate(() => history.length)];
  const own = page.getByRole("heading", { name: "Settings" });
  const size = await style(own, "fontSize");
  await row(page, "first token").waitFor();
  await page.getByRole("link", { name: "New token" }).click();
  await page.getByLabel("Name", { exact: true }).fill("embedded");
  await page.getByRole("checkbox", { name: /List projects/ }).check();
  await page.getByRole("button", { name: "Create token" }).click();
  const secret = await page.locator(".secret").innerText();
  assert.equal(await use(server, secret), 200);
  await page.getByRole("link", { name: "All tokens" }).click();
  await dialog(page).getByRole("button", { name: "Cancel" }).click();
  assert.equal(await page.locator(".secret").innerText(), secret, "leaving an unsaved secret requires confirmation");
  await page.getByRole("button", { name: "I have saved it" }).click();
  await page.getByRole("button", { name: "Revoke", exact: true }).click();
  await dialog(page).getByRole("button", { name: "Revoke" }).click();
  await page.locator(".badge.revoked").waitFor();
  assert.equal(await use(server, secret), 401);
  await page.getByRole("link", { name: "Activity" }).first().click();
  await page.locator(".entry-head", { hasText: "Revoked" }).waitFor();
  assert.equal((await api.tokens()).length, 2);

  assert.deepEqual([page.url(), await page.title(), await page.evaluate(() => history.length)], [address, "The host", entries]);
  assert.equal(await style(own, "fontSize"), size);
  assert.equal(await page.getByRole("navigation").count(), 1, "the host has links of its own");
});

scene("styles are isolated from the host, except for its custom properties", {}, async ({ page, context, open }) => {
  await serveHost(context, { css: "#tokens { --hallpass-accent: rgb(1, 2, 3); }" });
  await page.goto("/host");
  await row(page, "first token").waitFor();
  assert.equal(await style(page.getByRole("heading", { name: "Personal access tokens" }), "borderStyle"), "none");
  assert.equal(await style(page.getByRole("button", { name: "Refresh" }), "textTransform"), "none");
  assert.equal(await style(page.getByRole("link", { name: "New token" }), "backgroundColor"), "rgb(1, 2, 3)");
  assert.equal(await style(page.locator("html"), "backgroundColor"), "rgba(0, 0, 0, 0)");
});

for (const [css, isDark] of [["", false], [":root { color-scheme: light dark; }", true]]) {
  scene(`the embedded page is ${isDark ? "dark" : "light"} if the host ${isDark ? "has" : "has no"} dark colours`, { colorScheme: "dark" }, async ({ page, context }) => {
    await serveHost(context, { css });
    await page.goto("/host");
    await row(page, "first token").waitFor();
    assert.equal(await style(page.locator(".panel").first(), "backgroundColor"), isDark ? "rgb(24, 31, 29)" : "rgb(255, 255, 255)");
  });
}

scene("the URL fragment names the view if the host allows it", {}, async ({ page, context }) => {
  await serveHost(context, { options: { fragment: true } });
  await page.goto("/host#/new");
  await page.getByRole("heading", { name: "New token" }).waitFor();
  await page.getByRole("link", { name: "All tokens" }).click();
  await row(page, "first token").click();
  await page.getByRole("heading", { name: "first token" }).waitFor();
  assert.match(new URL(page.url()).hash, /^#\/tokens\//);
  await page.reload();
  await page.getByRole("heading", { name: "first token" }).waitFor();
  await page.goBack();
  await row(page, "first token").waitFor();
  assert.equal(await page.title(), "The host");
});

scene("rows become cards in a narrow column and nothing overflows", {}, async ({ page, context, api }) => {
  await api.make({ name: "w".repeat(100), description: "long ".repeat(50), scopes: ["projects:list", "projects:read"] });
  await serveHost(context, { css: "#tokens { width: 360px; }" });
  await page.goto("/host");
  await row(page, "first token").waitFor();
  assert.equal(await style(page.getByRole("columnheader", { name: "Expires", includeHidden: true }), "display"), "none");
  const width = () => page.evaluate(() => document.querySelector("#tokens").shadowRoot.querySelector(".main").scrollWidth);
  assert.ok((await width()) <= 360, `${await width()} pixels`);
  await page.getByRole("link", { name: "New token" }).click();
  await page.getByRole("checkbox", { name: /Read projects/ }).check();
  assert.ok((await width()) <= 360, `${await width()} pixels`);
});

scene("cards in a column of medium width have no overlapping content", {}, async ({ page, context, api }) => {
  const token = await api.make({ name: "w".repeat(100), description: "long ".repeat(50), scopes: ["projects:list"], expires: "3d" });
  await api.call("POST", `/${token.id}/regenerate`, { grace_period: "1d" });
  for (const width of [940, 700, 630]) {
    await serveHost(context, { css: `#tokens { width: ${width}px; }` });
    await page.goto("/host");
    await row(page, "first token").waitFor();
    const overlapping = await page.locator("tbody tr").evaluateAll((rows) =>
      rows.flatMap((row) => {
        const parts = [...row.querySelectorAll(".name, .clip, .chip, .badge, time, .button")].map((part) => ({ text: part.textContent, ...part.getBoundingClientRect().toJSON() }));
        const meet = (a, b) => a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1;
        return parts.flatMap((a, at) => parts.slice(at + 1).filter((b) => a.width > 0 && b.width > 0 && meet(a, b)).map((b) => `${a.text} and ${b.text}`));
      }),
    );
    assert.deepEqual(overlapping, [], `${width} pixels`);
  }
});

scene("the embedded page can be removed and mounted again", {}, async ({ page, context }) => {
  await serveHost(context);
  await page.goto("/host");
  await row(page, "first token").click();
  await page.getByRole("heading", { name: "first token" }).waitFor();
  await page.getByRole("button", { name: "Revoke", exact: true }).click();
  await page.evaluate(() => globalThis.remove());
  assert.equal(await page.locator("#tokens").evaluate(({ shadowRoot }) => shadowRoot.childElementCount), 0);
  await page.evaluate(() => void globalThis.show());
  await row(page, "first token").waitFor();
});

scene("a signed-out person sees a notice in the host's page without a redirect", { person: null }, async ({ page, context }) => {
  await serveHost(context);
  await page.goto("/host#here");
  await page.getByRole("heading", { name: "You are not signed in" }).waitFor();
  const link = new URL(await page.getByRole("link", { name: "Sign in" }).evaluate(({ href }) => href));
  assert.deepEqual([link.pathname, link.searchParams.get("next")], ["/login", "/host#here"]);
});

scene("the embedded page passes the accessibility checks", { reducedMotion: "reduce" }, async ({ page, context, api }) => {
  await api.make({ name: "soon", expires: "3d", scopes: ["projects:list"] });
  await serveHost(context);
  await page.goto("/host");
  await row(page, "soon").waitFor();
  await accessible(page, "the list", { within: "#tokens" });
  await row(page, "soon").click();
  await page.getByRole("cell", { name: "List projects" }).waitFor();
  await accessible(page, "a token", { within: "#tokens" });
  await page.getByRole("button", { name: "Regenerate" }).click();
  await dialog(page).waitFor();
  await accessible(page, "a question", { within: "#tokens" });
});
