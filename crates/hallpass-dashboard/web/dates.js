// Formats dates, and provides the expiry field and the badges of tokens that expire soon.

import { now } from "./api.js";
import { fill, h, mark, unique } from "./dom.js";
import { errorLine } from "./fields.js";
import { plural, t } from "./page.js";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** The name of the local time zone. The page shows all dates in it. */
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;

const two = (number) => String(number).padStart(2, "0");

/** Returns the local day of an instant in the format of date inputs: `2027-03-31`. */
function isoDay(instant) {
  const date = new Date(instant);
  return `${String(date.getFullYear()).padStart(4, "0")}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

/** Formats such a day for the language of the page: `2027-03-31` or `31.03.2027`. */
function written(iso) {
  const [year, month, date] = iso.split("-");
  return t("date.format").replace("yyyy", year).replace("mm", month).replace("dd", date);
}

/** Formats the date of an instant. */
export const day = (instant) => written(isoDay(instant));

/** Formats the date and time of an instant: `2027-03-31 14:05`. */
export function minute(instant) {
  const date = new Date(instant);
  return `${day(date)} ${two(date.getHours())}:${two(date.getMinutes())}`;
}

/** Formats an instant in UTC: `2027-03-31 12:05:09 UTC`. */
export function utc(instant) {
  const [date, clock] = new Date(instant).toISOString().split("T");
  return `${written(date)} ${clock.slice(0, 8)} UTC`;
}

/** Formats the weekday, which helps to notice a wrong date. */
const weekday = (instant) => new Date(instant).toLocaleDateString(LANGUAGE, { weekday: "long" });

/**
 * Returns the instant at which the day `text` (`2027-03-31`) ends locally, or `null` if the day
 * does not exist.
 */
function endOfDay(text) {
  const [, year, month, date] = /^(\d{4})-(\d\d)-(\d\d)$/.exec(text) ?? [];
  if (!year) return null;
  const end = new Date(2000, 0, 1);
  // `new Date` would map years below 100 to 1900 and later. If the clocks change at midnight, the
  // next day starts later than 00:00.
  end.setFullYear(Number(year), Number(month) - 1, Number(date) + 1);
  return end;
}

/** Returns the last day before an instant. Midnight counts as the end of the previous day. */
const lastDay = (end) => isoDay(new Date(end).getTime() - 1);

/** Formats an expiry: through a whole day, or until a minute of a day. */
export function ending(end) {
  const last = lastDay(end);
  return endOfDay(last)?.getTime() === new Date(end).getTime() ? t("time.through", { day: written(last) }) : t("time.until", { minute: minute(end) });
}

/** @type {[Intl.RelativeTimeFormatUnit, number, number][]} */
const UNITS = [
  ["year", 365 * DAY, 2 * 365 * DAY],
  ["month", 30 * DAY, 90 * DAY],
  ["day", DAY, 2 * DAY],
  ["hour", HOUR, 2 * HOUR],
  ["minute", MINUTE, MINUTE],
];

const words = new Intl.RelativeTimeFormat(LANGUAGE, { numeric: "always" });

/** Formats the distance to an instant: `in 12 days`, `3 hours ago`. */
export function relative(instant) {
  const away = new Date(instant).getTime() - now();
  for (const [unit, length, from] of UNITS) {
    // Round first: one day minus two minutes is shown as one day.
    if (Math.abs(away) >= from - length / 2) return words.format(Math.round(away / length), unit);
  }
  return away < 0 ? t("time.just_now") : t("time.soon");
}

const amount = (count, unit) => new Intl.NumberFormat(LANGUAGE, { style: "unit", unit, unitDisplay: "long" }).format(count);

/**
 * Formats the remaining time in its two largest units: `11 days 4 hours`, `9 minutes 5 seconds`.
 */
export function left(instant) {
  let rest = Math.max(0, Date.parse(instant) - now());
  const parts = [];
  for (const [unit, length] of Object.entries({ day: DAY, hour: HOUR, minute: MINUTE, second: SECOND })) {
    const count = Math.floor(rest / length);
    rest -= count * length;
    if (count > 0 || parts.length > 0) parts.push(amount(count, unit));
  }
  return parts.slice(0, 2).join(" ") || amount(0, "second");
}

/** Creates a `<time>` element with the instant in UTC as its title. */
export const time = (instant, text) => h("time", { datetime: instant, title: utc(instant) }, text);

/** Creates a date and the distance to it. In a table they are on two lines. */
const dated = (instant, text = day(instant)) => [time(instant, text), " ", h("span", { class: "quiet" }, relative(instant))];

const never = () => h("span", { class: "quiet" }, t("time.never"));

/** Creates the date of an event, or "never" if there was none. */
export const past = (instant, text) => (instant === null ? never() : dated(instant, text));

/** Creates the last day of a token, with the distance to it unless the token is revoked. */
export function expiry({ expires_at: end, status }) {
  if (end === null) return never();
  const last = written(lastDay(end));
  return status === "revoked" ? time(end, last) : dated(end, last);
}

/** Creates the time until which the previous secret of a token works, if it does. */
export const previousEnd = ({ previous_secret_expires_at: end }) => end && h("span", { class: "quiet" }, time(end, t("time.until", { minute: minute(end) })));

/** Creates the line that names the time zone. */
export const zoneNote = () => h("p", { class: "quiet zone" }, t("time.zone", { zone }));

// The expiry of a token: a number of days, a date, or never. The field shows the resulting date.

const DAYS = [7, 30, 60, 90, 365];

/** The last day that every server accepts in every time zone. */
const LATEST = "9999-12-28";

/**
 * Creates the expiry field. `value` is the value for the API. It is `undefined` to keep the current
 * expiry (`keep` is `{ label, end }`) or to use the host's default.
 */
export function expiryField({ limits, keep = null }) {
  const id = unique("expires");
  const error = errorLine(id);
  const longest = limits.longest_lifetime === null ? Infinity : limits.longest_lifetime * 1000;
  const latest = Number.isFinite(longest) ? lastDay(now() + longest - DAY) : LATEST;
  const date = h("input", { type: "date", "aria-label": t("expiry.last_day"), "aria-describedby": error.id, min: isoDay(now()), max: latest });
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
      // Send an instant, because the time zone of the server's calendar may differ.
      return onDate() ? endOfDay(date.value).toISOString() : chosen().value;
    },
    check() {
      if (!onDate()) return null;
      const end = endOfDay(date.value);
      if (end === null) return t("expiry.no_date");
      if (end.getTime() <= now()) return t("expiry.past");
      return date.value > latest || date.value.length > 10 ? t("expiry.too_late", { day: written(latest) }) : null;
    },
    fail,
    focus: () => (onDate() ? date : radios.find((radio) => radio.checked)).focus(),
    /** Returns the selection for `restore`. */
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

/**
 * Describes the unchanged expiry of a token, or returns `null` if it has passed. `key` is the
 * prefix of the two texts.
 */
export function keptEnd(key, { expires_at: end }) {
  if (end === null) return { label: t(`${key}_never`), end: null };
  return Date.parse(end) > now() ? { label: t(key, { day: written(lastDay(end)) }), end: Date.parse(end) } : null;
}

const span = (days) => (days === 365 ? t("expiry.year") : plural("expiry.days", days));

/** @param {{ end?: () => number | null }} option */
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
  return t("expiry.through", { weekday: weekday(end.getTime() - 1), day: written(text), away: relative(end), zone });
}

/** A token expires soon if its expiry is at most this far away, in milliseconds. */
export const SOON = 7 * DAY;

/** A token counts as unused after this time, in milliseconds. */
export const UNUSED = 90 * DAY;

/** Creates the badges of a token: its status, and anything that needs attention. */
export function badges({ status, created_at: created, last_used_at: used, expires_at: end, previous_secret_expires_at: previous }) {
  const idle = now() - Date.parse(used ?? created);
  const soon = status === "active" && end !== null && Date.parse(end) - now() <= SOON;
  return [
    h("span", { class: `badge ${status}` }, t(`status.${status}`)),
    soon && h("span", { class: "badge soon" }, t("status.soon")),
    status === "active" && idle > UNUSED && h("span", { class: "badge" }, t("status.unused", { days: Math.floor(idle / DAY).toLocaleString(LANGUAGE) })),
    status === "active" && previous && h("span", { class: "badge soon" }, t("status.previous")),
  ];
}
