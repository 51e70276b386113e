// Takes the screenshots in docs/screenshots: the main views of the page in the quickstart.

import { fileURLToPath } from "node:url";
import { enter, launch } from "./harness/browser.js";
import { startServer } from "./harness/server.js";

const folder = fileURLToPath(new URL("../../docs/screenshots/", import.meta.url));

const server = await startServer();
const browser = await launch();
const WIDE = { viewport: { width: 1160, height: 760 } };
const SAME = { reducedMotion: "reduce", timezoneId: "UTC" };
try {
  const stage = await enter(browser, server, "alice", { ...WIDE, ...SAME });
  await furnish(stage, server);
  await list(stage, "list");
  await form(stage);
  await secret(stage);
  await token(stage);
  await activity(stage);
  for (const [name, person, options] of [
    ["list-dark", "alice", { ...WIDE, colorScheme: "dark" }],
    ["list-phone", "alice", { viewport: { width: 390, height: 760 } }],
    ["admin", "root", { viewport: { width: 1360, height: 760 } }],
  ]) {
    await list(await enter(browser, server, person, { ...options, ...SAME }), name);
  }
} finally {
  await browser.close();
  await server.stop();
}

/** Creates some tokens in different states. */
async function furnish({ api }, { url }) {
  await api.call("POST", "/delete", { all: true });
  const build = await api.make({ name: "nightly build", description: "Fetches the artefacts and publishes them", scopes: ["projects:list", "projects:read:atlas", "projects:publish:atlas"], expires: "90d" });
  await fetch(`${url}/api/projects`, { headers: { Authorization: `Bearer ${build.token}` } });
  const laptop = await api.make({ name: "old laptop", preset: "full", expires: "never" });
  await api.call("POST", `/${laptop.id}/revoke`);
  await api.make({ name: "wiki backup", description: "cron on backup-2", preset: "read-only", expires: "5d" });
  const hall = await api.make({ name: "dashboard in the hall", scopes: ["projects:list"], expires: "1y" });
  await api.call("POST", `/${hall.id}/regenerate`, { grace_period: "1d" });
}

async function shoot(page, name, options) {
  await page.screenshot({ path: `${folder}${name}.png`, ...options });
}

async function list({ page, open }, name) {
  await open("#/?status=all");
  await page.locator("table.tokens .name").first().waitFor();
  await page.getByText(/of (at most )?50/).waitFor();
  await shoot(page, name);
}

async function form({ page, open }) {
  await open("#/new");
  await page.getByLabel("Name", { exact: true }).fill("release bot");
  await page.getByRole("radio", { name: "90 days" }).check();
  await page.getByRole("checkbox", { name: /List projects/ }).check();
  await page.getByRole("checkbox", { name: /Read projects/ }).check();
  await page.getByRole("radio", { name: "Only for selected ones" }).check();
  await page.getByLabel("id for Read projects").fill("atlas");
  await page.getByRole("button", { name: "Add" }).click();
  // The viewport is large enough for the whole form and its summary.
  await page.setViewportSize({ width: 1160, height: 1320 });
  await shoot(page, "create", { fullPage: true });
}

async function secret({ page }) {
  await page.getByRole("button", { name: "Create token" }).click();
  await page.locator(".secret").waitFor();
  await page.setViewportSize(WIDE.viewport);
  // The screenshots must not contain a real token, because scanners also find tokens in images.
  await page.locator(".secret").evaluate((code) => (code.textContent = `hp_${"x".repeat(71)}`));
  await page.locator(".curl").evaluate((code) => (code.textContent = `curl -H 'Authorization: Bearer hp_${"x".repeat(71)}' 'https://app.example.com/api/me'`));
  await shoot(page, "secret");
}

async function token({ page, open }) {
  await page.getByRole("button", { name: "I have saved it" }).click();
  await open("#/?status=active");
  await page.getByRole("link", { name: "dashboard in the hall", exact: true }).click();
  await page.getByText("still works for").waitFor();
  await page.getByRole("cell", { name: "List projects", exact: true }).waitFor();
  await shoot(page, "token", { fullPage: true });
}

async function activity({ page, open }) {
  await open("#/activity");
  await page.locator(".entry").first().waitFor();
  await shoot(page, "activity");
}
