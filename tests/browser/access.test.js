// Tests the accessibility of the page: contrast, semantics, keyboard use, zoom and text direction.

import assert from "node:assert/strict";
import { COLOURS, accessible } from "./harness/axe.js";
import { scene } from "./harness/index.js";

/** Visits each view with some content. */
async function tour({ page, api, open }, look) {
  const long = "w".repeat(100);
  const token = await api.make({ name: long, description: `${long} `.repeat(9), scopes: ["projects:list", "projects:read", `projects:read:${"x".repeat(100)}`], expires: "90d" });
  const revoked = await api.make({ name: "revoked" });
  await api.call("POST", `/${revoked.id}/revoke`);
  await open("#/?status=all");
  await page.locator(".badge.revoked").waitFor();
  await page.getByText(/You have 3 of/).waitFor();
  await look("the list");
  await page.getByLabel("Select all tokens shown").check();
  await look("the list, selected");
  await page.getByRole("button", { name: /^Delete selected/ }).click();
  await look("a question");
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Delete all…" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete all" }).click();
  await page.getByText("without the quotes").waitFor();
  await look("a question with a fault");
  await page.keyboard.press("Escape");
  await page.getByRole("searchbox", { name: "Search name or description" }).fill("nothing");
  await page.getByRole("heading", { name: "No matching tokens" }).waitFor();
  await look("no match");
  await open("#/new");
  await page.getByLabel("Name", { exact: true }).waitFor();
  await page.getByRole("radio", { name: "On a date" }).check();
  await page.getByRole("checkbox", { name: /Read projects/ }).check();
  await page.getByRole("radio", { name: "Only for selected ones" }).check();
  await page.getByLabel("id for Read projects").fill("x".repeat(90));
  await page.getByRole("button", { name: "Add" }).click();
  await page.getByRole("button", { name: "Create token" }).click();
  await page.getByText("Enter a name.").waitFor();
  await look("the form, with a fault");
  await page.getByLabel("Name", { exact: true }).fill("it");
  await page.getByRole("radio", { name: "30 days" }).check();
  await page.getByRole("button", { name: "Create token" }).click();
  await page.locator(".secret").waitFor();
  await look("the secret");
  await page.getByRole("link", { name: "All tokens" }).click();
  await page.getByRole("dialog").waitFor();
  await look("the question before leaving");
  await page.getByRole("button", { name: "Leave" }).click();
  await page.getByRole("heading", { name: "Personal access tokens" }).waitFor();
  await open(`#/tokens/${token.id}`);
  await page.getByRole("cell", { name: "List projects", exact: true }).waitFor();
  await look("a token");
  await page.getByRole("button", { name: "Edit the description" }).click();
  await look("a token, edited");
  await page.getByRole("button", { name: "Add scopes" }).click();
  await page.getByRole("dialog").waitFor();
  await look("scopes to add");
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Regenerate" }).click();
  await page.getByRole("dialog").waitFor();
  await look("regenerating");
  await page.getByRole("dialog").getByLabel("Old secret").selectOption({ label: "Keeps working for a day" });
  await page.getByRole("dialog").getByRole("button", { name: "Regenerate" }).click();
  await page.getByRole("button", { name: "I have saved it" }).click();
  await page.getByText("still works for").waitFor();
  await look("an old secret that works");
  await open(`#/tokens/${token.id}/activity`);
  await page.locator(".entry").first().waitFor();
  await page.getByRole("heading", { name: "Activity of" }).waitFor();
  await look("the activity");
  await open("#/tokens/none");
  await page.getByRole("heading", { name: "Not found" }).waitFor();
  await look("what is not there");
  await api.call("POST", "/delete", { all: true });
  await open();
  await page.reload();
  await page.getByRole("heading", { name: "No tokens yet" }).waitFor();
  await look("the empty list");
}

for (const [options, rules] of [[{ colorScheme: "light" }], [{ colorScheme: "dark" }, COLOURS], [{ colorScheme: "light", forcedColors: "active" }, COLOURS]]) {
  scene(`axe reports no violations ${rules ? "of contrast " : ""}with ${Object.values(options).join(" and forced colours ")}`, { ...options, reducedMotion: "reduce" }, async (stage) => {
    stage.watched.expect(404);
    await tour(stage, (where) => accessible(stage.page, where, { rules }));
  });
}

scene("axe detects a deliberate accessibility fault", {}, async ({ page, open }) => {
  await open();
  await page.evaluate(() => Object.assign(document.querySelector("h1").style, { color: "#ccc", background: "#fff" }));
  await assert.rejects(accessible(page, "here", { rules: COLOURS }), /color-contrast/);
  await page.evaluate(() => document.querySelector("main").append(document.createElement("button")));
  await assert.rejects(accessible(page, "here"), /button-name/);
});

