// What a problem means to a person, and what to do about it.

const KEPT = "What you entered is still here.";

const wait = ({ retryAfter }) => {
  if (retryAfter === null) return "in a moment";
  return retryAfter === 1 ? "in a second" : `in ${retryAfter} seconds`;
};

const BY_KIND = {
  unreachable: () => ["The server cannot be reached", `No answer came. ${KEPT} Check your connection and try again.`],
  stale: () => [
    "Somebody else changed this token",
    `It is no longer as you see it, so nothing was saved. ${KEPT} Load how it is now, and decide.`,
  ],
  conflict: () => ["Changed at the same time", `Somebody else was faster. ${KEPT} Try again.`],
  "token-limit": ({ limit, inUse }) => [
    "No room for another token",
    `You have ${inUse} of ${limit} tokens. ${KEPT} Delete one that you no longer need, then try again.`,
  ],
  "not-found": () => ["There is no such token", "It may have been deleted, or it is not yours."],
  "cross-site": () => ["Refused", "The server took this for the request of another site. Open this page anew and try again."],
};

const BY_STATUS = {
  401: () => ["You are signed out", `${KEPT} Sign in again in another tab, then come back and try again.`],
  404: BY_KIND["not-found"],
  412: BY_KIND.stale,
  422: () => ["This cannot be saved yet", "See what is wrong below."],
  429: (problem) => ["Too many attempts", `Try again ${wait(problem)}.`],
  503: (problem) => ["The server is not available just now", `${KEPT} ${outcome(problem)} ${again(problem)}`],
};

const again = (problem) => `Try again ${wait(problem)}.`;

/** A change that may or may not have been made: the server's own words for it. */
const outcome = ({ detail }) => (/not known/.test(detail) ? "It is not known whether the change was made: look before you try again." : "Nothing was changed.");

/** A title and a sentence. */
export function explain(problem) {
  const words = BY_KIND[problem.kind] ?? BY_STATUS[problem.status];
  const [title, text] = words ? words(problem) : ["That did not work", sentence(problem.detail) || `The server answered ${problem.status}.`];
  return { title, text };
}

/** The server's words as a sentence. */
export function sentence(text) {
  const trimmed = text.trim();
  if (trimmed === "") return "";
  const begun = trimmed[0].toUpperCase() + trimmed.slice(1);
  return /[.!?]$/.test(begun) ? begun : `${begun}.`;
}
