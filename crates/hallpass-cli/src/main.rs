//! The `hallpass` command, which manages tokens in any store from a terminal or a script.
//!
//! `hallpass --help` and `docs/cli.md` describe the commands and exit codes.

mod arguments;
mod commands;
mod error;
mod output;
mod prompt;
mod secret;
mod service;
mod store;
mod table;
mod view;

use std::process::ExitCode;

use crate::arguments::Arguments;
use crate::error::CliError;

fn main() -> ExitCode {
    match secret::reject_in_arguments().and_then(|()| arguments::parse()).and_then(run) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output::print_error(&error);
            error.code().into()
        }
    }
}

fn run(arguments: Arguments) -> Result<(), CliError> {
    // The TLS drivers panic if no default provider is installed. An error here means that one is
    // installed already.
    #[cfg(feature = "rustls")]
    let _ = rustls::crypto::ring::default_provider().install_default();
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| CliError::System(format!("could not start the runtime: {error}")))?
        .block_on(commands::run(arguments))
}
