//! The quickstart service. The example `quickstart` runs one of it, and the example `cluster` runs
//! three.

mod app;
mod options;
mod pages;
mod problem;
mod projects;
mod stop;
mod tokens;
mod users;

pub use self::{
    app::{Common, app},
    options::Options,
    stop::signal_received as stop,
    tokens::hallpass,
};
