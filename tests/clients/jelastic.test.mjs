// Tests examples/case-studies/jelastic with Jelastic's Python clients, with an upload like the one
// of its Maven plugin, and with invalid requests.
//
// To run it by hand: `cargo build --examples`, `node venv.js`, `node --test jelastic.test.mjs`.
// HALLPASS_EXAMPLES names the folder of the examples if it is not target/debug/examples. It needs
// Python 3.

import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { python, run } from "./harness/run.js";
import { startFor } from "./harness/server.js";

const BAD = 3;
const NOT_FOUND = 5;
const AUTHENTICATION = 701;
const NOT_ALLOWED = 8202;

const STOP = "environment/control/rest/stopenv";
const TOKENS = "users/authentication/rest";

/** Runs a Python `unittest` suite that calls a client. */
async function succeeds(t, script, count) {
  const { url } = await startFor(t, "jelastic");
  const env = { ...process.env, HALLPASS_URL: url, PYTHONDONTWRITEBYTECODE: "1", PYTHONUTF8: "1" };
  const { code, stdout, stderr } = await run(python("python"), [fileURLToPath(new URL(`jelastic/${script}`, import.meta.url))], { env });
  assert.equal(code, 0, stdout + stderr);
  assert.match(stderr, new RegExp(`^Ran ${count} tests`, "m"));
}

test("py-jelastic manages tokens and stops environments with query parameters", { timeout: 120_000 }, (t) => succeeds(t, "query.py", 20));

test("jelastic-client manages tokens and stops environments with form fields", { timeout: 120_000 }, (t) => succeeds(t, "form.py", 8));

/** Starts a platform for one test. Returns a function that calls it, and the session of alice. */
async function begin(t) {
  const { url } = await startFor(t, "jelastic");

  async function call(method, query = {}, { form, headers = {}, verb, body } = {}) {
    const parameters = new URLSearchParams(query).toString();
    const sent = form === undefined ? body : new URLSearchParams(form);
    const response = await fetch(`${url}/1.0/${method}${parameters && `?${parameters}`}`, { method: verb ?? (sent === undefined ? "GET" : "POST"), body: sent, headers });
    assert.equal(response.status, 200, "whatever happens");
    assert.equal(response.headers.get("content-type"), "application/json");
    assert.match(response.headers.get("cache-control"), /no-store/);
    const answer = await response.json();
    assert.equal(typeof answer.result, "number");
    assert.equal(answer.result === 0, answer.error === undefined, JSON.stringify(answer));
    return { ...answer, headers: response.headers };
  }

  const result = async (...request) => (await call(...request)).result;
  const { session } = await call(`${TOKENS}/signin`, { login: "alice", password: "wonderland" });
  const manage = (method, parameters) => call(`${TOKENS}/${method}`, { session, password: "wonderland", ...parameters });
  const create = async (parameters) => (await manage("createtoken", { description: "ci", ...parameters })).token;
  return { url, call, result, session, manage, create };
}

test("the documented URL stops an environment", async (t) => {
  const { url, create } = await begin(t);
  const { key } = await create({ apiList: "environment.control.StopEnv" });
  const response = await fetch(`${url}/1.0/environment/control/rest/stopenv?envName=my-project&session=${key}`);
  const text = await response.text();
  assert.match(text, /"result":0/);
  assert.ok(!text.includes(key));
  assert.match(response.headers.get("cache-control"), /no-store/);
  assert.equal(response.headers.get("referrer-policy"), "no-referrer");
});

test("a credential is accepted once and in one place only", async (t) => {
  const { result, create, session } = await begin(t);
  const { key: token } = await create({ apiList: "environment.control.StopEnv" });
  const envName = "my-project";
  const bearer = { Authorization: `Bearer ${token}` };
  assert.equal(await result(STOP, { envName }, { headers: bearer }), 0);
  assert.equal(await result(STOP, { envName }, { form: { session: token } }), 0);
  for (const credential of [token, session]) {
    assert.equal(await result(STOP, { envName, session: credential }), 0);
    assert.equal(await result(STOP, { envName, session: credential }, { headers: bearer }), BAD);
    // A form is read only if nothing else carries a credential.
    assert.equal(await result(STOP, { envName, session: credential }, { form: { session: token } }), 0);
    assert.equal(await result(STOP, { envName, session: credential }, { form: { session: credential } }), 0);
    const beside = credential === token ? 0 : AUTHENTICATION;
    assert.equal(await result(STOP, { envName }, { form: { session: credential }, headers: bearer }), beside);
    assert.equal(await result(STOP, [["envName", envName], ["session", credential], ["session", credential]]), BAD);
    assert.equal(await result(STOP, { envName }, { form: [["session", credential], ["session", token]] }), BAD);
  }
});

