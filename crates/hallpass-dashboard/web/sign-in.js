// Signing in, and coming back to the view that a person wanted.

/** Returns the address of the sign-in. Its parameter `next` is the address of this view, with the fragment. */
export function signInAddress(path) {
  const address = new URL(path, document.baseURI);
  if (!address.searchParams.has("next")) address.searchParams.set("next", location.pathname + location.search + location.hash);
  return address.href;
}

// The page for people who are not signed in sends them there. The server cannot do this, because the view is in the fragment.
const forward = /** @type {HTMLAnchorElement | null} */ (document.querySelector("#sign-in"));
if (forward) {
  forward.href = signInAddress(forward.getAttribute("href"));
  // If the sign-in itself redirected here, going back at once would be an endless loop.
  const [visit] = /** @type {PerformanceNavigationTiming[]} */ (performance.getEntriesByType("navigation"));
  if (!visit?.redirectCount) location.replace(forward.href);
}
