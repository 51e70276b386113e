// Starts browsers and signs people in.

import assert from "node:assert/strict";
import { chromium } from "playwright-core";
import { passwordOf } from "./server.js";
import { watch } from "./watch.js";

const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** The time limit for each action on the page, in milliseconds. */
export const PATIENCE = Number(process.env.PATIENCE ?? 60_000);

/** Starts the browser. */
export const launch = () => chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium-headless-shell", args: FLAGS, timeout: PATIENCE });

/** Opens a browser context for a person on a server. */
export async function enter(browser, server, person, { path = "/settings/tokens", ...options } = {}) {
  const context = await browser.newContext({ baseURL: server.url, viewport: { width: 1280, height: 800 }, ...options });
  context.setDefaultTimeout(PATIENCE);
  if (person) await signIn(context, person);
  const page = await context.newPage();
  const watched = watch(page, server.url);
  const api = apiOf(context);
  return { browser, server, context, page, watched, api, open: (hash = "") => page.goto(`${path}${hash}`) };
}

/** Signs a person in. */
export async function signIn(context, person) {
  const answer = await context.request.post("/login", { form: { username: person, password: passwordOf(person) }, maxRedirects: 0 });
  assert.equal(answer.status(), 303);
}

/** Creates a client of the REST API for the person who is signed in. */
function apiOf(context) {
  const call = async (method, path, data, headers) => {
    const answer = await context.request.fetch(`/tokens${path}`, { method, data, headers });
    const text = await answer.text();
    return { status: answer.status(), body: text === "" ? null : JSON.parse(text) };
  };
  return {
    call,
    /** Creates a token and returns it. */
    async make(token) {
      const { status, body } = await call("POST", "", token);
      assert.equal(status, 201, JSON.stringify(body));
      return body;
    },
    async tokens() {
      return (await call("GET", "?limit=100&sort=created_at")).body.items;
    },
    show: async (id) => (await call("GET", `/${id}`)).body,
  };
}

/** Delays each response to a page, like a slow network. */
export async function delay(page, milliseconds) {
  const devtools = await page.context().newCDPSession(page);
  await devtools.send("Network.enable");
  await devtools.send("Network.emulateNetworkConditions", { offline: false, latency: milliseconds, downloadThroughput: -1, uploadThroughput: -1 });
}

/** Repeats a check until it passes, if no locator can wait for the condition. */
export async function eventually(check) {
  for (const deadline = Date.now() + PATIENCE; ; await new Promise((resolve) => setTimeout(resolve, 20))) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() > deadline) throw error;
    }
  }
}

/** Calls `/api/me` with the token and returns the status. */
export async function use(server, token) {
  return (await fetch(`${server.url}/api/me`, { headers: { Authorization: `Bearer ${token}` } })).status;
}
