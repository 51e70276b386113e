// Tests examples/case-studies/magistrala with Magistrala's own SDK: the 13 calls of its class PATs,
// its sign-in and its channels. Further tests send the requests of other clients, of scripts, and
// of the OpenAPI document of Magistrala's auth service.
//
// To run it by hand: `cargo build --examples`, `npm ci`, `node --test magistrala.test.mjs`.
// HALLPASS_EXAMPLES names the folder of the examples if it is not target/debug/examples.

import assert from "node:assert/strict";
import { readdir, rm } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import packaged from "@absmach/magistrala-sdk";
import { folder, startFor } from "./harness/server.js";

// Node loads the package as CommonJS.
const SDK = packaged.default;

const HOME = "3f0a6c52-8d1b-4b7e-9a44-d0c1f2e3a4b5";
const PLANT = "c4e7d1f8-2a96-4f03-b5d8-6e1a7b8c9d0e";
const UNKNOWN = "018f3c1e-7a2b-8c4d-9e5f-0123456789ab";

const ALICE = "5e2f8a10-6b1d-4c39-8f27-a1b2c3d4e5f6";
const BOB = "a7c41d9e-0f53-4b86-9e1a-0b1c2d3e4f50";
/** The zero time, as Go formats it. */
const NO_TIME = "0001-01-01T00:00:00Z";

const OPTIONS = ["--store", "sqlite:pats.db"];

/** Signs a person in. Returns the SDK for that server and the login token. */
async function signIn(url, username = "alice", password = "wonderland") {
  const sdk = new SDK({ usersUrl: url, authUrl: url, channelsUrl: url });
  const { access_token: login } = await sdk.Users.CreateToken({ username, password });
  return { url, sdk, pats: sdk.PATs, login };
}

/** Starts a server for one test, and signs alice in. */
const alone = async (t) => signIn((await startFor(t, "magistrala", OPTIONS)).url);

const scope = (operation, entity_id, entity_type = "channels", domain_id = HOME) => ({ domain_id, entity_type, operation, entity_id });

/** Returns the status of a rejected call of the SDK. Its message must not be empty. */
async function rejected(call) {
  const fault = await call.then(() => assert.fail("it was let through"), (fault) => fault);
  assert.ok(fault.error, `no message: ${JSON.stringify(fault)}`);
  return fault.status;
}

/** Returns the status of a request that reads a channel with a PAT: 200 or 404, 403, 401. */
const reads = ({ sdk }, secret, channel, domain = HOME) =>
  sdk.Channels.Channel(channel, domain, secret).then(
    (found) => (assert.equal(found.id, channel), 200),
    (fault) => fault.status,
  );

const call = (url, path, { token, ...options } = {}) =>
  fetch(url + path, { ...options, headers: { ...(token && { Authorization: `Bearer ${token}` }), ...options.headers } });

const hours = (from, to) => (new Date(to) - new Date(from)) / 3_600_000;

test("the tests cover all calls of the SDK", () => {
  const calls = Object.getOwnPropertyNames(Object.getPrototypeOf(new SDK().PATs)).filter((name) => name !== "constructor");
  const used = ["CreatePAT", "ListPATS", "ViewPAT", "DeleteAllPATs", "UpdateName", "UpdateDescription", "DeletePAT", "ResetSecret", "RevokePAT", "AddScope", "ListScopes", "DeleteScopes", "DeleteAllScopes"];
  assert.deepEqual(calls.sort(), used.sort());
});

test("a PAT has a name, a duration and a description, and shows its secret once", async (t) => {
  const { pats, login } = await alone(t);
  const made = await pats.CreatePAT("ci", "720h", login, "nightly build");
  assert.match(made.secret, /^pat_[0-9A-Za-z]+$/);
  assert.deepEqual([made.user_id, made.name, made.description, made.status], [ALICE, "ci", "nightly build", "active"]);
  assert.deepEqual([made.revoked, made.revoked_at, made.last_used_at, made.updated_at], [false, NO_TIME, NO_TIME, NO_TIME]);
  assert.equal(hours(made.issued_at, made.expires_at), 720);
  const { secret, ...rest } = made;
  assert.deepEqual(await pats.ViewPAT(made.id, login), rest);
  const page = await pats.ListPATS({ offset: 0, limit: 10 }, login);
  assert.deepEqual(page, { total: 1, offset: 0, limit: 10, pats: [rest] });
  const everything = JSON.stringify([page, await pats.ListScopes(made.id, {}, login), await pats.UpdateName("ci 2", made.id, login)]);
  assert.ok(!everything.includes(secret.slice(-49)), "the secret is in no other answer");
  assert.ok(!/hash|digest|secret/i.test(everything), everything);
});

