// Magistrala's own SDK against examples/magistrala: the 13 calls of its class PATs, its sign-in and its channels.
//
// By hand: `cargo build --examples`, `npm ci`, `node --test magistrala.test.mjs`. HALLPASS_EXAMPLES says where the
// examples are, if not in target/debug/examples.

import assert from "node:assert/strict";
import { readdir, rm } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import packaged from "@absmach/magistrala-sdk";
import { folder, startFor } from "./harness/server.js";

// To node, the package is CommonJS.
const SDK = packaged.default;

const HOME = "3f0a6c52-8d1b-4b7e-9a44-d0c1f2e3a4b5";
const PLANT = "c4e7d1f8-2a96-4f03-b5d8-6e1a7b8c9d0e";
const UNKNOWN = "018f3c1e-7a2b-8c4d-9e5f-0123456789ab";

const OPTIONS = ["--store", "sqlite:pats.db"];

/** The SDK on that server, and a login token of that person's. */
async function signIn(url, username = "alice", password = "wonderland") {
  const sdk = new SDK({ usersUrl: url, authUrl: url, channelsUrl: url });
  const { access_token: login } = await sdk.Users.CreateToken({ username, password });
  return { url, sdk, pats: sdk.PATs, login };
}

/** A server of the test's own, and alice signed in. */
const alone = async (t) => signIn((await startFor(t, "magistrala", OPTIONS)).url);

const scope = (operation, entity_id, entity_type = "channels", domain_id = HOME) => ({ domain_id, entity_type, operation, entity_id });

/** The status that a refused call of the SDK's ended with; its message is never empty. */
async function refused(call) {
  const fault = await call.then(() => assert.fail("it was let through"), (fault) => fault);
  assert.ok(fault.error, `no message: ${JSON.stringify(fault)}`);
  return fault.status;
}

/** Whether a PAT may read that channel: 200 or 404, 403, 401. */
const reads = ({ sdk }, secret, channel, domain = HOME) =>
  sdk.Channels.Channel(channel, domain, secret).then(
    (found) => (assert.equal(found.id, channel), 200),
    (fault) => fault.status,
  );

const call = (url, path, { token, ...options } = {}) =>
  fetch(url + path, { ...options, headers: { ...(token && { Authorization: `Bearer ${token}` }), ...options.headers } });

const hours = (from, to) => (new Date(to) - new Date(from)) / 3_600_000;

test("these are all of the SDK's calls", () => {
  const calls = Object.getOwnPropertyNames(Object.getPrototypeOf(new SDK().PATs)).filter((name) => name !== "constructor");
  const used = ["CreatePAT", "ListPATS", "ViewPAT", "DeleteAllPATs", "UpdateName", "UpdateDescription", "DeletePAT", "ResetSecret", "RevokePAT", "AddScope", "ListScopes", "DeleteScopes", "DeleteAllScopes"];
  assert.deepEqual(calls.sort(), used.sort());
});

test("a PAT is made with a name, a duration and a description, and its secret is shown once", async (t) => {
  const { pats, login } = await alone(t);
  const made = await pats.CreatePAT("ci", "720h", login, "nightly build");
  assert.match(made.secret, /^pat_[0-9A-Za-z]+$/);
  assert.deepEqual([made.user_id, made.name, made.description, made.status], ["alice", "ci", "nightly build", "active"]);
  assert.deepEqual([made.revoked, made.revoked_at, made.last_used_at], [false, null, null]);
  assert.equal(hours(made.issued_at, made.expires_at), 720);
  const { secret, ...rest } = made;
  assert.deepEqual(await pats.ViewPAT(made.id, login), rest);
  const page = await pats.ListPATS({ offset: 0, limit: 10 }, login);
  assert.deepEqual(page, { total: 1, offset: 0, limit: 10, pats: [rest] });
  const everything = JSON.stringify([page, await pats.ListScopes(made.id, {}, login), await pats.UpdateName("ci 2", made.id, login)]);
  assert.ok(!everything.includes(secret.slice(-49)), "the secret is in no other answer");
  assert.ok(!/hash|digest|secret/i.test(everything), everything);
});

