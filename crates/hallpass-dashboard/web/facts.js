// What the server wrote into the page.

const { api, person, role, signIn, home, confirmation } = document.querySelector('meta[name="hallpass"]').dataset;

/** Where the API is, absolute and without a slash at its end. */
export const apiUrl = new URL(api, document.baseURI).href.replace(/\/$/, "");

/** Who is signed in, as tokens name their owner. */
export const me = person;

/** Whether that is somebody who sees everybody's tokens. */
export const isAdmin = role === "admin";

/** Where to sign in; empty if the host did not say. */
export const signInPath = signIn;

/** Where the link back leads; empty if there is none. */
export const homePath = home;

/** What a person confirms changes with, where the host wants that: `password`, unless the host says otherwise. */
export const confirmationWord = confirmation;

/** For scopes that a token may hold for one thing at a time: what names the thing, such as `id`. */
export const parameters = new Map(
  [...document.querySelectorAll('meta[name="hallpass-parameter"]')].map((meta) => [meta.dataset.scope, meta.content.split(":")]),
);
