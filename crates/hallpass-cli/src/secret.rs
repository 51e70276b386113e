//! Secrets. They are read from standard input or a file, and written to standard output once.

use std::fs::File;
use std::io::{self, IsTerminal as _, Read};
use std::path::Path;

use hallpass_core::__private::find_bodies;
use hallpass_core::{Hallpass, Issued};
use serde::Serialize;
use zeroize::Zeroizing;

use crate::error::CliError;
use crate::output;
use crate::table;
use crate::view::TokenView;

/// The maximum number of bytes to read. No token is as long.
const MAX_LEN: u64 = 4096;

/// A token with its secret, as JSON.
#[derive(Serialize)]
struct IssuedView<'t> {
    #[serde(flatten)]
    record: TokenView,
    token: &'t str,
}

/// Prints a token that has a new secret. The token alone goes to standard output, so that it can be
/// piped or written to a file. Its record goes to standard error.
pub(crate) fn show_once(hallpass: &Hallpass, issued: &Issued, json: bool) -> Result<(), CliError> {
    let (record, now) = (&issued.record, hallpass.now());
    let printed = if json {
        let view = IssuedView { record: TokenView::new(record, now), token: issued.token.reveal() };
        let text = Zeroizing::new(output::json(&view)?);
        output::print_once(&text)
    } else {
        let text = Zeroizing::new(format!("{}\n", issued.token.reveal()));
        output::print_once(&text)
    };
    printed.map_err(|error| {
        CliError::System(format!(
            "{error}. The secret of token {} is lost: regenerate or delete the token",
            record.id
        ))
    })?;
    if !json {
        output::print_note(table::one(record, now).trim_end());
        output::print_note("This is the only time that the token is shown.");
    }
    Ok(())
}

/// Returns whether a text contains a token with any prefix.
fn contains_token(text: &[u8]) -> bool {
    let is_after_prefix = |at: usize| text[..at].last().is_some_and(u8::is_ascii_alphanumeric);
    find_bodies(text).any(|body| is_after_prefix(body.start - 1))
}

/// Rejects arguments that contain tokens, before any message can repeat them.
pub(crate) fn reject_in_arguments() -> Result<(), CliError> {
    let holds_token = |argument: std::ffi::OsString| {
        let argument = Zeroizing::new(argument.to_string_lossy().into_owned());
        contains_token(argument.as_bytes())
    };
    if std::env::args_os().any(holds_token) {
        let message = "an argument contains a token: other users can see the arguments of a process, and \
            shells store them in their history. Regenerate that token, and pass tokens to \
            `hallpass inspect` in a file or a pipe";
        return Err(CliError::Usage(message.to_owned()));
    }
    Ok(())
}

/// Reads a token from a file, or from standard input.
pub(crate) fn read(file: Option<&Path>) -> Result<Zeroizing<String>, CliError> {
    let file = file.filter(|path| path.as_os_str() != "-");
    let read = match file {
        Some(path) => File::open(path).and_then(read_all),
        None => {
            if io::stdin().is_terminal() {
                output::print_note("Paste the token, then press Enter and Ctrl-D:");
            }
            read_all(io::stdin().lock())
        }
    };
    let text = read.map_err(|error| {
        let name = file.map_or("standard input".into(), Path::to_string_lossy);
        CliError::System(format!("could not read {name}: {error}"))
    })?;
    Ok(Zeroizing::new(text.trim().to_owned()))
}

/// Reads at most [`MAX_LEN`] bytes into a buffer that is wiped.
fn read_all(from: impl Read) -> io::Result<Zeroizing<String>> {
    let mut text = Zeroizing::new(String::with_capacity(MAX_LEN as usize));
    from.take(MAX_LEN).read_to_string(&mut text)?;
    Ok(text)
}