/** Returns the elements that overflow the screen horizontally. */
const sticksOut = (page) =>
  page.evaluate(() => {
    const width = document.documentElement.clientWidth;
    const inside = (element) => !element.closest(".hidden, .skip") && getComputedStyle(element).overflow !== "hidden";
    const isOut = ({ left, right }) => left < -1 || right > width + 1;
    const over = [...document.querySelectorAll("body *")].filter((element) => inside(element) && isOut(element.getBoundingClientRect()));
    return { scroll: document.documentElement.scrollWidth > width, over: over.map((element) => element.outerHTML.slice(0, 120)) };
  });

/** Mirrors the page as a right-to-left language does. */
const fromRightToLeft = (context) =>
  context.route("**/settings/tokens", async (route) => {
    const answer = await route.fetch();
    const html = (await answer.text()).replace('dir="ltr"', 'dir="rtl"');
    await route.fulfill({ response: answer, body: html });
  });

const PHONE = { viewport: { width: 360, height: 740 }, hasTouch: true };
// A zoom of 200 % leaves 640 of the 1280 pixels of a screen.
const ZOOMED = { viewport: { width: 640, height: 400 }, deviceScaleFactor: 2 };
const WIDE = { viewport: { width: 1280, height: 800 } };

for (const [what, options, turned] of [
  ["a screen of 360 pixels", PHONE, false],
  ["a zoom of 200 %", ZOOMED, false],
  ["a right-to-left screen of 360 pixels", PHONE, true],
  ["a wide right-to-left screen", WIDE, true],
]) {
  scene(`the page fits ${what}`, options, async (stage) => {
    stage.watched.expect(404);
    if (turned) await fromRightToLeft(stage.context);
    await tour(stage, async (where) => {
      assert.deepEqual(await sticksOut(stage.page), { scroll: false, over: [] }, where);
      if (turned) assert.equal(await stage.page.evaluate(() => getComputedStyle(document.querySelector("main")).direction), "rtl");
    });
  });
}

scene("a right-to-left page is mirrored except secrets, commands and scopes", WIDE, async ({ page, context, api, open }) => {
  await fromRightToLeft(context);
  await api.make({ name: "ci", scopes: ["projects:list"] });
  await open();
  await page.getByRole("link", { name: "ci", exact: true }).waitFor();
  const left = (locator) => locator.evaluate((element) => element.getBoundingClientRect().left);
  assert.ok((await left(page.getByRole("heading", { name: "Personal access tokens" }))) > (await left(page.getByRole("link", { name: "New token" }))), "the heading is at the right");
  assert.ok((await left(page.getByRole("columnheader", { name: "Name" }))) > (await left(page.getByRole("columnheader", { name: "Expires" }))));
  await open("#/new");
  await page.getByLabel("Name", { exact: true }).fill("it");
  await page.getByRole("checkbox", { name: /Read projects/ }).check();
  await page.getByRole("radio", { name: "Only for selected ones" }).check();
  const direction = (locator) => locator.evaluate((element) => getComputedStyle(element).direction);
  assert.equal(await direction(page.getByLabel("id for Read projects")), "ltr");
  await page.getByLabel("id for Read projects").fill("atlas");
  await page.getByRole("button", { name: "Create token" }).click();
  for (const code of [page.locator(".secret"), page.locator(".curl")]) assert.equal(await direction(code), "ltr");
});

scene("forced colours keep selection, focus and dangerous actions visible", { ...WIDE, forcedColors: "active" }, async ({ page, api, open }) => {
  await api.make({ name: "ci" });
  await open();
  await page.getByLabel("Select ci", { exact: true }).check();
  const differs = (one, other, property) =>
    page.evaluate(([property, ...selectors]) => {
      const [a, b] = selectors.map((selector) => getComputedStyle(document.querySelector(selector))[property]);
      return a !== b;
    }, [property, one, other]);
  assert.ok(await differs("tr.selected", "tbody tr:not(.selected)", "outlineStyle"), "a selected row");
  assert.ok(await differs(".statuses input:checked + span", ".statuses input:not(:checked) + span", "outlineStyle"), "a chosen filter");
  const button = page.getByRole("button", { name: "Refresh" });
  await button.focus();
  await page.keyboard.press("Shift+Tab");
  await page.keyboard.press("Tab");
  assert.notEqual(await button.evaluate((element) => getComputedStyle(element).outlineStyle), "none", "the focus");
});

