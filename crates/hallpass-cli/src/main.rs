//! The `hallpass` command: tokens on any store, from a terminal or a script.
//!
//! What it does and how it ends is told by `hallpass --help`, and in `docs/cli.md`.

mod arguments;
mod ask;
mod commands;
mod failure;
mod output;
mod secret;
mod service;
mod store;
mod table;
mod view;

use std::process::ExitCode;

use clap::Parser as _;

use crate::arguments::Arguments;
use crate::failure::Failure;

fn main() -> ExitCode {
    match secret::refuse_in_arguments().and_then(|()| run(Arguments::parse())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output::complain(&failure);
            failure.code().into()
        }
    }
}

fn run(arguments: Arguments) -> Result<(), Failure> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::Trouble(format!("the system gives no runtime: {error}")))?
        .block_on(commands::run(arguments))
}
