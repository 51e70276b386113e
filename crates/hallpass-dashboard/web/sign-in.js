// Builds the URL of the sign-in, which returns to the current view.

/**
 * Returns the URL of the sign-in. Its parameter `next` is the URL of this view, with the fragment.
 */
export function signInAddress(path, base = document.baseURI) {
  const address = new URL(path, base);
  if (!address.searchParams.has("next")) address.searchParams.set("next", location.pathname + location.search + location.hash);
  return address.href;
}
