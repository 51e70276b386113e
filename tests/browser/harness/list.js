// The list on the page.

/** Its rows. */
export const rows = (page) => page.locator("table.tokens tbody tr:not(.waiting)");

/** The names in it, once there are so many and `first` is the first. */
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
