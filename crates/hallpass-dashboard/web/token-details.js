// What is known of a token, with countdowns to its end and to the end of its previous secret.

import { now } from "./api.js";
import { fill, h, isolated } from "./dom.js";
import { isAdmin } from "./page-data.js";
import { t } from "./texts.js";
import { DAY, ending, left, minute, past, time, utc, zoneNote } from "./time.js";
import { badges } from "./token-actions.js";

/** How long after an end the token is loaded anew, in milliseconds: the server's clock decides about it. */
const DELAY = 2500;

/**
 * Creates the list. `statusActions`, `endActions` and `previousActions` make the buttons for the status, the end and the
 * previous secret; `ended` is called when one of the times is over.
 */
export function tokenDetails({ statusActions, endActions, previousActions, ended }) {
  const list = h("dl", { class: "facts" });
  const countdown = h("span", { class: "quiet" });
  const previousCountdown = h("span", {});
  let token = null;
  let timer;

  /** Shows what is left until this instant. Returns the milliseconds until then. */
  function show(element, end, key) {
    const rest = end && token.status === "active" ? Date.parse(end) - now() : Infinity;
    fill(element, rest === Infinity ? null : rest > 0 ? t(`${key}_in`, { left: left(end) }) : t(`${key}_now`));
    return rest;
  }

  function tick() {
    clearTimeout(timer);
    const rest = [show(countdown, token.expires_at, "details.expires"), show(previousCountdown, token.previous_secret_expires_at, "details.previous")];
    if (rest.some((each) => each <= 0)) timer = setTimeout(ended, DELAY);
    // What is shown changes each second at the end, before that each minute.
    else if (Math.min(...rest) < Infinity) timer = setTimeout(tick, Math.min(...rest) < DAY ? 1000 : 30_000);
  }

  return {
    node: h("div", {}, list, h("div", { class: "pad" }, zoneNote())),
    update(current) {
      token = current;
      const exact = (instant) => past(instant, instant && minute(instant));
      const { expires_at: end, previous_secret_expires_at: previous } = token;
      const rows = [
        [t("details.status"), h("span", { class: "row" }, badges(token), countdown), statusActions(token)],
        [t("details.expires"), end === null ? t("time.never") : [time(end, ending(end)), " ", h("span", { class: "quiet" }, utc(end))], endActions(token)],
        previous && [t("details.previous"), h("span", { class: "still-works" }, time(previous, ending(previous)), " ", previousCountdown), previousActions(token)],
        [t("details.last_used"), exact(token.last_used_at)],
        [t("details.created"), exact(token.created_at)],
        token.regenerated_at && [t("details.regenerated"), exact(token.regenerated_at)],
        token.revoked_at && [t("details.revoked"), exact(token.revoked_at)],
        isAdmin && [t("details.owner"), isolated(token.owner)],
        ...Object.entries(token.metadata ?? {}).map(([key, value]) => [isolated(key), isolated(String(value))]),
        [t("details.id"), h("code", {}, token.id)],
      ];
      fill(
        list,
        rows.filter(Boolean).map(([label, value, buttons]) => h("div", { class: "fact" }, h("dt", {}, label), h("dd", {}, h("div", { class: "value" }, value), buttons))),
      );
      tick();
    },
    leave: () => clearTimeout(timer),
  };
}
