// What of the list is shown: by status, by a text, by owner.

import { h, settled } from "./dom.js";
import { isAdmin } from "./facts.js";
import { icon } from "./icons.js";

const STATUSES = [
  ["all", "All"],
  ["active", "Active"],
  ["expired", "Expired"],
  ["revoked", "Revoked"],
];

/** How long typing rests before the server is asked. */
const REST = 250;

/** The filters. `changed` is called with `{ status, q, owner }`, of which what is not asked for is empty. */
export function listFilters(start, changed) {
  const search = (name, label, value, maxlength) => {
    const input = h("input", { type: "search", name, maxlength, "aria-label": label, placeholder: label, autocomplete: "off", spellcheck: "false" });
    input.value = value;
    return input;
  };
  const q = search("q", "Search name or description", start.q, 1000);
  const owner = isAdmin ? search("owner", "Owner", start.owner, 255) : null;
  const statuses = STATUSES.map(([value, label]) => {
    const radio = h("input", { type: "radio", name: "status", value });
    radio.checked = value === start.status;
    return { radio, node: h("label", { class: "choice" }, radio, h("span", {}, label)) };
  });
  const read = () => ({
    status: statuses.find(({ radio }) => radio.checked)?.radio.value ?? "all",
    q: q.value.trim(),
    owner: owner?.value.trim() ?? "",
  });
  const tell = () => changed(read());
  const rested = settled(REST, tell);
  const now = () => {
    rested.cancel();
    tell();
  };
  const node = h(
    "form",
    { class: "filters", role: "search", on: { input: ({ target }) => target.type === "search" && rested() } },
    h("div", { class: "search" }, icon("search"), q),
    owner && h("div", { class: "search owner" }, icon("key"), owner),
    h("fieldset", { class: "choices" }, h("legend", { class: "hidden" }, "Status"), statuses.map(({ node }) => node)),
  );
  node.addEventListener("change", ({ target }) => target.type === "radio" && now());
  node.addEventListener("submit", (event) => {
    event.preventDefault();
    now();
  });
  return {
    node,
    /** Shows all again. */
    reset() {
      q.value = "";
      if (owner) owner.value = "";
      statuses[0].radio.checked = true;
      now();
    },
    leave: rested.cancel,
  };
}
