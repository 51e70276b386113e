// The pictures in docs/screenshots: the main views, as somebody sees them who uses the quickstart.

import { fileURLToPath } from "node:url";
import { enter, launch } from "./harness/browser.js";
import { startServer } from "./harness/server.js";

const folder = fileURLToPath(new URL("../../docs/screenshots/", import.meta.url));

const server = await startServer();
const browser = await launch();
try {
  const stage = await enter(browser, server, "alice", { viewport: { width: 1160, height: 720 }, reducedMotion: "reduce", timezoneId: "UTC" });
  await furnish(stage, server);
  await list(stage, "list");
  await form(stage);
  await secret(stage);
  await token(stage);
  for (const [name, options] of [["list-dark", { colorScheme: "dark", viewport: { width: 1160, height: 720 } }], ["list-phone", { viewport: { width: 360, height: 720 } }]]) {
    await list(await enter(browser, server, "alice", { ...options, reducedMotion: "reduce", timezoneId: "UTC" }), name);
  }
} finally {
  await browser.close();
  await server.stop();
}

/** Some tokens, each in a state of its own. */
async function furnish({ api }, { url }) {
  await api.call("POST", "/delete", { all: true });
  const build = await api.make({ name: "nightly build", description: "Fetches the artefacts and publishes them", scopes: ["projects:list", "projects:read:atlas", "projects:publish:atlas"], expires: "90d" });
  await fetch(`${url}/api/projects`, { headers: { Authorization: `Bearer ${build.token}` } });
  const laptop = await api.make({ name: "old laptop", preset: "full", expires: "never" });
  await api.call("POST", `/${laptop.id}/revoke`);
  await api.make({ name: "wiki backup", description: "cron on backup-2", preset: "read-only", expires: "30d" });
  await api.make({ name: "dashboard in the hall", scopes: ["projects:list"], expires: "1y" });
}

async function shoot(page, name, options) {
  await page.screenshot({ path: `${folder}${name}.png`, ...options });
}

async function list({ page, open }, name) {
  await open();
  await page.locator("table.tokens .name").first().waitFor();
  await shoot(page, name);
}

async function form({ page, open }) {
  await open("#/new");
  await page.getByLabel("Name", { exact: true }).fill("release bot");
  await page.getByRole("radio", { name: "90 days" }).check();
  await page.getByRole("checkbox", { name: /List projects/ }).check();
  await page.getByLabel("id", { exact: true }).fill("atlas");
  await page.getByRole("button", { name: "Add" }).click();
  await shoot(page, "create", { fullPage: true });
}

async function secret({ page }) {
  await page.getByRole("button", { name: "Create token" }).click();
  await page.locator(".secret").waitFor();
  // A picture of a token is a token, for scanners too.
  await page.locator(".secret").evaluate((code) => (code.textContent = `hp_${"x".repeat(71)}`));
  await page.locator(".secret-panel").scrollIntoViewIfNeeded();
  await shoot(page, "secret");
}

async function token({ page }) {
  await page.getByRole("button", { name: "I have saved it" }).click();
  await page.getByRole("cell", { name: "List projects", exact: true }).waitFor();
  await shoot(page, "token", { fullPage: true });
}
