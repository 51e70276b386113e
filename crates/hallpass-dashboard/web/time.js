// Times as people read them: dates in the person's own zone, written the same way everywhere (2027-03-31), with the
// instant in UTC behind them, and how far away that is.

import { now } from "./api.js";
import { h } from "./dom.js";
import { language, t } from "./texts.js";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** The name of the person's time zone. All dates on the page are in it. */
export const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;

const two = (number) => String(number).padStart(2, "0");

/** Writes the date of an instant: `2027-03-31`. */
export function day(instant) {
  const date = new Date(instant);
  return `${String(date.getFullYear()).padStart(4, "0")}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

/** Writes the date and time of an instant: `2027-03-31 14:05`. */
export function minute(instant) {
  const date = new Date(instant);
  return `${day(date)} ${two(date.getHours())}:${two(date.getMinutes())}`;
}

/** Writes an instant in UTC: `2027-03-31 12:05:09 UTC`. */
export const utc = (instant) => `${new Date(instant).toISOString().slice(0, 19).replace("T", " ")} UTC`;

/** Writes the weekday: it shows whether a date is the one that was meant. */
export const weekday = (instant) => new Date(instant).toLocaleDateString(language, { weekday: "long" });

/** Returns the instant at which this day, `2027-03-31`, is over where the person is; `null` if there is no such day. */
export function endOfDay(text) {
  const [, year, month, date] = /^(\d{4})-(\d\d)-(\d\d)$/.exec(text) ?? [];
  if (!year) return null;
  const end = new Date(2000, 0, 1);
  // `new Date` would take years below 100 for others. Where the clocks change at midnight, the day starts later.
  end.setFullYear(Number(year), Number(month) - 1, Number(date) + 1);
  return end;
}

/** Returns the last day on which something works that ends at this instant: midnight belongs to the day before. */
export const lastDay = (end) => day(new Date(end).getTime() - 1);

/** Writes when something ends: through a whole day, or until a minute of a day. */
export function ending(end) {
  const last = lastDay(end);
  return endOfDay(last)?.getTime() === new Date(end).getTime() ? t("time.through", { day: last }) : t("time.until", { minute: minute(end) });
}

const UNITS = [
  ["year", 365 * DAY, 2 * 365 * DAY],
  ["month", 30 * DAY, 90 * DAY],
  ["day", DAY, 2 * DAY],
  ["hour", HOUR, 2 * HOUR],
  ["minute", MINUTE, MINUTE],
];

const words = new Intl.RelativeTimeFormat(language, { numeric: "always" });

/** Writes how far away an instant is: `in 12 days`, `3 hours ago`. */
export function relative(instant) {
  const away = new Date(instant).getTime() - now();
  for (const [unit, length, from] of UNITS) {
    // Rounded as it will be shown: two minutes less than a day are a day.
    if (Math.abs(away) >= from - length / 2) return words.format(Math.round(away / length), unit);
  }
  return away < 0 ? t("time.just_now") : t("time.soon");
}

const amount = (count, unit) => new Intl.NumberFormat(language, { style: "unit", unit, unitDisplay: "long" }).format(count);

/** Writes the time left in its two largest units: `11 days 4 hours`, `9 minutes 5 seconds`. */
export function left(instant) {
  let rest = Math.max(0, Date.parse(instant) - now());
  const parts = [];
  for (const [unit, length] of [["day", DAY], ["hour", HOUR], ["minute", MINUTE], ["second", SECOND]]) {
    const count = Math.floor(rest / length);
    rest -= count * length;
    if (count > 0 || parts.length > 0) parts.push(amount(count, unit));
  }
  return parts.slice(0, 2).join(" ") || amount(0, "second");
}

/** Creates a `<time>` with the instant in UTC behind it. */
export const time = (instant, text) => h("time", { datetime: instant, title: utc(instant) }, text);

/** Creates a date and how far away it is. In a table these are two lines. */
export const dated = (instant, text = day(instant)) => [time(instant, text), " ", h("span", { class: "quiet" }, relative(instant))];

const never = () => h("span", { class: "quiet" }, t("time.never"));

/** Creates the date of something that may never have been. */
export const past = (instant, text) => (instant === null ? never() : dated(instant, text));

/** Creates the last day of a token, and how far away it is if the token still works until then. */
export function expiry({ expires_at: end, status }) {
  if (end === null) return never();
  return status === "revoked" ? time(end, lastDay(end)) : dated(end, lastDay(end));
}

/** Creates the line that says which zone the dates are in. */
export const zoneNote = () => h("p", { class: "quiet zone" }, t("time.zone", { zone }));
