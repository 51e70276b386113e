// Builds the URL of the sign-in, which returns to the current view.

/**
 * Returns the URL of the sign-in. Its parameter `next` is the URL of this view, with the fragment.
 */
export function signInAddress(path, base = document.baseURI) {
  const address = new URL(path, base);
  // A path that begins with two slashes is the URL of another site.
  const here = location.pathname.replace(/^\/+/, "/") + location.search + location.hash;
  if (!address.searchParams.has("next")) address.searchParams.set("next", here);
  return address.href;
}