test("durations use Go's format or days and are at least one minute", async (t) => {
  const { pats, login } = await alone(t);
  for (const [duration, long] of [["720h", 720], ["1h30m", 1.5], ["1.5h", 1.5], ["90m", 1.5], ["30d", 720], ["2w", 336], ["3600s", 1], ["3600000ms", 1], ["3600000000us", 1], ["3600000000µs", 1], ["3600000000000ns", 1], ["60m", 1], ["1y", 8760]]) {
    const { issued_at, expires_at } = await pats.CreatePAT("ci", duration, login);
    assert.equal(hours(issued_at, expires_at), long, duration);
  }
  for (const duration of ["", "0", "0h", "59s", "-1h", "1h ago", "1 hour", "PT1H", "30", "h", "1e3h", "9999999999999h", "59999ms", "8000y", "never", "٣d", null, undefined, 24]) {
    assert.equal(await rejected(pats.CreatePAT("ci", duration, login)), 400, String(duration));
  }
  assert.equal((await pats.ListPATS({}, login)).total, 13);
});

test("separate calls change name and description and nothing else", async (t) => {
  const { pats, login } = await alone(t);
  const { id } = await pats.CreatePAT("ci", "1h", login);
  assert.equal((await pats.UpdateName("deploy", id, login)).name, "deploy");
  assert.equal((await pats.UpdateDescription("to production", id, login)).description, "to production");
  assert.equal(await rejected(pats.UpdateDescription("", id, login)), 400);
  const { name, description, issued_at, updated_at } = await pats.ViewPAT(id, login);
  assert.deepEqual([name, description], ["deploy", "to production"]);
  assert.ok(Date.parse(updated_at) >= Date.parse(issued_at));
  for (const bad of ["", "  ", "a\nb", "x".repeat(101), null, 7]) assert.equal(await rejected(pats.UpdateName(bad, id, login)), 400, String(bad));
});

test("scopes are added, listed in pages, and removed one by one or all at once", async (t) => {
  const { pats, login } = await alone(t);
  const { id } = await pats.CreatePAT("ci", "1h", login);
  assert.deepEqual(await pats.ListScopes(id, {}, login), { total: 0, offset: 0, limit: 10, scopes: [] });
  const wanted = [scope("read", "garden"), scope("list", "*"), scope("publish", "garden", "messages"), scope("share", "*", "dashboards")];
  assert.ok((await pats.AddScope(wanted, id, login)).status < 300);
  await pats.AddScope([wanted[0]], id, login);
  const { total, scopes } = await pats.ListScopes(id, { offset: 0, limit: 10 }, login);
  assert.equal(total, 4, "none is there twice");
  assert.ok(scopes.every((held) => held.pat_id === id));
  const bare = scopes.map(({ id, pat_id, ...held }) => held);
  for (const held of wanted) assert.ok(bare.some((other) => isDeepStrictEqual(other, held)), JSON.stringify(held));
  const second = await pats.ListScopes(id, { offset: 1, limit: 2 }, login);
  assert.deepEqual(second, { total: 4, offset: 1, limit: 2, scopes: scopes.slice(1, 3) });
  assert.deepEqual((await pats.ListScopes(id, { id: scopes[2].id }, login)).scopes, [scopes[2]]);
  assert.equal(await rejected(pats.ListScopes(id, { limit: 0 }, login)), 400);
  for (const held of scopes) assert.match(held.id, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);

  await pats.DeleteScopes(id, [scopes[0].id, scopes[2].id], login);
  assert.deepEqual((await pats.ListScopes(id, {}, login)).scopes, [scopes[1], scopes[3]]);
  assert.equal(await rejected(pats.DeleteScopes(id, [scopes[1].id, scopes[0].id], login)), 404, "one of them is gone");
  assert.equal((await pats.ListScopes(id, {}, login)).total, 2, "then none is taken away");
  await pats.DeleteAllScopes(id, login);
  assert.equal((await pats.ListScopes(id, {}, login)).total, 0);
});

