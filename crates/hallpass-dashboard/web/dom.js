// Building elements. Text goes in as text: nothing on this page is ever parsed as HTML.

/**
 * An element with attributes and children.
 * Attributes: `on` is an object of listeners; `true` is an empty attribute; `false`, `null` and
 * `undefined` leave it out. Children: nodes, texts, lists of them; `null` and `false` are left out.
 */
export function h(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (name === "on") {
      for (const [event, listener] of Object.entries(value)) element.addEventListener(event, listener);
    } else if (value !== false && value !== null && value !== undefined) {
      element.setAttribute(name, value === true ? "" : value);
    }
  }
  element.append(...kept(children));
  return element;
}

/** Puts these children in the place of all others. */
export function fill(element, ...children) {
  element.replaceChildren(...kept(children));
  return element;
}

/** Sets an attribute, or takes it away. */
export function mark(element, name, value) {
  if (value === false || value === null || value === undefined) element.removeAttribute(name);
  else element.setAttribute(name, value === true ? "" : value);
}

const kept = (children) => children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false);

let last = 0;

/** An id that no other element has. */
export const unique = (name) => `${name}-${++last}`;

/** Calls it when nobody has asked again for so long; `cancel` forgets it. */
export function settled(milliseconds, action) {
  let timer;
  const call = () => {
    clearTimeout(timer);
    timer = setTimeout(action, milliseconds);
  };
  call.cancel = () => clearTimeout(timer);
  return call;
}