test("durations are Go's, or days, and at least a minute", async (t) => {
  const { pats, login } = await alone(t);
  for (const [duration, long] of [["720h", 720], ["1h30m", 1.5], ["1.5h", 1.5], ["90m", 1.5], ["30d", 720], ["2w", 336], ["3600s", 1]]) {
    const { issued_at, expires_at } = await pats.CreatePAT("ci", duration, login);
    assert.equal(hours(issued_at, expires_at), long, duration);
  }
  for (const duration of ["", "0", "0h", "59s", "-1h", "1h ago", "1 hour", "PT1H", "30", "h", "1e3h", "9999999999999h", "8000y", "never", "٣d", null, undefined, 24]) {
    assert.equal(await refused(pats.CreatePAT("ci", duration, login)), 400, String(duration));
  }
  assert.equal((await pats.ListPATS({}, login)).total, 7);
});

test("name and description are changed each by a call, and nothing else by either", async (t) => {
  const { pats, login } = await alone(t);
  const { id } = await pats.CreatePAT("ci", "1h", login);
  assert.equal((await pats.UpdateName("deploy", id, login)).name, "deploy");
  assert.equal((await pats.UpdateDescription("to production", id, login)).description, "to production");
  assert.equal((await pats.UpdateDescription("", id, login)).description, "");
  const { name, description } = await pats.ViewPAT(id, login);
  assert.deepEqual([name, description], ["deploy", ""]);
  for (const bad of ["", "  ", "a\nb", "x".repeat(101), null, 7]) assert.equal(await refused(pats.UpdateName(bad, id, login)), 400, String(bad));
});

test("scopes are added, listed page by page, taken away one by one and all at once", async (t) => {
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
  for (const query of [{ limit: 0 }, { status: "active" }]) assert.equal(await refused(pats.ListScopes(id, query, login)), 400);

  await pats.DeleteScopes(id, [scopes[0].id, scopes[2].id], login);
  assert.deepEqual((await pats.ListScopes(id, {}, login)).scopes, [scopes[1], scopes[3]]);
  assert.equal(await refused(pats.DeleteScopes(id, [scopes[1].id, scopes[0].id], login)), 404, "one of them is gone");
  assert.equal((await pats.ListScopes(id, {}, login)).total, 2, "then none is taken away");
  await pats.DeleteAllScopes(id, login);
  assert.equal((await pats.ListScopes(id, {}, login)).total, 0);
});

test("a PAT does what its scopes say, and without any it does nothing", async (t) => {
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

  await pats.DeleteScopes(id, [`channels:read:${HOME}`], login);
  assert.deepEqual([await reads(at, secret, "garden"), await reads(at, secret, "kitchen")], [200, 403], "the one for garden is left");
  await pats.DeleteAllScopes(id, login);
  assert.deepEqual([await reads(at, secret, "garden"), await list(), await publish("garden")], [403, 403, 403]);

  const body = JSON.stringify({ name: "with scopes from the start", duration: "1h", scopes: [scope("read", "garden")] });
  const made = await call(url, "/pats", { token: login, method: "POST", headers: { "Content-Type": "application/json" }, body });
  const ready = await made.json();
  assert.deepEqual([made.status, await reads(at, ready.secret, "garden"), await reads(at, ready.secret, "kitchen")], [201, 200, 403]);
});

test("no scope can be written that means more than it says", async (t) => {
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
    scope("publish", "garden"),
    scope("list", "garden"),
    scope("create", "garden"),
    scope("read", "garden", "channels", ""),
    scope("read", "x".repeat(200)),
    scope("read", null),
    { ...scope("read", "garden"), id: "1" },
    { domain_id: HOME, entity_type: "channels", operation: "read" },
    {},
    `channels:read:${HOME}`,
  ]) {
    assert.equal(await refused(pats.AddScope([scope("read", "garden"), bad], id, login)), 400, JSON.stringify(bad));
  }
  assert.equal(await refused(pats.AddScope("channels", id, login)), 400);
  assert.equal(await refused(pats.AddScope([scope("read", "garden", "channels", PLANT)], id, login)), 403, "alice is not in that domain");
  assert.equal(await refused(pats.AddScope(Array.from({ length: 101 }, (_, i) => scope("read", `c${i}`)), id, login)), 400);
  assert.equal((await pats.ListScopes(id, {}, login)).total, 0, "all or none");
  assert.equal(await reads(at, secret, "garden"), 403);
});

test("a revoked PAT is dead at once, and is regenerated with a new duration and a new secret", async (t) => {
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
  assert.equal(await refused(pats.ResetSecret("", made.id, login)), 400);
});