scene("a narrow screen offers a menu for the sort order", { viewport: { width: 360, height: 740 } }, async ({ page, api, open }) => {
  await api.make({ name: "a" });
  await api.make({ name: "z" });
  await open();
  await page.getByLabel("Order").selectOption({ label: "Name, Z to A" });
  await page.waitForFunction(() => document.querySelector("table.tokens .name")?.textContent === "z");
});

/** Presses Tab until the element has the focus. */
async function tabTo(page, locator, limit = 60) {
  await locator.waitFor();
  for (let presses = 0; presses < limit; presses += 1) {
    if (await locator.evaluate((element) => element === document.activeElement)) return;
    await page.keyboard.press("Tab");
  }
  assert.fail(`${locator} cannot be reached by Tab`);
}

scene("a token can be created, edited and deleted with the keyboard alone", {}, async ({ page, api, open }) => {
  await open();
  await tabTo(page, page.getByRole("link", { name: "Skip to the content" }));
  await tabTo(page, page.getByRole("link", { name: "New token" }));
  await page.keyboard.press("Enter");
  const name = page.getByLabel("Name", { exact: true });
  await name.waitFor();
  await page.waitForFunction(() => document.activeElement?.name === "name");
  await page.keyboard.type("by hand");
  await tabTo(page, page.getByRole("radio", { name: "30 days" }));
  await page.keyboard.press("ArrowRight");
  assert.ok(await page.getByRole("radio", { name: "60 days" }).isChecked());
  await tabTo(page, page.getByRole("checkbox", { name: /List projects/ }));
  await page.keyboard.press("Space");
  await tabTo(page, page.getByRole("button", { name: "Create token" }));
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Your new token" }).waitFor();
  await tabTo(page, page.getByRole("button", { name: "I have saved it" }), 5);
  await page.keyboard.press("Enter");
  await tabTo(page, page.getByRole("button", { name: "Edit the name" }));
  await page.keyboard.press("Enter");
  await page.keyboard.type("by keyboard");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "by keyboard" }).waitFor();
  await page.waitForFunction(() => document.activeElement?.ariaLabel === "Edit the name");
  const revoke = page.getByRole("button", { name: "Revoke", exact: true });
  await tabTo(page, revoke);
  await page.keyboard.press("Enter");
  await page.keyboard.press("Escape");
  assert.ok(await revoke.evaluate((button) => button === document.activeElement), "the focus is back");
  await tabTo(page, page.getByRole("button", { name: "Delete" }));
  await page.keyboard.press("Enter");
  // Cancel has the focus first, so a second Enter deletes nothing.
  await page.keyboard.press("Enter");
  assert.equal((await api.tokens()).length, 2);
  await page.keyboard.press("Enter");
  await tabTo(page, page.getByRole("dialog").getByRole("button", { name: "Delete", exact: true }), 5);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Personal access tokens" }).waitFor();
  await page.waitForFunction(() => document.activeElement?.tagName === "H1");
  assert.equal((await api.tokens()).length, 1);
});

scene("the skip link moves the focus to the content and keeps the view", {}, async ({ page, api, open }) => {
  const token = await api.make({ name: "ci" });
  await open(`#/tokens/${token.id}`);
  await page.getByRole("heading", { name: "ci" }).waitFor();
  const address = page.url();
  await page.getByRole("link", { name: "Skip to the content" }).focus();
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => document.activeElement?.id === "main");
  assert.equal(page.url(), address);
  await page.getByRole("heading", { name: "ci" }).waitFor();
});

scene("screen readers get an announcement of each result", {}, async ({ page, open }) => {
  await open();
  await page.getByRole("button", { name: "Delete first token" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete", exact: true }).click();
  await page.locator("#status").getByText("first token deleted.").waitFor();
  assert.equal(await page.locator("#status").getAttribute("aria-live"), "polite");
});

/** Delays the response with the list until the returned function is called. */
async function hold(context) {
  let release;
  const held = new Promise((resolve) => (release = resolve));
  await context.route("**/tokens?*", async (route) => {
    await held;
    await route.continue();
  });
  return release;
}

scene("the list shows an animated placeholder while it loads", {}, async ({ page, context, open }) => {
  const release = await hold(context);
  await open();
  await page.locator(".waiting").first().waitFor();
  assert.notEqual(await page.evaluate(() => document.getAnimations().length), 0);
  release();
});

scene("reduced motion disables all animations", { reducedMotion: "reduce" }, async ({ page, context, open }) => {
  const release = await hold(context);
  await open();
  await page.locator(".waiting").first().waitFor();
  assert.equal(await page.evaluate(() => document.getAnimations().length), 0);
  release();
  await page.getByRole("button", { name: "Delete all…" }).click();
  await page.getByRole("dialog").waitFor();
  assert.equal(await page.evaluate(() => document.getAnimations().length), 0);
});

