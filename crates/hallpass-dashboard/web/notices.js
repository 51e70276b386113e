// What happened, in a line that readers of screens say and that goes away by itself.

import { h, fill } from "./dom.js";

const SHOWN = 6000;

let timer;

/** Says it. */
export function say(text) {
  const status = document.querySelector("#status");
  fill(status, h("p", {}, text));
  clearTimeout(timer);
  timer = setTimeout(() => fill(status), SHOWN);
}
