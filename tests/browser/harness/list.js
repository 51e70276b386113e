// Helpers for the list of tokens on the page.

/** Returns the locator of the rows. */
export const rows = (page) => page.locator("table.tokens tbody tr:not(.waiting)");

/** Waits until the list has `count` rows and starts with `first`, then returns the names. */
export async function names(page, count, first) {
  await page.waitForFunction(
    ([count, first]) => {
      const found = [...document.querySelectorAll("table.tokens tbody .name")];
      const quiet = !document.querySelector(".panel[aria-busy]");
      return quiet && found.length === count && (!first || found[0].textContent === first);
    },
    [count, first],
  );
  return page.locator("table.tokens tbody .name").allInnerTexts();
}
