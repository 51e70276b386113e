//! The quickstart's service, for its own program and for the cluster's, which runs three of it.

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
