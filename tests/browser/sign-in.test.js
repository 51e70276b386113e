// A test of the URL of the sign-in, outside of a browser: a page whose path begins with two slashes
// can be opened only through a proxy that merges slashes.

import assert from "node:assert/strict";
import test from "node:test";
import { signInAddress } from "../../crates/hallpass-dashboard/web/sign-in.js";

test("the sign-in never returns to another site", () => {
  for (const [pathname, next] of [
    ["/settings/tokens", "/settings/tokens?a#b"],
    ["//evil.example/settings/tokens", "/evil.example/settings/tokens?a#b"],
    ["///evil.example", "/evil.example?a#b"],
  ]) {
    globalThis.location = { pathname, search: "?a", hash: "#b" };
    const address = new URL(signInAddress("/login", "https://app.example/settings/tokens"));
    assert.equal(address.searchParams.get("next"), next);
  }
});
