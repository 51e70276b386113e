//! The settings page of [Hallpass](https://docs.rs/hallpass): people list, create, change, regenerate, revoke and
//! delete their tokens in a browser.
//!
//! [`Dashboard`] is the page and the REST API it uses, as a router to merge. HTML, style sheets and
//! scripts are embedded in the binary as they were written. They use no framework and need no build
//! step: when the program starts, the scripts are joined into one file and compressed.
//!
//! The page runs under a strict Content Security Policy, with no inline script or style, and never
//! parses text as HTML. The page holds a secret only from the response that contains it until the
//! person's next step. It never puts a secret into a URL, a storage or the history.

mod asset;
mod bundle;
mod dashboard;
mod headers;
mod local;
mod names;
mod page;
mod template;
mod texts;
mod visitor;

pub use self::dashboard::Dashboard;
