// Tests examples/case-studies/api7 with curl, as on API7's own page.
//
// To run it by hand: `cargo build --examples`, `node --test api7.test.mjs`. HALLPASS_EXAMPLES names
// the folder of the examples if it is not target/debug/examples. It needs curl.

import assert from "node:assert/strict";
import path from "node:path";
import { test } from "node:test";
import { run } from "./harness/run.js";
import { folder, startFor } from "./harness/server.js";

/** Runs `curl -i` and returns the status, the headers and the envelope. */
async function curl(...args) {
  const { code, stdout, stderr } = await run("curl", ["--silent", "--show-error", "--max-time", "20", ...args]);
  assert.equal(code, 0, stderr);
  const [head, body] = stdout.split("\r\n\r\n");
  const [first, ...lines] = head.split("\r\n");
  const headers = new Map(lines.map((line) => [line.slice(0, line.indexOf(":")).toLowerCase(), line.slice(line.indexOf(":") + 1).trim()]));
  assert.equal(headers.get("content-type"), "application/json", stdout);
  assert.equal(headers.get("cache-control"), "no-store", stdout);
  assert.match(headers.get("x-request-id"), /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/, stdout);
  const envelope = JSON.parse(body);
  const status = Number(first.split(" ")[1]);
  if (status === 200) {
    assert.deepEqual(Object.keys(envelope).sort(), ["payload", "status"], stdout);
    assert.deepEqual(envelope.status, { code: 0, message: "OK" }, stdout);
  } else {
    assert.deepEqual(Object.keys(envelope).sort(), ["error", "status"], stdout);
    assert.notEqual(envelope.status.code, 0, stdout);
    assert.ok(envelope.error, stdout);
  }
  return { status, headers, payload: envelope.payload, envelope, text: stdout };
}

/**
 * Runs the command of API7's page: `curl https://console.api7.cloud/api/v1/user/me -H
 * 'Authorization: Bearer <PASTE YOUR TOKEN HERE>' -i`.
 */
const me = (url, token) => curl(`${url}/api/v1/user/me`, "-H", `Authorization: Bearer ${token}`, "-i");

/** Signs a person in at the console. Returns a cookie jar and the calls of the console. */
async function console_(t, url, username = "alice", password = "wonderland") {
  const jar = path.join(await folder(t), "cookies");
  const json = ["-H", "Content-Type: application/json"];
  const signedIn = await curl(`${url}/api/v1/user/login`, "-c", jar, ...json, "-d", JSON.stringify({ username, password }), "-i");
  const tokens = `${url}/api/v1/user/tokens`;
  return {
    signedIn,
    jar,
    list: () => curl(tokens, "-b", jar, "-i"),
    generate: (token) => curl(tokens, "-b", jar, ...json, "-d", typeof token === "string" ? token : JSON.stringify(token), "-i"),
    delete: (id) => curl(`${tokens}/${id}`, "-b", jar, "-X", "DELETE", "-i"),
    deleteAll: () => curl(tokens, "-b", jar, "-X", "DELETE", "-i"),
  };
}

async function begin(t) {
  const { url } = await startFor(t, "api7");
  return { url, alice: await console_(t, url) };
}

test("a token with a note and an expiry is shown once and reads the account", async (t) => {
  const { url, alice } = await begin(t);
  const made = (await alice.generate({ notes: "deploy from CI", expire: "2099-12-30T00:00:00Z" })).payload;
  assert.match(made.token, /^api7_[0-9A-Za-z]+$/);
  assert.match(made.id, /^[0-9]+$/);
  assert.deepEqual([made.notes, made.expire, made.status], ["deploy from CI", "2099-12-30T00:00:00Z", "active"]);
  const { token, ...rest } = made;
  const listed = await alice.list();
  assert.deepEqual(listed.payload, { count: 1, limit: 50, list: [rest] });
  assert.ok(!listed.text.includes(token.slice(-49)));

  const { status, headers, envelope } = await me(url, token);
  assert.equal(status, 200);
  assert.ok(Number(headers.get("content-length")) > 0 && headers.get("date"));
  const { id, email, org_ids } = envelope.payload;
  assert.deepEqual([id, email, org_ids, envelope.status], ["1001", "alice@example.com", ["2001"], { code: 0, message: "OK" }]);
  for (const member of ["first_name", "last_name", "connection", "avatar_url", "created_at", "updated_at"]) assert.equal(typeof envelope.payload[member], "string", member);
  assert.ok((await alice.list()).payload.list[0].last_used_at);
});

