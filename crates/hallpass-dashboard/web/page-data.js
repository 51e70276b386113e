// What the server wrote into the page.

import { t } from "./texts.js";

const pageData = document.querySelector('meta[name="hallpass"]').dataset;

/** The API's address, absolute and without a slash at its end. */
export const apiUrl = new URL(pageData.api, document.baseURI).href.replace(/\/$/, "");

/** The address that the page names beside a secret, to try it. */
export const exampleUrl = new URL(pageData.example, document.baseURI).href;

/** Who is signed in, as tokens name their owner. */
export const me = pageData.person;

/** Whether the person sees everybody's tokens. */
export const isAdmin = pageData.role === "admin";

/** Where to sign in; empty if the host did not say. */
export const signInPath = pageData.signIn;

/** Where the link back leads; empty if there is none. */
export const homePath = pageData.home;

/** Whether people confirm changes with a password, and not with something of the host's own. */
export const confirmsByPassword = pageData.confirmation === "";

/** What people confirm changes with. */
export const confirmationWord = pageData.confirmation || t("confirm.password");

/** For scopes that a token may hold for single resources: the names of their parameters, such as `id`. */
export const parameters = new Map(
  [...document.querySelectorAll('meta[name="hallpass-parameter"]')].map((meta) => [meta.dataset.scope, meta.content.split(":")]),
);