test("an expired PAT is found by the filter, and is regenerated with a new duration", async (t) => {
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

test("lists are filtered by status, name and id, and come page by page", async (t) => {
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
  for (const query of [{ status: "dead" }, { status: "" }, { limit: 0 }, { limit: 101 }, { limit: -1 }, { limit: "ten" }, { offset: -1 }, { offset: "1e3" }, { owner: "bob" }]) {
    assert.equal(await refused(pats.ListPATS(query, login)), 400, JSON.stringify(query));
  }
  const twice = await call(url, "/pats?status=all&status=active", { token: login });
  assert.equal(twice.status, 400);
});

test("one PAT is deleted, or all of a person's, and nobody else's", async (t) => {
  const at = await alone(t);
  const bob = await signIn(at.url, "bob", "builder");
  const [first, second] = [await at.pats.CreatePAT("first", "1h", at.login), await at.pats.CreatePAT("second", "1h", at.login)];
  const his = await bob.pats.CreatePAT("his", "1h", bob.login);
  for (const pat of [first, second]) await at.pats.AddScope([scope("read", "garden")], pat.id, at.login);

  await at.pats.DeletePAT(first.id, at.login);
  assert.equal(await refused(at.pats.ViewPAT(first.id, at.login)), 404);
  assert.equal(await refused(at.pats.DeletePAT(first.id, at.login)), 404);
  assert.deepEqual([await reads(at, first.secret, "garden"), await reads(at, second.secret, "garden")], [401, 200]);
  await at.pats.DeleteAllPATs(at.login);
  assert.equal((await at.pats.ListPATS({ status: "all" }, at.login)).total, 0);
  assert.equal(await reads(at, second.secret, "garden"), 401);
  assert.equal((await bob.pats.ListPATS({}, bob.login)).pats[0].id, his.id);
});

test("another's PAT, one that never was and what is no id are one answer", async (t) => {
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
      () => pats.DeleteScopes(id, [], login),
      () => pats.DeleteAllScopes(id, login),
    ]) {
      answers.push(await calling().then(() => assert.fail("it was let through"), (fault) => fault));
    }
  }
  for (const answer of answers) assert.deepEqual(answer, { status: 404, error: answers[0].error });
  const { user_id, status, name } = await bob.pats.ViewPAT(his.id, bob.login);
  assert.deepEqual([user_id, status, name], ["bob", "active", "his"]);
});

test("a PAT manages no PATs, and a login token reaches no channel", async (t) => {
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
    assert.equal(await refused(calling()), 401);
  }
  assert.equal((await at.pats.ListPATS({}, at.login)).total, 1);
  assert.equal(await reads(at, at.login, "garden"), 401);
  assert.equal(await refused(at.sdk.Users.CreateToken({ username: "alice", password: "builder" })), 401);
  assert.equal(await refused(at.sdk.Users.CreateToken({ username: "alice" })), 400);
});

test("every refusal is in Magistrala's envelope, with its status and its challenge", async (t) => {
  const at = await alone(t);
  const { id, secret } = await at.pats.CreatePAT("ci", "1h", at.login);
  const channel = `/${HOME}/channels/garden`;
  const body = { method: "POST", headers: { "Content-Type": "application/json" } };
  const at_pats = { ...body, token: at.login };
  for (const [path, options, status, challenge] of [
    [channel, {}, 401, /^Bearer realm="magistrala"$/],
    [channel, { token: "nonsense" }, 401, /error="invalid_token"/],
    [channel, { token: secret }, 403, new RegExp(`error="insufficient_scope".* scope="channels:read:${HOME}:garden"$`)],
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
    ["/pats", { ...at_pats, body: '{"name":"a","duration":"1h","user_id":"bob"}' }, 400],
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

test("a store that is gone is no verdict on a PAT: 503, and when to come back", async (t) => {
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

test("a person has at most so many PATs", async (t) => {
  const { pats, login } = await alone(t);
  await Promise.all(Array.from({ length: 100 }, () => pats.CreatePAT("ci", "1h", login)));
  assert.equal(await refused(pats.CreatePAT("one more", "1h", login)), 409);
  const page = await pats.ListPATS({ limit: 100 }, login);
  assert.deepEqual([page.total, page.pats.length], [100, 100]);
  await pats.DeletePAT(page.pats[0].id, login);
  await pats.CreatePAT("in its place", "1h", login);
});