test("a PAT is limited to its scopes and has no access without any", async (t) => {
  const at = await alone(t);
  const { url, sdk, pats, login } = at;
  const { id, secret } = await pats.CreatePAT("ci", "1h", login);
  const list = (domain = HOME) => sdk.Channels.Channels({ offset: 0, limit: 10 }, domain, secret).then((page) => page.total, (fault) => fault.status);
  const publish = (channel) => call(url, `/${HOME}/channels/${channel}/messages`, { token: secret, method: "POST", headers: { "Content-Type": "application/json" }, body: '{"v":1}' }).then((answer) => answer.status);

  assert.deepEqual([await reads(at, secret, "garden"), await list(), await publish("garden")], [403, 403, 403], "no scopes");
  await pats.AddScope([scope("read", "garden")], id, login);
  assert.equal(await reads(at, secret, "garden"), 200);
  assert.equal(await reads(at, secret, "kitchen"), 403, "another entity");
  assert.equal(await reads(at, secret, "*"), 403, "a channel of that name, not all of them");
  assert.equal(await reads(at, secret, "garden", PLANT), 403, "another domain");
  assert.equal(await list(), 403, "one of them is not the list of them");
  assert.equal(await publish("garden"), 403, "another operation");

  await pats.AddScope([scope("read", "*")], id, login);
  assert.deepEqual([await reads(at, secret, "kitchen"), await reads(at, secret, "attic"), await list()], [200, 404, 403]);
  await pats.AddScope([scope("list", "*"), scope("publish", "garden", "messages")], id, login);
  assert.deepEqual([await list(), await list(PLANT)], [2, 403]);
  assert.deepEqual([await publish("garden"), await publish("kitchen")], [202, 403]);

  const { scopes: held } = await pats.ListScopes(id, {}, login);
  const all = held.find((one) => one.operation === "read" && one.entity_id === "*");
  await pats.DeleteScopes(id, [all.id], login);
  assert.deepEqual([await reads(at, secret, "garden"), await reads(at, secret, "kitchen")], [200, 403], "the one for garden is left");
  await pats.DeleteAllScopes(id, login);
  assert.deepEqual([await reads(at, secret, "garden"), await list(), await publish("garden")], [403, 403, 403]);

  const body = JSON.stringify({ name: "with scopes from the start", duration: "1h", scopes: [scope("read", "garden")] });
  const made = await call(url, "/pats", { token: login, method: "POST", headers: { "Content-Type": "application/json" }, body });
  const ready = await made.json();
  assert.deepEqual([made.status, await reads(at, ready.secret, "garden"), await reads(at, ready.secret, "kitchen")], [201, 200, 403]);
});

test("malformed and ambiguous scopes are rejected", async (t) => {
  const at = await alone(t);
  const { pats, login } = at;
  const { id, secret } = await pats.CreatePAT("ci", "1h", login);
  for (const bad of [
    scope("read", "garden", "channels", "*"),
    scope("*", "garden"),
    scope("read", "garden", "*"),
    scope("*", "*", "*", "*"),
    scope("read", ""),
    scope("read", "gar*"),
    scope("read", "**"),
    scope("read", "garden:x"),
    scope(`read:${HOME}`, "*", "channels", "garden"),
    scope("read", "*", `channels:read:${HOME}`),
    scope("read", "ｇarden"),
    scope("read", " garden"),
    scope("READ", "garden"),
    scope("reed", "garden"),
    scope("read", "garden", "admin"),
    scope("read", "garden", "channels", ""),
    scope("read", "x".repeat(200)),
    scope("read", null),
    { domain_id: HOME, entity_type: "channels", operation: "read" },
    {},
    `channels:read:${HOME}`,
  ]) {
    assert.equal(await rejected(pats.AddScope([scope("read", "garden"), bad], id, login)), 400, JSON.stringify(bad));
  }
  assert.equal(await rejected(pats.AddScope("channels", id, login)), 400);
  assert.equal(await rejected(pats.AddScope([scope("read", "garden", "channels", PLANT)], id, login)), 403, "alice is not in that domain");
  assert.equal(await rejected(pats.AddScope(Array.from({ length: 101 }, (_, i) => scope("read", `c${i}`)), id, login)), 400);
  assert.equal((await pats.ListScopes(id, {}, login)).total, 0, "all or none");
  assert.equal(await reads(at, secret, "garden"), 403);
});

