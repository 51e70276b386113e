//! The service of the quickstart. Its own program runs it, and the example `cluster` runs three of
//! them.

mod app;
mod options;
mod pages;
mod people;
mod problem;
mod projects;
mod stop;
mod tokens;

pub use self::{
    app::{Common, app},
    options::Options,
    stop::asked as stop,
    tokens::hallpass,
};
