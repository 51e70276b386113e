// Detects faults that no test allows on a page.

/**
 * Watches a page. `faults` lists the detected faults. `expect(status)` allows responses with this
 * status.
 */
export function watch(page, origin) {
  const faults = [];
  const expected = new Set();
  page.on("pageerror", (error) => faults.push(`an error in the page: ${error.stack ?? error}`));
  page.on("console", (message) => {
    if (message.type() !== "error" && message.type() !== "warning") return;
    // If a page names no icon, such as a host's sign-in page, the browser requests a default one.
    if (new URL(message.location().url || origin).pathname === "/favicon.ico") return;
    const status = /^Failed to load resource: (?:the server responded with a status of (\d+)|net::ERR_(\w+))/.exec(message.text());
    if (status && expected.has(status[1] ?? status[2])) return;
    faults.push(`on the console: ${message.text()}`);
  });
  page.on("request", (request) => {
    const url = new URL(request.url());
    if (url.origin !== origin) faults.push(`a request elsewhere: ${request.url()}`);
  });
  page.on("crash", () => faults.push("the page crashed"));
  return { faults, expect: (...statuses) => statuses.forEach((status) => expected.add(String(status))) };
}