test("a revoked PAT is rejected immediately and can be regenerated", async (t) => {
  const at = await alone(t);
  const { pats, login } = at;
  const made = await pats.CreatePAT("ci", "1h", login, "nightly build");
  await pats.AddScope([scope("read", "garden")], made.id, login);
  assert.equal(await reads(at, made.secret, "garden"), 200);

  assert.ok((await pats.RevokePAT(made.id, login)).status < 300);
  assert.equal(await reads(at, made.secret, "garden"), 401);
  const revoked = await pats.ViewPAT(made.id, login);
  assert.deepEqual([revoked.status, revoked.revoked], ["revoked", true]);
  assert.ok(revoked.revoked_at && revoked.last_used_at);
  assert.ok((await pats.RevokePAT(made.id, login)).status < 300, "again is no error");

  const again = await pats.ResetSecret("30d", made.id, login);
  assert.deepEqual([again.id, again.name, again.description, again.status, again.revoked], [made.id, "ci", "nightly build", "active", false]);
  assert.notEqual(again.secret, made.secret);
  assert.equal(hours(again.updated_at, again.expires_at), 720, "from now on");
  assert.equal((await pats.ListScopes(made.id, {}, login)).total, 1, "its scopes are kept");
  assert.equal(await reads(at, again.secret, "garden"), 200);
  assert.equal(await reads(at, made.secret, "garden"), 401, "the old secret stays dead");
  assert.equal(await rejected(pats.ResetSecret("", made.id, login)), 400);
});

test("an expired PAT is found by the filter and regenerated with a new duration", async (t) => {
  const place = await folder(t);
  const before = await startFor(t, "magistrala", OPTIONS, place);
  let at = await signIn(before.url);
  const short = await at.pats.CreatePAT("short", "1h", at.login);
  const long = await at.pats.CreatePAT("long", "3h", at.login);
  await at.pats.AddScope([scope("read", "garden")], short.id, at.login);
  await before.stop();

  at = await signIn((await startFor(t, "magistrala", [...OPTIONS, "--later", "2h"], place)).url);
  const ids = async (status) => (await at.pats.ListPATS({ ...(status && { status }) }, at.login)).pats.map((pat) => pat.id);
  assert.deepEqual([await ids("expired"), await ids("active"), await ids()], [[short.id], [long.id], [long.id]]);
  assert.equal((await at.pats.ViewPAT(short.id, at.login)).status, "expired");
  assert.equal(await reads(at, short.secret, "garden"), 401);
  const again = await at.pats.ResetSecret("1h30m", short.id, at.login);
  assert.equal(again.status, "active");
  assert.equal(await reads(at, again.secret, "garden"), 200);
  assert.equal(await reads(at, short.secret, "garden"), 401);
  assert.deepEqual(await ids("expired"), []);
});

