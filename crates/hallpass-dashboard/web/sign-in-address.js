// Where to sign in, and come back from.

/** Returns the address of the sign-in. Its parameter `next` is the address of this view, with the fragment. */
export function signInAddress(path) {
  const address = new URL(path, document.baseURI);
  if (!address.searchParams.has("next")) address.searchParams.set("next", location.pathname + location.search + location.hash);
  return address.href;
}
