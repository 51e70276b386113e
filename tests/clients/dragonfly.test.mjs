// Postman's newman against examples/dragonfly, by the steps of Dragonfly's own page, and what no console would send.
//
// By hand: `cargo build --examples`, `npm ci`, `node --test dragonfly.test.mjs`. HALLPASS_EXAMPLES says where the
// examples are, if not in target/debug/examples.

import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import newman from "newman";
import { startFor } from "./harness/server.js";

const COLLECTION = fileURLToPath(new URL("dragonfly/collection.json", import.meta.url));
const TOKENS = "/api/v1/personal-access-tokens";
const END = "2099-03-31T00:00:00Z";

test("Postman creates a token, adds it to the Open API and sends, changes it and deletes it", { timeout: 120_000 }, async (t) => {
  const { url } = await startFor(t, "dragonfly");
  const summary = await new Promise((resolve, reject) => {
    newman.run({ collection: COLLECTION, envVar: [{ key: "manager", value: url }] }, (error, summary) => (error ? reject(error) : resolve(summary)));
  });
  const failures = summary.run.failures.map(({ source, error }) => `${source?.name}: ${error.test ?? error.name}: ${error.message}`);
  assert.deepEqual(failures, []);
  const { requests, assertions } = summary.run.stats;
  assert.equal(requests.total, 41);
  assert.ok(assertions.total > requests.total, "each request is looked at");
});

/** A manager of the test's own: what it answers, and how people sign in. */
async function begin(t) {
  const { url } = await startFor(t, "dragonfly");

  async function send(method, path, { body, text, headers = {} } = {}) {
    const sent = text ?? (body === undefined ? undefined : JSON.stringify(body));
    const type = sent === undefined ? {} : { "Content-Type": "application/json" };
    const response = await fetch(url + path, { method, body: sent, headers: { ...type, ...headers } });
    assert.match(response.headers.get("cache-control"), /no-store/);
    const answer = await response.text();
    const json = answer && JSON.parse(answer);
    if (response.status >= 400) {
      assert.deepEqual(Object.keys(json), [response.status === 422 ? "errors" : "message"], answer);
    }
    return { status: response.status, json, headers: response.headers };
  }

  async function signIn(name, password) {
    const { json } = await send("POST", "/api/v1/users/signin", { body: { name, password } });
    return { Cookie: `theme=dark; jwt=${json.token}` };
  }

  const alice = await signIn("alice", "wonderland");
  const create = async (changes = {}) => (await send("POST", TOKENS, { body: { name: "ci", scopes: ["job"], expired_at: END, ...changes }, headers: alice })).json;
  return { send, signIn, alice, create };
}

test("a token is created of valid parts alone, and nothing else is set on the way", async (t) => {
  const { send, alice } = await begin(t);
  const good = { name: "ci", bio: "", scopes: ["job"], expired_at: END };
  for (const bad of [
    { name: undefined }, { name: "" }, { name: "a\u0000b" }, { name: 7 }, { name: null },
    { expired_at: undefined }, { expired_at: "2020-01-01T00:00:00Z" }, { expired_at: "30d" }, { expired_at: "2099-03-31" }, { expired_at: "never" }, { expired_at: "2099-04-31T00:00:00Z" },
    { scopes: ["jobs"] }, { scopes: ["*"] }, { scopes: ["job:1"] }, { scopes: ["JOB"] }, { scopes: "job" }, { scopes: null },
    { user_id: 1 }, { id: 1 }, { token: "d7y_x" }, { state: "active" }, { is_admin: true },
  ]) {
    const { status } = await send("POST", TOKENS, { body: { ...good, ...bad }, headers: alice });
    assert.equal(status, 422, JSON.stringify(bad));
  }
  for (const text of ["{", '{"name": "a", "name": "b", "expired_at": "2099-03-31T00:00:00Z"}', `${"[".repeat(10_000)}`]) {
    assert.equal((await send("POST", TOKENS, { text, headers: alice })).status, 422);
  }
  assert.equal((await send("POST", TOKENS, { body: { ...good, bio: "x".repeat(70_000) }, headers: alice })).status, 413);
  assert.equal((await send("POST", TOKENS, { body: good, headers: { ...alice, "Content-Type": "text/plain" } })).status, 415);
  assert.deepEqual((await send("GET", TOKENS, { headers: alice })).json, []);
  for (let count = 0; count < 50; count += 1) assert.equal((await send("POST", TOKENS, { body: good, headers: alice })).status, 200);
  assert.equal((await send("POST", TOKENS, { body: good, headers: alice })).status, 409, "that is enough");
});

