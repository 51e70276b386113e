// Tests examples/case-studies/dragonfly with the steps of Dragonfly's own page in newman, Postman's
// command line, with the requests of Dragonfly's console, and with invalid requests.
//
// To run it by hand: `cargo build --examples`, `npm ci`, `node --test dragonfly.test.mjs`.
// HALLPASS_EXAMPLES names the folder of the examples if it is not target/debug/examples.

import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import newman from "newman";
import { startFor } from "./harness/server.js";

const COLLECTION = fileURLToPath(new URL("dragonfly/collection.json", import.meta.url));
const TOKENS = "/api/v1/personal-access-tokens";
const END = "2099-03-31T00:00:00Z";

test("Postman creates, uses, changes and deletes a token", { timeout: 120_000 }, async (t) => {
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

/** Starts a manager for one test. Returns functions that call it and that sign people in. */
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
    return { Cookie: `theme=dark; session=${json.token}` };
  }

  const alice = await signIn("alice", "wonderland");
  const create = async (changes = {}) => (await send("POST", TOKENS, { body: { name: "ci", scopes: ["job"], expired_at: END, ...changes }, headers: alice })).json;
  return { send, signIn, alice, create };
}

test("a token is created from valid members and unknown members are ignored", async (t) => {
  const { send, signIn, alice } = await begin(t);
  const good = { name: "ci", bio: "", scopes: ["job"], expired_at: END };
  for (const bad of [
    { name: undefined }, { name: "" }, { name: "a\u0000b" }, { name: 7 }, { name: null },
    { expired_at: undefined }, { expired_at: "2020-01-01T00:00:00Z" }, { expired_at: "30d" }, { expired_at: "2099-03-31" }, { expired_at: "never" }, { expired_at: "2099-04-31T00:00:00Z" },
    { scopes: ["jobs"] }, { scopes: ["*"] }, { scopes: ["job:1"] }, { scopes: ["JOB"] }, { scopes: "job" }, { scopes: null },
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
  assert.equal((await send("POST", TOKENS, { body: { ...good, user_id: 1 }, headers: alice })).status, 403, "root's number");
  const more = { user_id: 2, id: 7, token: "d7y_x", state: "inactive", is_admin: true, created_at: "2000-01-01T00:00:00Z" };
  const { status, json } = await send("POST", TOKENS, { body: { ...good, ...more }, headers: alice });
  assert.deepEqual([status, json.user_id, json.id, json.state], [200, 2, 1, "active"]);
  assert.ok(json.created_at > "2026");
  assert.equal((await send("POST", TOKENS, { body: { ...good, name: " ci " }, headers: alice })).status, 409, "a name is taken once");
  const bob = await signIn("bob", "builder");
  assert.equal((await send("POST", TOKENS, { body: good, headers: bob })).status, 200, "bob's names are his own");
  for (let count = 1; count < 50; count += 1) assert.equal((await send("POST", TOKENS, { body: { ...good, name: `ci ${count}` }, headers: alice })).status, 200);
  assert.equal((await send("POST", TOKENS, { body: { ...good, name: "one more" }, headers: alice })).status, 409, "the limit is 50");
});

test("a list accepts the documented parameters and ignores others", async (t) => {
  const { send, alice, create } = await begin(t);
  await create();
  for (const bad of ["per_page=10000001", "page=x", "state=all", "page=1&page=2", "page=-1", "user_id=x"]) {
    assert.equal((await send("GET", `${TOKENS}?${bad}`, { headers: alice })).status, 422, bad);
  }
  for (const [query, count] of [
    ["page=0", 1], ["per_page=0", 1], ["page=0&per_page=0&user_id=0&state=", 1], ["user_id=2", 1], ["user_id=1", 0], ["owner=bob&sort=name", 1],
    ["page=99999999999&per_page=10000000", 0], ["state=expired", 0], ["state=inactive", 0],
  ]) {
    const { status, json } = await send("GET", `${TOKENS}?${query}`, { headers: alice });
    assert.deepEqual([status, json.length], [200, count], query);
  }
});

test("responses to the console contain the members that it reads", async (t) => {
  const { url } = await startFor(t, "dragonfly");
  const jar = new Map();
  const call = async (method, path, body) => {
    const headers = { "Content-Type": "application/json", Cookie: [...jar].map((pair) => pair.join("=")).join("; ") };
    const response = await fetch(url + path, { method, headers, body: body && JSON.stringify(body) });
    for (const cookie of response.headers.getSetCookie()) {
      const [name, value] = cookie.split(";")[0].split(/=(.*)/);
      if (value) jar.set(name, value);
      else jar.delete(name);
    }
    const text = await response.text();
    return { status: response.status, json: text && JSON.parse(text) };
  };
  // The console reads the id of the person from the cookie, which scripts can read.
  assert.equal((await call("POST", "/api/v1/users/signin", { name: "alice", password: "wonderland" })).status, 200);
  const { id } = JSON.parse(Buffer.from(jar.get("jwt").split(".")[1], "base64url"));
  const user = ["id", "created_at", "updated_at", "is_del", "email", "name", "avatar", "phone", "state", "location", "bio"];
  const token = ["id", "created_at", "updated_at", "is_del", "name", "bio", "token", "scopes", "state", "expired_at", "user_id", "user"];
  const [made, other] = [1, 2];
  for (const [method, path, body, members] of [
    ["GET", `/api/v1/users/${id}`, undefined, user],
    ["GET", `/api/v1/users/${id}/roles`, undefined, []],
    ["GET", `${TOKENS}?page=1&per_page=10000000`, undefined, []],
    ["POST", TOKENS, { name: "ci", bio: "", scopes: ["preheat", "job"], expired_at: END, user_id: id }, token],
    ["POST", TOKENS, { name: "other", bio: "", scopes: [], expired_at: END, user_id: id }, token],
    ["GET", `${TOKENS}/${made}`, undefined, token],
    ["PATCH", `${TOKENS}/${made}`, { bio: "changed", expired_at: END, scopes: ["job"] }, token],
    ["PATCH", `${TOKENS}/${made}`, { state: "inactive", user_id: id }, token],
    ["PATCH", `${TOKENS}/${made}`, { state: "active" }, token],
    ["DELETE", `${TOKENS}/${other}`, undefined, undefined],
    ["POST", "/api/v1/users/refresh_token", {}, ["token", "expire"]],
    ["GET", `/api/v1/users/${id}`, undefined, user],
    ["POST", "/api/v1/users/signout", {}, undefined],
  ]) {
    const { status, json } = await call(method, path, body);
    assert.equal(status, 200, `${method} ${path} ${JSON.stringify(json)}`);
    if (members?.length > 0) for (const member of members) assert.ok(member in json, `${method} ${path}: ${member}`);
    if (method === "PATCH" || method === "GET") assert.ok(!json.token, "no secret but in the answer to POST");
    if (path.endsWith("/roles")) assert.deepEqual(json, ["guest"]);
  }
  assert.equal((await call("GET", `/api/v1/users/${id}`)).status, 401, "signed out");
});

test("an inactive token is forbidden and keeps its secret and scopes", async (t) => {
  const { send, signIn, alice, create } = await begin(t);
  const { token, id } = await create();
  const patch = (body, headers = alice) => send("PATCH", `${TOKENS}/${id}`, { body, headers });
  const jobs = async () => (await send("GET", "/oapi/v1/jobs", { headers: { Authorization: `Bearer ${token}` } })).status;
  const before = (await send("GET", `${TOKENS}/${id}`, { headers: alice })).json.updated_at;
  assert.deepEqual([(await patch({ state: "inactive" })).json.scopes, await jobs()], [["job"], 403]);
  assert.deepEqual((await send("GET", `${TOKENS}?state=active`, { headers: alice })).json, []);
  assert.deepEqual([(await patch({ bio: "x" })).json.state, await jobs()], ["inactive", 403]);
  assert.deepEqual([(await patch({ scopes: ["cluster", "job"] })).json.scopes, await jobs()], [["cluster", "job"], 403], "for later");
  assert.equal((await patch({ scopes: ["nothing"] })).status, 422);
  const active = (await patch({ state: "active" })).json;
  assert.deepEqual([active.state, active.scopes, await jobs()], ["active", ["cluster", "job"], 200]);
  assert.ok(Date.parse(active.updated_at) > Date.parse(before));
  assert.equal((await patch({ user_id: 1 })).status, 403, "it stays alice's");

  const root = await signIn("root", "dragonfly");
  assert.deepEqual([(await patch({ state: "inactive" }, root)).json.state, await jobs()], ["inactive", 401], "revoked");
  assert.equal((await patch({ state: "active" })).status, 409, "for good");
});

test("concurrent changes succeed or return a conflict", async (t) => {
  const { send, alice, create } = await begin(t);
  const { id } = await create();
  const changes = Array.from({ length: 20 }, (_, n) => send("PATCH", `${TOKENS}/${id}`, { body: { bio: `change ${n}` }, headers: alice }));
  const statuses = (await Promise.all(changes)).map(({ status }) => status);
  assert.ok(statuses.includes(200) && statuses.every((status) => [200, 409].includes(status)), statuses.join(" "));
});

test("the page uses the console's sign-in and manages the same tokens", async (t) => {
  const { url } = await startFor(t, "dragonfly");
  const page = `${url}/developer/personal-access-tokens`;
  const stranger = await fetch(page, { redirect: "manual" });
  assert.equal(stranger.status, 401);
  assert.match(await stranger.text(), /href="\/signin"/);
  assert.match(await (await fetch(`${url}/signin`)).text(), /<form method="post">/);
  const signIn = (password) => fetch(`${url}/signin`, { method: "POST", redirect: "manual", body: new URLSearchParams({ name: "alice", password }) });
  assert.equal((await signIn("builder")).status, 401);
  const signedIn = await signIn("wonderland");
  assert.deepEqual([signedIn.status, signedIn.headers.get("location")], [303, "/developer/personal-access-tokens"]);
  const headers = { Cookie: signedIn.headers.getSetCookie().map((cookie) => cookie.split(";")[0]).join("; "), "Content-Type": "application/json" };
  const shown = await fetch(page, { headers });
  assert.deepEqual([shown.status, shown.headers.get("content-type").split(";")[0]], [200, "text/html"]);

  const { scopes } = await (await fetch(`${page}/api/scopes`, { headers })).json();
  assert.deepEqual(scopes.map(({ scope }) => scope), ["preheat", "job", "cluster"]);
  for (const { docs } of scopes) assert.match(docs, /^https:\/\/d7y\.io\//);
  const made = await fetch(`${page}/api`, { method: "POST", headers, body: JSON.stringify({ name: "by hand", scopes: ["job"], expires: "30d" }) });
  const { token } = await made.json();
  assert.equal((await fetch(`${url}/oapi/v1/jobs`, { headers: { Authorization: `Bearer ${token}` } })).status, 200);
  const listed = await (await fetch(url + TOKENS, { headers })).json();
  assert.deepEqual(listed.map(({ name, scopes }) => [name, scopes]), [["by hand", ["job"]]]);
});

test("jobs and clusters accept the documented members and act for the token's owner", async (t) => {
  const { send, create } = await begin(t);
  const { token } = await create({ scopes: ["preheat", "job", "cluster"] });
  const headers = { Authorization: `Bearer ${token}` };
  const job = { type: "preheat", args: { url: "https://example.com" }, bio: "x", scheduler_cluster_ids: [1], user_id: 1, later: true };
  const made = (await send("POST", "/oapi/v1/jobs", { body: job, headers })).json;
  assert.deepEqual([made.state, made.user_id, made.bio, made.scheduler_cluster_ids], ["PENDING", 2, "x", [1]]);
  assert.deepEqual((await send("POST", "/preheats", { body: { type: "image", url: "https://example.com" }, headers })).json, { id: "2" });
  for (const [path, body] of [["/oapi/v1/jobs", job], ["/oapi/v1/clusters", { name: "cluster-2", bio: "", scheduler_cluster_config: {} }]]) {
    const { id } = (await send("POST", path, { body, headers })).json;
    const changed = await send("PATCH", `${path}/${id}`, { body: { bio: "y", id: 99, user_id: 1 }, headers });
    assert.deepEqual([changed.status, changed.json.bio, changed.json.id, changed.json.user_id], [200, "y", id, 2]);
    assert.equal((await send("DELETE", `${path}/${id}`, { headers })).status, 200);
    assert.equal((await send("GET", `${path}/${id}`, { headers })).status, 404);
    assert.equal((await send("GET", `${path}/x`, { headers })).status, 422);
    assert.equal((await send("POST", path, { body: {}, headers })).status, 422);
  }
});

test("managing tokens requires exactly one sign-in credential", async (t) => {
  const { send, alice, create } = await begin(t);
  const { token, id } = await create();
  const login = alice.Cookie.split("session=")[1];
  const bearer = { Authorization: `Bearer ${login}` };
  assert.equal((await send("GET", TOKENS, { headers: bearer })).status, 200);
  for (const [headers, expected] of [
    [{}, 401],
    [{ Authorization: `Bearer ${token}` }, 401],
    [{ Cookie: `session=${token}` }, 401],
    [{ Cookie: "session=" }, 400],
    [{ Cookie: "session=x y" }, 400],
    [{ ...alice, ...bearer }, 400],
    [{ Cookie: `session=${login}; session=${login}` }, 400],
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
  for (const [bad, expected] of [["x", 422], ["0", 422], [`-${id}`, 422], ["1.5", 422], [id + 1, 404], ["99999999999999999999", 422]]) {
    assert.equal((await send("GET", `${TOKENS}/${bad}`, { headers: alice })).status, expected, bad);
  }
});

test("the Open API accepts personal access tokens only", async (t) => {
  const { send, alice, create } = await begin(t);
  const { token } = await create();
  const jobs = (headers, query = "") => send("GET", `/oapi/v1/jobs${query}`, { headers });
  assert.equal((await jobs({ Authorization: `bearer ${token}` })).status, 200);
  assert.equal((await jobs(alice)).status, 401, "a login is none");
  assert.equal((await jobs({ Authorization: `Bearer ${alice.Cookie.split("session=")[1]}` })).status, 401);
  assert.equal((await jobs({}, `?access_token=${token}`)).status, 200);
  assert.equal((await jobs({}, `?session=${token}`)).status, 401);
  assert.equal((await jobs({}, "?access_token=")).status, 400);
  assert.equal((await jobs({}, `?access_token=${token}&access_token=${token}`)).status, 400);
  assert.equal((await jobs({ Authorization: `Bearer ${token} x` })).status, 400);
  assert.equal((await send("DELETE", "/oapi/v1/jobs", { headers: { Authorization: `Bearer ${token}` } })).status, 405);
  assert.equal((await send("GET", "/oapi/v1/nothing")).status, 404);
});
