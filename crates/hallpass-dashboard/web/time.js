// Times as people read them: dates that mean the same everywhere (2027-03-31), in the person's own zone, with the
// instant in UTC behind them, and how far away that is.

import { h } from "./dom.js";
import { now } from "./api.js";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

const two = (number) => String(number).padStart(2, "0");

/** `2027-03-31`, where the person is. */
export function day(instant) {
  const date = new Date(instant);
  return `${String(date.getFullYear()).padStart(4, "0")}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

/** `2027-03-31 14:05`, where the person is. */
export function minute(instant) {
  const date = new Date(instant);
  return `${day(date)} ${two(date.getHours())}:${two(date.getMinutes())}`;
}

/** `2027-03-31 12:05:09 UTC`. */
export const utc = (instant) => `${new Date(instant).toISOString().slice(0, 19).replace("T", " ")} UTC`;

/** `Wednesday`: beside a date it tells a day that was meant from one that was not. */
export const weekday = (date) => date.toLocaleDateString("en", { weekday: "long" });

/** The last day on which something works that ends at this instant: midnight belongs to the day before. */
export const lastDay = (end) => day(new Date(end).getTime() - 1);

const UNITS = [
  ["year", 365 * DAY, 2 * 365 * DAY],
  ["month", 30 * DAY, 90 * DAY],
  ["day", DAY, 2 * DAY],
  ["hour", HOUR, 2 * HOUR],
  ["minute", MINUTE, MINUTE],
];

const words = new Intl.RelativeTimeFormat("en", { numeric: "always" });

/** `in 12 days`, `3 hours ago`. */
export function relative(instant) {
  const away = new Date(instant).getTime() - now();
  for (const [unit, length, from] of UNITS) {
    // As it will be rounded: two minutes less than a day are a day.
    if (Math.abs(away) >= from - length / 2) return words.format(Math.round(away / length), unit);
  }
  return away < 0 ? "just now" : "in less than a minute";
}

/** `11 days 4 hours`, `9 minutes 5 seconds`: what is left, in the two largest parts. */
export function left(instant) {
  let rest = Math.max(0, Date.parse(instant) - now());
  const parts = [];
  for (const [unit, length] of [["day", DAY], ["hour", HOUR], ["minute", MINUTE], ["second", SECOND]]) {
    const count = Math.floor(rest / length);
    rest -= count * length;
    if (count > 0 || parts.length > 0) parts.push(`${count} ${unit}${count === 1 ? "" : "s"}`);
  }
  return parts.slice(0, 2).join(" ") || "0 seconds";
}

/** A `<time>` with the instant in UTC behind it. */
export const time = (instant, text) => h("time", { datetime: instant, title: utc(instant) }, text);

/** A date and how far away it is; two lines in a table. */
export const dated = (instant, text = day(instant)) => [
  time(instant, text),
  " ",
  h("span", { class: "quiet" }, relative(instant)),
];

/** When a token ends. */
export const expiry = (end) => (end === null ? h("span", { class: "quiet" }, "never") : dated(end, lastDay(end)));

/** When something was; `never` if it was not. */
export const past = (instant) => (instant === null ? h("span", { class: "quiet" }, "never") : dated(instant));
