// Tests malicious names, server texts and sites, and the limits of the Content Security Policy.

import assert from "node:assert/strict";
import { eventually, scene } from "./harness/index.js";

const CORPUS = [
  "<script>globalThis.hit = 1</script>",
  "\"><img src=x onerror=globalThis.hit=1>",
  "'><svg onload=globalThis.hit=1>",
  "<svg><script>globalThis.hit=1</script></svg>",
  "<iframe srcdoc='<script>parent.hit=1</script>'>",
  "javascript:globalThis.hit=1",
  "<a href=javascript:globalThis.hit=1>x</a>",
  "{{7*7}}${7*7}#{7*7}<%= 7*7 %>",
  "</title></textarea></style><script>globalThis.hit=1</script>",
  "<style>*{display:none}</style>",
  "<base href=//evil.example/>",
  "<math><mtext><img src=x onerror=globalThis.hit=1>",
  "&lt;b&gt; &amp; &#x3c;script&#x3e;",
  "__proto__",
  "constructor",
  "=cmd()|' /C calc'!A0",
  "\\u003cscript\\u003e",
];

const unharmed = async (page, what) => {
  const found = await page.evaluate(() => ({
    hit: globalThis.hit,
    strange: document.querySelectorAll("body script, iframe, img, style, base, object, embed, body svg:not(.glyph), math, [onerror], [onload], a[href^='javascript:']").length,
  }));
  assert.deepEqual(found, { hit: undefined, strange: 0 }, what);
};

scene("names and descriptions are always rendered as plain text", { server: ["--limit", "60"] }, async ({ page, api, open }) => {
  await api.call("POST", "/delete", { all: true });
  const made = [];
  for (const text of CORPUS) made.push(await api.make({ name: text, description: text }));
  await open();
  await page.locator("table.tokens tbody .name").nth(CORPUS.length - 1).waitFor();
  const shown = await page.locator("table.tokens tbody tr").evaluateAll((rows) => rows.map((row) => [row.querySelector(".name").textContent, row.querySelector(".clip").textContent]));
  assert.deepEqual(shown, [...CORPUS].reverse().map((text) => [text, text]));
  await unharmed(page, "the list");
  await page.getByLabel("Select all tokens shown").check();
  await page.getByRole("button", { name: /Delete selected/ }).click();
  assert.deepEqual(await page.getByRole("dialog").getByRole("listitem").first().innerText(), CORPUS.at(-1));
  await unharmed(page, "a question");
  await page.keyboard.press("Escape");
  for (const { id, name } of made) {
    await page.goto(`/settings/tokens#/tokens/${id}`);
    await page.waitForFunction((name) => document.querySelector("h1")?.textContent === name, name);
    assert.equal(await page.title(), name.replace(/\s+/g, " ").trim());
    assert.equal(await page.locator(".description").textContent(), name);
    await page.getByRole("button", { name: "Edit the description" }).click();
    assert.equal(await page.getByLabel("Description").inputValue(), name);
    await unharmed(page, name);
  }
  await page.goto(`/settings/tokens#/tokens/${made[1].id}/copy`);
  await page.waitForFunction((name) => document.querySelector("input[name=name]")?.value === name, `${CORPUS[1]} (copy)`);
  await unharmed(page, "a copy");
});

scene("problem details from the server are rendered as plain text", {}, async ({ page, context, open, watched }) => {
  watched.expect(422);
  const text = CORPUS[1];
  await open("#/new");
  await page.getByLabel("Name", { exact: true }).fill(text);
  const said = { type: "/problems/invalid", status: 422, detail: text, errors: [{ field: "name", message: text }, { field: text, message: text }] };
  await context.route("**/tokens", (route) => route.fulfill({ status: 422, contentType: "application/problem+json", body: JSON.stringify(said) }));
  await page.getByRole("button", { name: "Create token" }).click();
  await page.locator(".problem > *").first().waitFor();
  await unharmed(page, "a problem");
});

scene("the Content Security Policy blocks everything that the page does not need", {}, async ({ page, open, watched }) => {
  const answer = await open();
  const headers = answer.headers();
  const policy = headers["content-security-policy"].split("; ");
  for (const directive of ["default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'", "img-src 'self'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"]) {
    assert.ok(policy.includes(directive), directive);
  }
  assert.ok(!/unsafe|\*|http:|https:|data:|blob:/.test(headers["content-security-policy"]));
  assert.equal(headers["referrer-policy"], "no-referrer");
  assert.equal(headers["x-content-type-options"], "nosniff");
  assert.equal(headers["cache-control"], "no-store");
  const html = await answer.text();
  assert.doesNotMatch(html, /<script(?![^>]* src=)|<style| style=| on\w+=|javascript:/i);
  assert.deepEqual(watched.faults, []);
  // The browser must block each of these and report it on the console.
  const rejected = await page.evaluate(async () => {
    const tried = {};
    const attempt = async (name, action) => {
      try {
        await action();
        tried[name] = false;
      } catch {
        tried[name] = true;
      }
    };
    await attempt("text as HTML", () => (document.createElement("div").innerHTML = "<b>x</b>"));
    await attempt("text as a script", () => globalThis.setTimeout("globalThis.hit = 1"));
    await attempt("another origin", () => fetch("http://localhost:9/"));
    const script = document.createElement("script");
    document.head.append(script);
    try {
      script.append("globalThis.hit = 1");
    } catch {
      // The assignment may throw already, or the code may not run.
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
    tried["an inline script"] = globalThis.hit === undefined;
    return tried;
  });
  assert.deepEqual(rejected, { "text as HTML": true, "text as a script": true, "another origin": true, "an inline script": true });
  // The checks of the other tests must detect this. Console messages arrive with a short delay.
  for (const line of [/TrustedHTML/, /TrustedScript/, /connect-src 'self'/, /will not be executed/]) {
    await eventually(() => assert.match(watched.faults.join("\n"), line));
  }
  watched.faults.length = 0;
});

scene("another site can neither frame the page nor send changes for the person", {}, async ({ context, server, api }) => {
  const other = await context.newPage();
  // The same server under another name is another site.
  const elsewhere = server.url.replace("127.0.0.1", "localhost");
  const trap = `<iframe src="${server.url}/settings/tokens"></iframe><iframe src="/harmless"></iframe>`;
  await context.route(`${elsewhere}/trap`, (route) => route.fulfill({ contentType: "text/html", body: trap }));
  await context.route(`${elsewhere}/harmless`, (route) => route.fulfill({ contentType: "text/html", body: "<p>shown</p>" }));
  await other.goto(`${elsewhere}/trap`);
  const [, page, harmless] = other.frames();
  await harmless.waitForSelector("text=shown");
  // The browser shows an error page instead of the frame.
  await eventually(() => assert.equal(page.url(), "chrome-error://chromewebdata/"));
  const answer = await other.evaluate((url) => fetch(`${url}/tokens/delete`, { method: "POST", body: '{"all": true}', mode: "no-cors", credentials: "include" }).then(({ type }) => type, () => "none"), server.url);
  assert.match(answer, /^(none|opaque)$/);
  assert.equal((await api.tokens()).length, 1);
});