test("a list is asked for in words that it knows", async (t) => {
  const { send, alice, create } = await begin(t);
  await create();
  for (const bad of ["page=0", "per_page=0", "per_page=10000001", "page=x", "state=all", "owner=bob", "page=1&page=2", "page=-1"]) {
    assert.equal((await send("GET", `${TOKENS}?${bad}`, { headers: alice })).status, 422, bad);
  }
  assert.deepEqual((await send("GET", `${TOKENS}?page=99999999999&per_page=10000000`, { headers: alice })).json, []);
  assert.equal((await send("GET", `${TOKENS}?state=expired`, { headers: alice })).json.length, 0);
});

test("tokens are managed by people who are signed in, one way at a time", async (t) => {
  const { send, alice, create } = await begin(t);
  const { token, id } = await create();
  const login = alice.Cookie.split("jwt=")[1];
  const bearer = { Authorization: `Bearer ${login}` };
  assert.equal((await send("GET", TOKENS, { headers: bearer })).status, 200);
  for (const [headers, expected] of [
    [{}, 401],
    [{ Authorization: `Bearer ${token}` }, 401],
    [{ Cookie: `jwt=${token}` }, 401],
    [{ Cookie: "jwt=" }, 400],
    [{ Cookie: "jwt=x y" }, 400],
    [{ ...alice, ...bearer }, 400],
    [{ Cookie: `jwt=${login}; jwt=${login}` }, 400],
    [{ Authorization: "Basic YWxpY2U6d29uZGVybGFuZA==" }, 401],
  ]) {
    for (const [method, path] of [["GET", TOKENS], ["GET", `${TOKENS}/${id}`], ["DELETE", `${TOKENS}/${id}`], ["PUT", TOKENS]]) {
      const { status } = await send(method, path, { headers });
      assert.equal(status, expected, `${method} ${path} ${JSON.stringify(Object.keys(headers))}`);
    }
  }
  assert.equal((await send("GET", `${TOKENS}?access_token=${login}`)).status, 401);
  assert.equal((await send("PUT", TOKENS, { headers: alice })).status, 405);
  assert.equal((await send("POST", "/api/v1/users/signin", { body: { name: "alice", password: "builder" } })).status, 401);
  for (const path of [`${TOKENS}/x`, `${TOKENS}/0${id}`, `${TOKENS}/1`, `${TOKENS}/-${id}`]) {
    assert.equal((await send("GET", path, { headers: alice })).status, 404, path);
  }
});

test("the Open API takes personal access tokens, and nothing else", async (t) => {
  const { send, alice, create } = await begin(t);
  const { token } = await create();
  const jobs = (headers, query = "") => send("GET", `/oapi/v1/jobs${query}`, { headers });
  assert.equal((await jobs({ Authorization: `bearer ${token}` })).status, 200);
  assert.equal((await jobs(alice)).status, 401, "a login is none");
  assert.equal((await jobs({ Authorization: `Bearer ${alice.Cookie.split("jwt=")[1]}` })).status, 401);
  assert.equal((await jobs({}, `?access_token=${token}`)).status, 200);
  assert.equal((await jobs({}, `?session=${token}`)).status, 401);
  assert.equal((await jobs({}, "?access_token=")).status, 400);
  assert.equal((await jobs({}, `?access_token=${token}&access_token=${token}`)).status, 400);
  assert.equal((await jobs({ Authorization: `Bearer ${token} x` })).status, 400);
  assert.equal((await send("DELETE", "/oapi/v1/jobs", { headers: { Authorization: `Bearer ${token}` } })).status, 405);
  assert.equal((await send("GET", "/oapi/v1/nothing")).status, 404);
});
