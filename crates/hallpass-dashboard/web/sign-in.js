// The page for people who are not signed in: it sends them to the sign-in with the address of the view they wanted. The
// server cannot do this, because the view is in the fragment.

import { signInAddress } from "./sign-in-address.js";

const link = document.querySelector("#sign-in");
link.href = signInAddress(link.getAttribute("href"));

// If the sign-in itself redirected here, going back at once would be an endless loop.
const [visit] = performance.getEntriesByType("navigation");
if (!visit?.redirectCount) location.replace(link.href);
