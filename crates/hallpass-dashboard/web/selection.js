// Which rows are selected: one by one, with Ctrl or Cmd added to, with Shift as a range.

/** A selection among the ids that are shown. `changed` is called after each change. */
export function selection(changed) {
  let shown = [];
  let anchor = null;
  const chosen = new Set();

  const set = (id, on) => (on ? chosen.add(id) : chosen.delete(id));

  return {
    /** These are shown now: what is no longer there is no longer selected. */
    show(ids) {
      shown = ids;
      for (const id of [...chosen]) if (!ids.includes(id)) chosen.delete(id);
      if (!ids.includes(anchor)) anchor = null;
      changed();
    },
    has: (id) => chosen.has(id),
    get size() {
      return chosen.size;
    },
    /** Selects it or not; all from the last one on, if `range`. */
    toggle(id, { range = false, on = !chosen.has(id) } = {}) {
      if (range && anchor !== null) {
        const [from, to] = [shown.indexOf(anchor), shown.indexOf(id)].sort((a, b) => a - b);
        for (const each of shown.slice(from, to + 1)) set(each, on);
      } else {
        set(id, on);
      }
      anchor = id;
      changed();
    },
    /** Selects all that are shown, or none. */
    all(on) {
      for (const id of shown) set(id, on);
      changed();
    },
  };
}
