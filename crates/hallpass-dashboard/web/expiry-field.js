// When a token is to end: in so many days, on a date, or never; with the date that comes of it.

import { now } from "./api.js";
import { fill, h, mark, unique } from "./dom.js";
import { errorLine } from "./fields.js";
import { DAY, day, lastDay, minute, relative, weekday } from "./time.js";

const SPANS = [
  ["7 days", "7d", 7],
  ["30 days", "30d", 30],
  ["60 days", "60d", 60],
  ["90 days", "90d", 90],
  ["1 year", "1y", 365],
];

/**
 * The field. `value` is what the API takes, or `undefined` for what it does by itself: `keep` (`{ label, end }`) as it
 * is, or the host's default.
 */
export function expiryField({ limits, keep = null }) {
  const id = unique("expires");
  const error = errorLine(id);
  const longest = limits.longest_lifetime === null ? Infinity : limits.longest_lifetime * 1000;
  const date = h("input", {
    type: "date",
    "aria-label": "Last day",
    "aria-describedby": error.id,
    min: day(now()),
    max: Number.isFinite(longest) ? day(now() + longest - DAY) : "9999-12-30",
  });
  const options = [
    ...(keep ? [{ label: keep.label, value: undefined, end: () => keep.end }] : []),
    ...SPANS.filter(([, , days]) => days * DAY <= longest).map(([label, value, days]) => ({ label, value, end: () => now() + days * DAY })),
    { label: "On a date", date: true },
    ...(longest === Infinity ? [{ label: "Never", value: "never", end: () => null }] : []),
  ];
  if (!keep && !options.some(({ value }) => value !== undefined && value === spelled(limits.default_expires))) {
    options.unshift({ label: limits.default_expires ? `Default (${limits.default_expires})` : "Default", value: undefined });
  }
  const radios = options.map((option) => h("input", { type: "radio", name: id, on: { change: show } }));
  const start = keep ? 0 : Math.max(0, options.findIndex(({ value }) => value === spelled(limits.default_expires)));
  radios[start].checked = true;
  const chosen = () => options[radios.findIndex((radio) => radio.checked)];
  const result = h("p", { class: "help", role: "status" });
  const dateRow = h("div", { class: "row" }, date);
  date.addEventListener("input", show);

  function show() {
    const option = chosen();
    error.say(null);
    mark(date, "aria-invalid", null);
    dateRow.hidden = !option.date;
    fill(result, option.date ? dateText(date) : endText(option));
  }
  show();

  return {
    node: h(
      "fieldset",
      { class: "field" },
      h("legend", {}, "Expiration"),
      h("div", { class: "choices" }, options.map(({ label }, at) => h("label", { class: "choice" }, radios[at], h("span", {}, label)))),
      dateRow,
      result,
      error.node,
    ),
    get value() {
      const option = chosen();
      // An empty date is the server's to refuse, in the same words as any other.
      return option.date ? date.value : option.value;
    },
    fail(message) {
      error.say(message);
      mark(date, "aria-invalid", message && chosen().date ? "true" : null);
    },
    focus: () => (chosen().date ? date : radios.find((radio) => radio.checked)).focus(),
  };
}

/** The host's default as one of our own options has it. */
const spelled = (expires) => (expires === "365d" ? "1y" : (expires ?? undefined));

function endText({ end }) {
  if (!end) return "The server decides.";
  const at = end();
  if (at === null) return "It works until somebody revokes or deletes it. Prefer an end, if you can renew it in time.";
  const away = `(${relative(at)})`;
  const last = lastDay(at);
  if (last !== day(at)) return `It works through ${weekday(new Date(at - 1))}, ${last} ${away}.`;
  return `It works until ${weekday(new Date(at))}, ${minute(at)} ${away}.`;
}

function dateText(date) {
  if (date.value === "") return "It works through the whole of that day.";
  const noon = new Date(`${date.value}T12:00:00`);
  return `It works through the whole of ${weekday(noon)}, ${date.value} (${relative(noon)}), by the server’s calendar.`;
}