test("an invalid credential is rejected", async (t) => {
  const { result, create, session, manage } = await begin(t);
  const { key: token, id } = await create({ apiList: "environment.control.StopEnv" });
  const envName = "my-project";
  assert.equal(await result(STOP, { envName }), AUTHENTICATION);
  assert.equal(await result(STOP, { envName, session: "" }), BAD);
  for (const bad of ["x", `${token}x`, token.slice(0, -1), token.toUpperCase(), `${session}x`, " ", "jel_"]) {
    assert.equal(await result(STOP, { envName, session: bad }), AUTHENTICATION, bad);
    assert.equal(await result(STOP, {}, { form: { envName, session: bad } }), AUTHENTICATION, bad);
  }
  assert.equal(await result(STOP, { envName, Session: token }), AUTHENTICATION);
  const headers = { "Content-Type": "application/json" };
  assert.equal(await result(STOP, { envName }, { body: JSON.stringify({ session: token }), headers }), AUTHENTICATION);
  assert.equal(await result(STOP, { envName }, { headers: { Authorization: "Basic YWxpY2U6d29uZGVybGFuZA==" } }), AUTHENTICATION);
  assert.equal((await manage("deletetokens", { ids: id })).result, 0);
  const [unknown, dead] = await Promise.all([`jel_${"0".repeat(71)}`, token].map((session) => result(STOP, { envName, session })));
  assert.deepEqual([unknown, dead], [AUTHENTICATION, AUTHENTICATION]);
});

test("undeclared methods and HTTP verbs are rejected", async (t) => {
  const { result, create, session } = await begin(t);
  const { key: token } = await create({ tokenTemplate: "Extended Access" });
  for (const method of ["environment/control/rest/deleteenv", "", "environment/control/rest/StopEnv", "environment//control/rest/stopenv"]) {
    assert.equal(await result(method), AUTHENTICATION, method);
    assert.equal(await result(method, { session: token }), NOT_ALLOWED, method);
    assert.equal(await result(method, { session }), NOT_FOUND, method);
  }
  for (const verb of ["PUT", "DELETE", "PATCH"]) {
    assert.equal(await result(STOP, { envName: "my-project" }, { verb }), AUTHENTICATION);
    assert.equal(await result(STOP, { envName: "my-project", session: token }, { verb }), NOT_ALLOWED);
    assert.equal(await result(STOP, { envName: "my-project", session }, { verb }), NOT_FOUND);
    assert.equal(await result(`${TOKENS}/signin`, { login: "alice", password: "wonderland" }, { verb }), NOT_FOUND);
  }
});

test("parameters are merged, duplicates rejected and forms limited in size", async (t) => {
  const { result, create, session, manage } = await begin(t);
  const { key: token } = await create({ apiList: "environment.control.StopEnv" });
  const envName = "my-project";
  assert.equal(await result(STOP, { session: token, appid: "cluster", ruk: "1" }, { form: { envName, x: "y" } }), 0);
  assert.equal(await result(STOP, { session: token, envName }, { form: { envName } }), BAD);
  assert.equal(await result(STOP, { session: token }), BAD);
  for (const credential of [token, session]) {
    assert.equal(await result(STOP, { envName }, { form: { session: credential, x: "y".repeat(70_000) } }), BAD);
  }
  for (const [bad, why] of [[{ description: "a\u0000b" }, "control"], [{ description: "x".repeat(101) }, "long"], [{ ids: "1.5" }, "no integer"]]) {
    assert.equal((await manage(bad.ids ? "gettokens" : "createtoken", bad)).result, BAD, why);
  }
  assert.equal((await manage("edittoken", { id: "*", description: "all" })).result, BAD);
  assert.equal((await manage("regeneratetoken", {})).result, BAD);
});

test("failed confirmations are rate-limited", async (t) => {
  const { manage, create } = await begin(t);
  for (let guess = 0; guess < 5; guess += 1) {
    assert.equal((await manage("createtoken", { description: "x", password: `guess ${guess}` })).result, AUTHENTICATION);
  }
  assert.equal(await create(), undefined, "the right one has to wait, too");
  assert.deepEqual((await manage("gettokens")).apiTokens, []);
});

/**
 * Returns an upload as the Maven plugin sends it, with the session in a part of the form before the
 * file.
 */
function archive(session, size = 1000, ...more) {
  const form = new FormData();
  form.append("fid", "123456");
  for (const one of [session, ...more]) if (one !== undefined) form.append("session", one);
  form.append("file", new Blob([new Uint8Array(size)]), "app.war");
  return form;
}

