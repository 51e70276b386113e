// The notice for people who are not signed in: it sends them to the sign-in. The server cannot do this, because the view
// that they wanted is in the fragment.

import { signInAddress } from "./sign-in.js";

const forward = /** @type {HTMLAnchorElement} */ (document.querySelector("#sign-in"));
forward.href = signInAddress(forward.getAttribute("href"));
// If the sign-in itself redirected here, going back at once would be an endless loop.
const visit = /** @type {PerformanceNavigationTiming} */ (performance.getEntriesByType("navigation")[0]);
if (!visit?.redirectCount) location.replace(forward.href);