test("lists are filtered by status, name and id, and paginated", async (t) => {
  const { url, pats, login } = await alone(t);
  const made = [];
  for (const name of ["one", "two", "Three", "four"]) made.push(await pats.CreatePAT(name, "1h", login, "on the list"));
  const [one, two, three, four] = made.map((pat) => pat.id);
  await pats.RevokePAT(two, login);
  const ids = async (query) => (await pats.ListPATS(query, login)).pats.map((pat) => pat.id);
  assert.deepEqual(await ids({}), [four, three, one], "active ones, the newest first");
  assert.deepEqual(await ids({ status: "active" }), [four, three, one]);
  assert.deepEqual(await ids({ status: "revoked" }), [two]);
  assert.deepEqual(await ids({ status: "expired" }), []);
  assert.deepEqual(await ids({ status: "all" }), [four, three, two, one]);
  assert.deepEqual(await ids({ status: "all", name: "t" }), [three, two], "in whatever case");
  assert.deepEqual(await ids({ status: "all", name: "list" }), [], "not by description");
  assert.deepEqual(await ids({ status: "all", name: "%" }), []);
  assert.deepEqual(await ids({ status: "all", id: two }), [two]);
  assert.deepEqual(await ids({ id: two }), []);
  const page = await pats.ListPATS({ status: "all", offset: 1, limit: 2 }, login);
  assert.deepEqual([page.total, page.offset, page.limit, page.pats.map((pat) => pat.id)], [4, 1, 2, [three, two]]);
  assert.deepEqual((await pats.ListPATS({ status: "all", offset: 9 }, login)).pats, []);
  for (const query of [{ status: "dead" }, { status: "" }, { limit: 0 }, { limit: 101 }, { limit: -1 }, { limit: "ten" }, { offset: -1 }, { offset: "1e3" }]) {
    assert.equal(await rejected(pats.ListPATS(query, login)), 400, JSON.stringify(query));
  }
  const twice = await call(url, "/pats?status=all&status=active", { token: login });
  assert.equal(twice.status, 400);
});

test("deleting one PAT or all of a person's keeps the PATs of others", async (t) => {
  const at = await alone(t);
  const bob = await signIn(at.url, "bob", "builder");
  const [first, second] = [await at.pats.CreatePAT("first", "1h", at.login), await at.pats.CreatePAT("second", "1h", at.login)];
  const his = await bob.pats.CreatePAT("his", "1h", bob.login);
  for (const pat of [first, second]) await at.pats.AddScope([scope("read", "garden")], pat.id, at.login);

  await at.pats.DeletePAT(first.id, at.login);
  assert.equal(await rejected(at.pats.ViewPAT(first.id, at.login)), 404);
  assert.equal(await rejected(at.pats.DeletePAT(first.id, at.login)), 404);
  assert.deepEqual([await reads(at, first.secret, "garden"), await reads(at, second.secret, "garden")], [401, 200]);
  await at.pats.DeleteAllPATs(at.login);
  assert.equal((await at.pats.ListPATS({ status: "all" }, at.login)).total, 0);
  assert.equal(await reads(at, second.secret, "garden"), 401);
  assert.equal((await bob.pats.ListPATS({}, bob.login)).pats[0].id, his.id);
});

test("another user's PAT, a missing PAT and an invalid id get the same response", async (t) => {
  const { url, pats, login } = await alone(t);
  const bob = await signIn(url, "bob", "builder");
  const his = await bob.pats.CreatePAT("his", "1h", bob.login);
  const answers = [];
  for (const id of [his.id, UNKNOWN, "nonsense"]) {
    for (const calling of [
      () => pats.ViewPAT(id, login),
      () => pats.UpdateName("mine", id, login),
      () => pats.UpdateDescription("mine", id, login),
      () => pats.ResetSecret("1h", id, login),
      () => pats.RevokePAT(id, login),
      () => pats.DeletePAT(id, login),
      () => pats.ListScopes(id, {}, login),
      () => pats.AddScope([scope("read", "garden")], id, login),
      () => pats.DeleteScopes(id, [UNKNOWN], login),
      () => pats.DeleteAllScopes(id, login),
    ]) {
      answers.push(await calling().then(() => assert.fail("it was let through"), (fault) => fault));
    }
  }
  for (const answer of answers) assert.deepEqual(answer, { status: 404, error: answers[0].error });
  const { user_id, status, name } = await bob.pats.ViewPAT(his.id, bob.login);
  assert.deepEqual([user_id, status, name], [BOB, "active", "his"]);
});

