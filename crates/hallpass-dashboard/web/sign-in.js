// Signing in, and coming back to the view that a person wanted.

/** Returns the address of the sign-in. Its parameter `next` is the address of this view, with the fragment. */
export function signInAddress(path, base = document.baseURI) {
  const address = new URL(path, base);
  if (!address.searchParams.has("next")) address.searchParams.set("next", location.pathname + location.search + location.hash);
  return address.href;
}
