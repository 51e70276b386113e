// A page of a host, with a strict policy and its own styles, that embeds the page of tokens.

const POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

const HTML = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>The host</title>
<link rel="stylesheet" href="/host.css">
<link rel="icon" href="/host.svg">
<script type="module" src="/host.js"></script>
<main><h1>Settings</h1><div id="tokens"></div></main>
</html>`;

/**
 * Serves the host's page at `/host`. `css` is added to its styles, and `options` are passed to
 * `mount`.
 */
export async function serveHost(context, { css = "", options = {} } = {}) {
  const files = {
    "/host": ["text/html", HTML],
    "/host.css": ["text/css", `h1, h2, p, table, button, input { border: 7px dotted red; text-transform: uppercase; } ${css}`],
    "/host.svg": ["image/svg+xml", '<svg xmlns="http://www.w3.org/2000/svg"/>'],
    "/host.js": [
      "text/javascript",
      `import { mount } from "/settings/tokens/embed.js";
      globalThis.show = () => mount(document.getElementById("tokens"), ${JSON.stringify(options)});
      globalThis.remove = show();`,
    ],
  };
  await context.route(
    ({ pathname }) => pathname in files,
    (route) => {
      const [contentType, body] = files[new URL(route.request().url()).pathname];
      return route.fulfill({ contentType, body, headers: { "Content-Security-Policy": POLICY } });
    },
  );
}