test("a PAT cannot manage PATs and a login token cannot read channels", async (t) => {
  const at = await alone(t);
  const { id, secret } = await at.pats.CreatePAT("ci", "1h", at.login);
  for (const calling of [
    () => at.pats.CreatePAT("child", "1h", secret),
    () => at.pats.ListPATS({}, secret),
    () => at.pats.DeleteAllPATs(secret),
    () => at.pats.ViewPAT(id, secret),
    () => at.pats.DeletePAT(id, secret),
    () => at.pats.UpdateName("x", id, secret),
    () => at.pats.UpdateDescription("x", id, secret),
    () => at.pats.ResetSecret("1h", id, secret),
    () => at.pats.RevokePAT(id, secret),
    () => at.pats.ListScopes(id, {}, secret),
    () => at.pats.AddScope([], id, secret),
    () => at.pats.DeleteScopes(id, [], secret),
    () => at.pats.DeleteAllScopes(id, secret),
  ]) {
    assert.equal(await rejected(calling()), 401);
  }
  assert.equal((await at.pats.ListPATS({}, at.login)).total, 1);
  assert.equal(await reads(at, at.login, "garden"), 401);
  assert.equal(await rejected(at.sdk.Users.CreateToken({ username: "alice", password: "builder" })), 401);
  assert.equal(await rejected(at.sdk.Users.CreateToken({ username: "alice" })), 400);
});

test("every rejection uses Magistrala's envelope, status and challenge", async (t) => {
  const at = await alone(t);
  const { id, secret } = await at.pats.CreatePAT("ci", "1h", at.login);
  const channel = `/${HOME}/channels/garden`;
  const body = { method: "POST", headers: { "Content-Type": "application/json" } };
  const at_pats = { ...body, token: at.login };
  for (const [path, options, status, challenge] of [
    [channel, {}, 401, /^Bearer realm="magistrala"$/],
    [channel, { token: "nonsense" }, 401, /error="invalid_token"/],
    [channel, { token: secret }, 403, new RegExp(`error="insufficient_scope".* scope="channels:read:${HOME}:garden channels:view:${HOME}:garden"$`)],
    [channel, { headers: { Authorization: `Bearer ${secret}, Bearer ${secret}` } }, 400, /error="invalid_request"/],
    [channel, { headers: { Authorization: "Bearer" } }, 400, /error="invalid_request"/],
    [channel, { headers: { Authorization: "Basic YTpi" } }, 401, /^Bearer realm="magistrala"$/],
    [`${channel}?session=${secret}`, {}, 401, /^Bearer realm="magistrala"$/],
    ["/pats", {}, 401, /^Bearer realm="magistrala"$/],
    ["/pats", { token: secret }, 401, /error="invalid_token"/],
    ["/pats", { token: at.login, method: "PUT" }, 405],
    [`/pats/${id}/secret`, { token: at.login }, 404],
    ["/pats/%ff", { token: at.login }, 400],
    ["/nothing", {}, 404],
    ["/pats", { ...at_pats, body: "{" }, 400],
    ["/pats", { ...at_pats, body: "" }, 400],
    ["/pats", { ...at_pats, body: '{"name":"a","name":"b","duration":"1h"}' }, 400],
    ["/pats", { ...at_pats, body: '{"name":"a","duration":"1h","description":null}' }, 400],
    ["/pats", { ...at_pats, body: `{"name":"a\\u0000","duration":"1h"}` }, 400],
    ["/pats", { ...at_pats, body: `{"name":"${secret}","duration":"1h","scopes":${"[".repeat(100_000)}` }, 413],
    ["/pats", { ...at_pats, body: "[".repeat(10_000) }, 400],
    ["/pats", { ...at_pats, headers: { "Content-Type": "text/plain" }, body: '{"name":"a","duration":"1h"}' }, 415],
  ]) {
    const answer = await call(at.url, path, options);
    const what = `${path} ${JSON.stringify(options).slice(0, 200)}`;
    assert.equal(answer.status, status, what);
    assert.equal(answer.headers.get("content-type"), "application/json", what);
    assert.equal(answer.headers.get("cache-control"), "no-store", what);
    if (challenge) assert.match(answer.headers.get("www-authenticate"), challenge, what);
    else assert.equal(answer.headers.get("www-authenticate"), null, what);
    const text = await answer.text();
    assert.deepEqual(Object.keys(JSON.parse(text)), ["message"], what);
    assert.ok(JSON.parse(text).message, what);
    assert.ok(!text.includes(secret), `${what} is told what was sent`);
  }
  const head = await call(at.url, "/pats", { method: "HEAD" });
  assert.equal(head.status, 401);
});

