// When a token expires: after some days, at the end of a day, or never; with the date that comes of it.

import { now } from "./api.js";
import { fill, h, mark, unique } from "./dom.js";
import { errorLine } from "./form.js";
import { plural, t } from "./texts.js";
import { DAY, day, endOfDay, lastDay, minute, relative, weekday, zone } from "./time.js";

const DAYS = [7, 30, 60, 90, 365];

/** The last day that every server accepts, in every zone. */
const LATEST = "9999-12-28";

/**
 * Creates the field. `value` is what the API takes, or `undefined` for what it does by itself: it keeps the end (`keep`
 * is `{ label, end }`), or takes the host's default.
 */
export function expiryField({ limits, keep = null }) {
  const id = unique("expires");
  const error = errorLine(id);
  const longest = limits.longest_lifetime === null ? Infinity : limits.longest_lifetime * 1000;
  const latest = Number.isFinite(longest) ? lastDay(now() + longest - DAY) : LATEST;
  const date = h("input", { type: "date", "aria-label": t("expiry.last_day"), "aria-describedby": error.id, min: day(now()), max: latest });
  const options = [
    ...(keep ? [{ label: keep.label, value: undefined, end: () => keep.end }] : []),
    ...DAYS.filter((days) => days * DAY <= longest).map((days) => ({ label: span(days), value: `${days}d`, end: () => now() + days * DAY })),
    { label: t("expiry.on_date"), value: "date" },
    ...(longest === Infinity ? [{ label: t("expiry.never"), value: "never", end: () => null }] : []),
  ];
  const isDefault = ({ value }) => value !== undefined && value === limits.default_expires;
  if (!keep && !options.some(isDefault)) {
    options.unshift({ label: limits.default_expires ? t("expiry.default_is", { span: limits.default_expires }) : t("expiry.default"), value: undefined });
  }
  const radios = options.map(() => h("input", { type: "radio", name: id, on: { change: show } }));
  radios[keep ? 0 : Math.max(0, options.findIndex(isDefault))].checked = true;
  const chosen = () => options[radios.findIndex((radio) => radio.checked)];
  const onDate = () => chosen().value === "date";
  const result = h("p", { class: "help", role: "status" });
  const dateRow = h("div", { class: "row" }, date);
  date.addEventListener("input", show);

  function fail(message) {
    error.say(message);
    mark(date, "aria-invalid", message && onDate() ? "true" : null);
  }

  function show() {
    fail(null);
    dateRow.hidden = !onDate();
    fill(result, onDate() ? dateText(date.value) : endText(chosen()));
  }
  show();

  return {
    node: h(
      "fieldset",
      { class: "field" },
      h("legend", {}, t("expiry.title")),
      h("div", { class: "choices" }, options.map(({ label }, at) => h("label", { class: "choice" }, radios[at], h("span", {}, label)))),
      dateRow,
      result,
      error.node,
    ),
    get value() {
      // The instant at which that day is over here. The server's calendar may be in another zone.
      return onDate() ? endOfDay(date.value).toISOString() : chosen().value;
    },
    check() {
      if (!onDate()) return null;
      const end = endOfDay(date.value);
      if (end === null) return t("expiry.no_date");
      if (end.getTime() <= now()) return t("expiry.past");
      return date.value > latest || date.value.length > 10 ? t("expiry.too_late", { day: latest }) : null;
    },
    fail,
    focus: () => (onDate() ? date : radios.find((radio) => radio.checked)).focus(),
    /** Returns what is chosen, for `restore`. */
    get state() {
      return { at: radios.findIndex((radio) => radio.checked), date: date.value };
    },
    restore(state) {
      radios[state.at].checked = true;
      date.value = state.date;
      show();
    },
  };
}

/** Describes the end of a token that stays as it is; `null` if that is past. `key` names the two texts. */
export function keptEnd(key, { expires_at: end }) {
  if (end === null) return { label: t(`${key}_never`), end: null };
  return Date.parse(end) > now() ? { label: t(key, { day: lastDay(end) }), end: Date.parse(end) } : null;
}

const span = (days) => (days === 365 ? t("expiry.year") : plural("expiry.days", days));

function endText({ end }) {
  if (!end) return t("expiry.by_server");
  const at = end();
  if (at === null) return t("expiry.never_help");
  const last = lastDay(at);
  if (endOfDay(last).getTime() === at) return dateText(last);
  return t("expiry.until", { weekday: weekday(at), minute: minute(at), away: relative(at), zone });
}

function dateText(text) {
  const end = endOfDay(text);
  if (end === null) return t("expiry.whole_day", { zone });
  return t("expiry.through", { weekday: weekday(end.getTime() - 1), day: text, away: relative(end), zone });
}