test("an upload carries its session in a part of the form", async (t) => {
  const { url, session, create } = await begin(t);
  const upload = async (body, query = "", headers = {}) => {
    const response = await fetch(`${url}/1.0/storage/uploader/rest/upload${query}`, { method: "POST", body, headers });
    assert.equal(response.status, 200);
    return response.json();
  };
  const { key: token } = await create({ tokenTemplate: "Maven Plugin" });
  for (const credential of [token, session]) {
    const { result, name, size } = await upload(archive(credential));
    assert.deepEqual([result, name, size], [0, "app.war", 1000]);
    assert.equal((await upload(archive(credential, 3_000_000))).size, 3_000_000, "the whole file arrives");
    assert.equal((await upload(archive(undefined), `?session=${credential}`)).result, 0);
    assert.equal((await upload(archive(credential), `?session=${credential}`)).result, BAD, "two credentials");
    assert.equal((await upload(archive(credential, 10, credential))).result, BAD, "two credentials");
    assert.equal((await upload(archive(credential), "", { Authorization: `Bearer ${credential}` })).result, BAD);
  }
  const { key: other } = await create({ apiList: "environment.control.StopEnv" });
  for (const [body, expected] of [
    [archive(undefined), AUTHENTICATION], [archive(""), BAD], [archive("x"), AUTHENTICATION], [archive("a\nb"), AUTHENTICATION], [archive(other), NOT_ALLOWED],
  ]) {
    assert.equal((await upload(body)).result, expected);
  }
  const late = archive(undefined, 66_000);
  late.append("session", token);
  // The server does not read the whole file of an anonymous client. It may close the connection
  // before the upload is complete.
  const rejected = await upload(late).then(({ result }) => result, () => AUTHENTICATION);
  assert.equal(rejected, AUTHENTICATION, "it comes after the start that is searched");
  for (const body of ["", "--x", "--x\r\n\r\n"]) {
    assert.equal((await upload(body, "", { "Content-Type": "multipart/form-data; boundary=x" })).result, AUTHENTICATION);
    assert.equal((await upload(body, `?session=${token}`, { "Content-Type": "multipart/form-data; boundary=x" })).result, BAD);
  }
  assert.notEqual((await upload("x", `?session=${token}`, { "Content-Type": "multipart/form-data" })).result, 0, "no boundary");
});

test("the page has its own sign-in and requires the password for changes", async (t) => {
  const { url, manage, result } = await begin(t);
  const page = `${url}/settings/access-tokens`;
  const stranger = await fetch(page, { redirect: "manual" });
  assert.equal(stranger.status, 401);
  assert.match(await stranger.text(), /href="\/login"/);
  assert.match(await (await fetch(`${url}/login`)).text(), /<form method="post">/);
  const signInPage = (password) => fetch(`${url}/login`, { method: "POST", redirect: "manual", body: new URLSearchParams({ login: "alice", password }) });
  assert.equal((await signInPage("builder")).status, 401);
  const signedIn = await signInPage("wonderland");
  assert.deepEqual([signedIn.status, signedIn.headers.get("location")], [303, "/settings/access-tokens"]);
  const headers = { Cookie: signedIn.headers.get("set-cookie").split(";")[0], "Content-Type": "application/json" };
  assert.equal((await fetch(page, { headers })).status, 200);

  const { scopes, presets } = await (await fetch(`${page}/api/scopes`, { headers })).json();
  assert.deepEqual(presets.map(({ name }) => name), ["Extended Access", "IDE Plugins", "Marketplace", "Maven Plugin"]);
  assert.equal(scopes.find(({ scope }) => scope === "environment.control.StopEnv").docs, "https://docs.jelastic.com/api/#!/api/environment.Control-method-StopEnv");
  const make = async (password) => {
    const confirmation = password && { "Hallpass-Confirmation": Buffer.from(password).toString("base64url") };
    const body = JSON.stringify({ name: "by hand", preset: "IDE Plugins", expires: "31-12-2098" });
    const response = await fetch(`${page}/api`, { method: "POST", headers: { ...headers, ...confirmation }, body });
    return { ...(await response.json()), status: response.status };
  };
  assert.equal((await make()).status, 403, "the page always asks");
  assert.equal((await make("builder")).status, 403);
  const made = await make("wonderland");
  assert.equal(made.status, 201);
  assert.equal(await result(STOP, { envName: "my-project", session: made.token }), 0);
  const [listed] = (await manage("gettokens")).apiTokens;
  assert.deepEqual([listed.description, listed.expiresAt], ["by hand", "2099-01-01 00:00:00"]);
});