test("an unavailable store returns 503 with Retry-After", async (t) => {
  const place = await folder(t);
  const { url, pats, login } = await signIn((await startFor(t, "magistrala", OPTIONS, place)).url);
  const { id, secret } = await pats.CreatePAT("ci", "1h", login);
  for (const file of await readdir(place)) await rm(path.join(place, file));
  for (const [where, token] of [[`/${HOME}/channels/garden`, secret], [`/pats/${id}`, login], ["/pats", login]]) {
    const answer = await call(url, where, { token });
    assert.equal(answer.status, 503, where);
    assert.match(answer.headers.get("retry-after"), /^[1-9]$/);
    assert.equal(answer.headers.get("www-authenticate"), null);
    assert.deepEqual(Object.keys(await answer.json()), ["message"]);
  }
});

test("the number of PATs per person is limited", async (t) => {
  const { pats, login } = await alone(t);
  await Promise.all(Array.from({ length: 100 }, () => pats.CreatePAT("ci", "1h", login)));
  assert.equal(await rejected(pats.CreatePAT("one more", "1h", login)), 409);
  const page = await pats.ListPATS({ limit: 100 }, login);
  assert.deepEqual([page.total, page.pats.length], [100, 100]);
  await pats.DeletePAT(page.pats[0].id, login);
  await pats.CreatePAT("in its place", "1h", login);
});

test("the documented requests return the documented status codes", async (t) => {
  const { url, login } = await alone(t);
  const send = async (method, path, body) => {
    const response = await call(url, path, { method, token: login, headers: { "Content-Type": "application/json" }, body: body && JSON.stringify(body) });
    const text = await response.text();
    return { status: response.status, json: text && JSON.parse(text) };
  };
  const made = await send("POST", "/pats", { name: "My PAT", description: "Token for automation", duration: "30d", scopes: [], user_id: BOB, later: true });
  assert.deepEqual([made.status, made.json.user_id], [201, ALICE], "what is unknown is ignored");
  const pat = `/pats/${made.json.id}`;
  const all = [scope("read", "*"), scope("delete", "*", "groups"), scope("view", "garden"), scope("list", "garden"), scope("create", "garden"), scope("publish", "garden"), ...["domains", "devices", "rules", "reports", "alarms", "clients", "groups"].map((entity) => scope("view", "*", entity))];
  const platform = { optional_domain_id: "", entity_type: "users", operation: "read", entity_id: "*" };
  for (const [method, path, body, status] of [
    ["GET", "/pats?offset=0&limit=10&total=0&order=name&dir=asc&later=1", undefined, 200],
    ["GET", pat, undefined, 200],
    ["PATCH", `${pat}/name`, { name: "New PAT Name", id: "1" }, 202],
    ["PATCH", `${pat}/description`, { description: "New PAT Description" }, 202],
    ["PATCH", `${pat}/description`, { description: "" }, 400],
    ["PATCH", `${pat}/scope/add`, { scopes: all }, 200],
    ["PATCH", `${pat}/scope/add`, { scopes: [platform, { ...platform, optional_domain_id: undefined, entity_type: "domains" }] }, 200],
    ["PATCH", `${pat}/scope/add`, { scopes: [] }, 400],
    ["PATCH", `${pat}/scope/remove`, { scopes_id: [] }, 400],
    ["PATCH", `${pat}/scope/remove`, { scopes_id: [UNKNOWN] }, 404],
    ["GET", `${pat}/scope?offset=0&limit=100&total=0&pat_id=${made.json.id}`, undefined, 200],
    ["PATCH", `${pat}/secret/reset`, { duration: "24h" }, 200],
    ["PATCH", `${pat}/secret/revoke`, undefined, 204],
  ]) {
    const answer = await send(method, path, body);
    assert.equal(answer.status, status, `${method} ${path} ${JSON.stringify(answer.json)}`);
  }
  const { scopes, total } = (await send("GET", `${pat}/scope?limit=100`)).json;
  assert.equal(total, all.length + 2);
  assert.equal(scopes.find(({ entity_type }) => entity_type === "users").domain_id, "");
  assert.equal((await send("PATCH", `${pat}/scope/remove`, { scopes_id: [scopes[0].id] })).status, 200);
  const again = await send("PATCH", `${pat}/scope/add`, { scopes: [scopes[0]] });
  assert.equal(again.status, 200, "as it was listed, with its id");
  assert.equal((await send("GET", `${pat}/scope?id=${scopes[0].id}`)).json.total, 1);
  assert.equal((await send("DELETE", `${pat}/scope`)).status, 200);
  assert.equal((await send("DELETE", pat)).status, 204);
  assert.equal((await send("DELETE", "/pats")).status, 200);
});

