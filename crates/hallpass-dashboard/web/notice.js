// Redirects a signed-out person to the sign-in. The server cannot do this, because the requested
// view is in the fragment.

import { signInAddress } from "./sign-in.js";

const forward = /** @type {HTMLAnchorElement} */ (document.querySelector("#sign-in"));
forward.href = signInAddress(forward.getAttribute("href"));
// Do not redirect again if the sign-in redirected here, because that would be an endless loop.
const visit = /** @type {PerformanceNavigationTiming} */ (performance.getEntriesByType("navigation")[0]);
if (!visit?.redirectCount) location.replace(forward.href);
