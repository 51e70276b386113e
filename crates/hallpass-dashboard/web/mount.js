// Mounts the page as a document of its own, or in an element of the host's page.

import { signInAddress } from "./sign-in.js";

/**
 * Shows the page in an element. The page is in a shadow root, so styles are isolated in both
 * directions, except for custom properties on the element. Returns a function that removes the
 * page.
 * @param {HTMLElement} element
 * @param {{ base: string, style: string, settings?: Settings, notice?: { title: string, text: string, label: string, signIn: string | null } }} given
 *   The server's settings for the person who requested this script, or a notice if there is none.
 * @param {{ fragment?: boolean }} [options] With `fragment`, the fragment of the browser's URL names
 *   the view, so that views can be bookmarked. The host must not use the fragment itself.
 */
export function mount(element, { base, style, settings, notice }, { fragment = false } = {}) {
  const make = (tag, attributes, ...children) => {
    const node = Object.assign(document.createElement(tag), attributes);
    node.append(...children);
    return node;
  };
  const top = make("div", { className: "top" });
  const main = make("div", { className: "main", tabIndex: -1 });
  const status = make("div", { className: "status", role: "status", ariaLive: "polite" });
  const frame = make("div", { className: "embedded", lang: LANGUAGE, dir: TEXTS["text.direction"], hidden: true }, top, main, status);
  const show = () => (frame.hidden = false);
  const sheet = make("link", { rel: "stylesheet", href: new URL(style, base).href, onload: show, onerror: show });
  const root = element.shadowRoot ?? element.attachShadow({ mode: "open" });
  root.replaceChildren(sheet, frame);
  const ended = new AbortController();
  if (notice) {
    main.append(make("h1", {}, notice.title), make("p", {}, notice.text));
    if (notice.signIn) main.append(make("p", {}, make("a", { href: signInAddress(notice.signIn, base) }, notice.label)));
  } else {
    startPage({ root, frame, top, main, status, base, settings, fragment, alone: false, signal: ended.signal });
  }
  return () => {
    ended.abort();
    root.replaceChildren();
  };
}

const meta = /** @type {HTMLMetaElement | null} */ (document.querySelector('meta[name="hallpass"]'));
if (meta) {
  const [top, main, status] = ["top", "main", "status"].map((id) => document.getElementById(id));
  const place = { root: document, frame: document.body, top, main, status, base: document.baseURI };
  startPage({ ...place, settings: JSON.parse(meta.content), fragment: true, alone: true, signal: new AbortController().signal });
}