test("lists are sorted by the parameters order and dir", async (t) => {
  const { pats, login } = await alone(t);
  for (const name of ["b", "a", "c"]) await pats.CreatePAT(name, "1h", login);
  const names = async (query) => (await pats.ListPATS(query, login)).pats.map((pat) => pat.name);
  assert.deepEqual(await names({ order: "name", dir: "asc" }), ["a", "b", "c"]);
  assert.deepEqual(await names({ order: "name", dir: "desc" }), ["c", "b", "a"]);
  assert.deepEqual(await names({ dir: "asc" }), ["b", "a", "c"]);
});

test("newer clients send view for read and publish for channels", async (t) => {
  const at = await alone(t);
  const { id, secret } = await at.pats.CreatePAT("ci", "1h", at.login);
  const publish = (channel) => call(at.url, `/${HOME}/channels/${channel}/messages`, { method: "POST", token: secret, headers: { "Content-Type": "application/json" }, body: "{}" }).then(({ status }) => status);
  await at.pats.AddScope([scope("view", "garden"), scope("publish", "garden"), scope("list", "garden")], id, at.login);
  assert.deepEqual([await reads(at, secret, "garden"), await reads(at, secret, "kitchen")], [200, 403]);
  assert.deepEqual([await publish("garden"), await publish("kitchen")], [202, 403]);
  assert.equal((await call(at.url, `/${HOME}/channels`, { token: secret })).status, 403, "list of one is not the list of all");
});

test("the page has its own sign-in and manages the same PATs", async (t) => {
  const { url, pats, login } = await alone(t);
  const page = `${url}/personal-access-tokens`;
  const stranger = await fetch(page, { redirect: "manual" });
  assert.equal(stranger.status, 401);
  assert.match(await stranger.text(), /href="\/login"/);
  assert.match(await (await fetch(`${url}/login`)).text(), /<form method="post">/);
  const signInPage = (password) => fetch(`${url}/login`, { method: "POST", redirect: "manual", body: new URLSearchParams({ username: "alice", password }) });
  assert.equal((await signInPage("builder")).status, 401);
  const signedIn = await signInPage("wonderland");
  assert.deepEqual([signedIn.status, signedIn.headers.get("location")], [303, "/personal-access-tokens"]);
  const headers = { Cookie: signedIn.headers.get("set-cookie").split(";")[0], "Content-Type": "application/json" };
  assert.equal((await fetch(page, { headers })).status, 200);

  const { scopes, limits } = await (await fetch(`${page}/api/scopes`, { headers })).json();
  assert.equal(limits.tokens_per_owner, 100);
  assert.equal(scopes.length, 110);
  for (const { docs } of scopes) assert.match(docs, /^https:\/\/magistrala/);
  const made = await fetch(`${page}/api`, { method: "POST", headers, body: JSON.stringify({ name: "by hand", scopes: [`channels:read:${HOME}:garden`], expires: "30d" }) });
  const { token, id } = await made.json();
  const read = (channel) => call(url, `/${HOME}/channels/${channel}`, { token }).then(({ status }) => status);
  assert.deepEqual([made.status, await read("garden"), await read("kitchen")], [201, 200, 403]);
  const shown = await pats.ViewPAT(id, login);
  assert.deepEqual([shown.name, shown.user_id], ["by hand", ALICE]);
});