test("the note is optional but the expiry is required, even for never", async (t) => {
  const { url, alice } = await begin(t);
  const never = (await alice.generate({ expire: "never" })).payload;
  assert.deepEqual([never.notes, never.expire], ["", null]);
  assert.equal((await me(url, never.token)).status, 200);
  assert.ok((await alice.generate({ notes: "for\na month", expire: "30d" })).payload.expire);
  assert.equal((await alice.generate({ expire: "31-12-2098" })).payload.expire, "2099-01-01T00:00:00Z");
  for (const bad of [{}, { notes: "forever" }, { expire: null }, { expire: "" }, { expire: "2020-01-01" }, { expire: "31-04-2099" }, { expire: "1h ago" }, { expire: "never", notes: 7 }, { expire: "never", notes: "x".repeat(1001) }, { expire: "never", notes: "a\0b" }, '{"expire":"never","expire":"1y"}', "[", ""]) {
    const rejected = await alice.generate(bad);
    assert.deepEqual([rejected.status, rejected.envelope.status], [400, { code: 400, message: "bad request" }], JSON.stringify(bad));
  }
  const more = (await alice.generate({ expire: "never", scope: "*", id: "99", later: true })).payload;
  assert.equal(more.id, "4", "unknown members set nothing");
  assert.equal((await alice.list()).payload.count, 4);
});

test("the list is paginated with the parameters of the SDK", async (t) => {
  const { url, alice } = await begin(t);
  for (const notes of ["one", "two", "three"]) await alice.generate({ notes, expire: "30d" });
  const list = async (query) => {
    const { payload } = await curl(`${url}/api/v1/user/tokens?${query}`, "-b", alice.jar, "-i");
    return [payload.count, ...payload.list.map(({ notes }) => notes)];
  };
  assert.deepEqual(await list("page=1&page_size=2"), [3, "three", "two"]);
  assert.deepEqual(await list("page=2&page_size=2"), [3, "one"]);
  assert.deepEqual(await list("page=3&page_size=2"), [3], "the SDK stops at an empty page");
  assert.deepEqual(await list("search=T"), [2, "three", "two"]);
  assert.equal((await curl(`${url}/api/v1/user/tokens?page=x`, "-b", alice.jar, "-i")).status, 400);
});

test("the page has its own sign-in and manages the same tokens", async (t) => {
  const { url } = await startFor(t, "api7");
  const page = `${url}/account/personal-access-token`;
  const stranger = await fetch(page, { redirect: "manual" });
  assert.equal(stranger.status, 401);
  assert.match(await stranger.text(), /href="\/login"/);
  assert.match(await (await fetch(`${url}/login`)).text(), /<form method="post">/);
  const signInPage = (password) => fetch(`${url}/login`, { method: "POST", redirect: "manual", body: new URLSearchParams({ username: "alice", password }) });
  assert.equal((await signInPage("builder")).status, 401);
  const signedIn = await signInPage("wonderland");
  assert.deepEqual([signedIn.status, signedIn.headers.get("location")], [303, "/account/personal-access-token"]);
  const headers = { Cookie: signedIn.headers.get("set-cookie").split(";")[0], "Content-Type": "application/json" };
  assert.equal((await fetch(page, { headers })).status, 200);

  const { scopes, presets, limits } = await (await fetch(`${page}/api/scopes`, { headers })).json();
  assert.deepEqual([scopes.map(({ docs }) => docs), presets.map(({ name }) => name)], [["https://api7.cloud/api"], ["account"]]);
  assert.deepEqual([limits.tokens_per_owner, limits.in_use], [50, 0], "the limit is known beforehand");
  const made = await fetch(`${page}/api`, { method: "POST", headers, body: JSON.stringify({ name: "by hand", preset: "account", expires: "never" }) });
  const { token } = await made.json();
  assert.equal((await me(url, token)).payload.email, "alice@example.com");
  const { payload } = await (await fetch(`${url}/api/v1/user/tokens`, { headers })).json();
  assert.deepEqual(payload.list.map(({ notes, expire }) => [notes, expire]), [["by hand", null]]);
});

test("an invalid or deleted token is unauthorized with code 6", async (t) => {
  const { url, alice } = await begin(t);
  const { id, token } = (await alice.generate({ expire: "30d" })).payload;
  assert.equal((await me(url, token)).status, 200);
  assert.equal((await alice.delete(id)).status, 200);
  const cookie = await curl(`${url}/api/v1/user/me`, "-b", alice.jar, "-i");
  const none = await curl(`${url}/api/v1/user/me`, "-i");
  const query = await curl(`${url}/api/v1/user/me?session=${token}`, "-i");
  const mistyped = token.slice(0, -1) + (token.endsWith("x") ? "y" : "x");
  for (const rejected of [await me(url, token), await me(url, mistyped), await me(url, "nonsense"), none, cookie, query]) {
    assert.equal(rejected.status, 401, rejected.text);
    assert.deepEqual(rejected.envelope.status, { code: 6, message: "unauthorized" });
    assert.match(rejected.headers.get("www-authenticate"), /^Bearer realm="api7"/);
    assert.ok(!rejected.text.includes(token));
  }
});

