// What is known of a token, with a countdown to its end.

import { fill, h } from "./dom.js";
import { isAdmin } from "./facts.js";
import { badge } from "./list-table.js";
import { DAY, dated, left, minute, past, time, utc } from "./time.js";
import { now } from "./api.js";

/** How long after its end a token is looked at anew. */
const GRACE = 2500;

/**
 * The facts. `statusActions`, `endActions` and `previousActions` make the buttons for the status, the end and the previous secret;
 * `ended` is called when the time is over.
 */
export function facts({ statusActions, endActions, previousActions, ended }) {
  const node = h("dl", { class: "facts" });
  const countdown = h("span", { class: "quiet" });
  let token = null;
  let timer;

  function tick() {
    clearTimeout(timer);
    if (token.status !== "active" || token.expires_at === null) return fill(countdown);
    const rest = Date.parse(token.expires_at) - now();
    if (rest <= 0) {
      fill(countdown, "has just expired");
      // A little later: the server's clock decides, and is known to the second or two.
      timer = setTimeout(ended, GRACE);
      return;
    }
    fill(countdown, `expires in ${left(token.expires_at)}`);
    // What is shown changes each second at the end, else each minute.
    timer = setTimeout(tick, rest < DAY ? 1000 : 30_000);
  }

  return {
    node,
    update(current) {
      token = current;
      const exact = (instant) => (instant === null ? past(null) : dated(instant, minute(instant)));
      const rows = [
        ["Status", h("span", { class: "row" }, badge(token.status), countdown), statusActions(token)],
        ["Expires", token.expires_at === null ? "never" : ["until ", time(token.expires_at, minute(token.expires_at)), " ", h("span", { class: "quiet" }, utc(token.expires_at))], endActions(token)],
        token.previous_secret_expires_at && ["Old secret", ["works until ", time(token.previous_secret_expires_at, minute(token.previous_secret_expires_at))], previousActions(token)],
        ["Last used", exact(token.last_used_at)],
        ["Created", exact(token.created_at)],
        token.regenerated_at && ["Regenerated", exact(token.regenerated_at)],
        token.revoked_at && ["Revoked", exact(token.revoked_at)],
        isAdmin && ["Owner", token.owner],
        ["Id", h("code", {}, token.id)],
      ];
      fill(
        node,
        rows.filter(Boolean).map(([label, value, buttons]) => h("div", { class: "fact" }, h("dt", {}, label), h("dd", {}, h("div", { class: "value" }, value), buttons))),
      );
      tick();
    },
    leave: () => clearTimeout(timer),
  };
}