test("multiple or incomplete credentials are a bad request", async (t) => {
  const { url, alice } = await begin(t);
  const { token } = (await alice.generate({ expire: "30d" })).payload;
  const bearer = ["-H", `Authorization: Bearer ${token}`];
  for (const headers of [[...bearer, ...bearer], ["-H", `Authorization: Bearer ${token}, Bearer ${token}`], ["-H", "Authorization: Bearer"]]) {
    const { status, envelope } = await curl(`${url}/api/v1/user/me`, ...headers, "-i");
    assert.deepEqual([status, envelope.status.code], [400, 400]);
  }
  const both = await curl(`${url}/api/v1/user/tokens`, "-b", alice.jar, ...bearer, "-i");
  assert.equal(both.status, 400);
});

test("the limit of fifty tokens holds under concurrent requests", async (t) => {
  const { alice } = await begin(t);
  const statuses = [];
  for (let round = 0; round < 5; round++) {
    statuses.push(...(await Promise.all(Array.from({ length: 12 }, () => alice.generate({ expire: "30d" })))).map(({ status }) => status));
  }
  assert.deepEqual([statuses.filter((status) => status === 200).length, statuses.filter((status) => status === 409).length], [50, 10]);
  const { count, list } = (await alice.list()).payload;
  assert.deepEqual([count, list.length], [50, 50]);
  await alice.delete(list[0].id);
  assert.equal((await alice.generate({ expire: "30d" })).status, 200);
  assert.equal((await alice.generate({ expire: "30d" })).status, 409);
});

test("deleting one token or all of a person's keeps the tokens of others", async (t) => {
  const { url, alice } = await begin(t);
  const bob = await console_(t, url, "bob", "builder");
  const [first, second, third] = [await alice.generate({ expire: "30d" }), await alice.generate({ expire: "30d" }), await alice.generate({ expire: "30d" })].map(({ payload }) => payload);
  const his = (await bob.generate({ expire: "30d" })).payload;
  assert.equal((await alice.delete(first.id)).status, 200);
  for (const id of [first.id, his.id, `0${second.id}`, `+${second.id}`, "1", "nonsense", "9".repeat(60)]) assert.equal((await alice.delete(id)).status, 404, id);
  assert.deepEqual([(await me(url, first.token)).status, (await me(url, second.token)).status], [401, 200]);
  assert.deepEqual((await alice.deleteAll()).payload, { count: 2 });
  assert.deepEqual([(await me(url, second.token)).status, (await me(url, third.token)).status], [401, 401]);
  assert.deepEqual((await alice.list()).payload, { count: 0, limit: 50, list: [] });
  assert.equal((await me(url, his.token)).payload.id, "1002");
});

test("the console accepts sessions only", async (t) => {
  const { url, alice } = await begin(t);
  const { token } = (await alice.generate({ expire: "30d" })).payload;
  const cookie = alice.signedIn.headers.get("set-cookie");
  assert.match(cookie, /^console=[^;]+; HttpOnly; SameSite=Strict; Path=\//);
  const tokens = `${url}/api/v1/user/tokens`;
  const bearer = ["-H", `Authorization: Bearer ${token}`];
  for (const args of [
    [tokens],
    [tokens, ...bearer],
    [tokens, ...bearer, "-X", "DELETE"],
    [tokens, ...bearer, "-H", "Content-Type: application/json", "-d", '{"expire":"never"}'],
    [`${tokens}?session=${token}`],
    [tokens, "-H", "Cookie: console=nonsense"],
  ]) {
    const { status, envelope } = await curl(...args, "-i");
    assert.deepEqual([status, envelope.status.code], [401, 6], args.join(" "));
  }
  assert.equal((await console_(t, url, "alice", "builder")).signedIn.status, 401);
  assert.equal((await console_(t, url, "mallory", "")).signedIn.status, 401);
  // A form of another site cannot send JSON.
  assert.equal((await curl(tokens, "-b", alice.jar, "-H", "Content-Type: text/plain", "-d", '{"expire":"never"}', "-i")).status, 415);
  assert.equal((await alice.list()).payload.count, 1);
});

test("unknown routes and other errors use the envelope", async (t) => {
  const { url, alice } = await begin(t);
  for (const [args, status] of [
    [[`${url}/`], 404],
    [[`${url}/api/v1/user`], 404],
    [[`${url}/api/v1/user/me`, "-X", "POST"], 401],
    [[`${url}/api/v1/user/tokens`, "-b", alice.jar, "-X", "PUT"], 405],
    [[`${url}/api/v1/user/tokens/%ff`, "-b", alice.jar, "-X", "DELETE"], 400],
    [[`${url}/api/v1/user/tokens`, "-b", alice.jar, "-H", "Content-Type: application/json", "-d", `{"expire":"${"9".repeat(70_000)}"}`], 413],
  ]) {
    assert.equal((await curl(...args, "-i")).status, status, args.join(" ").slice(0, 200));
  }
});
