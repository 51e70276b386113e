//! Where things are written: what was asked for to standard output, all else to standard error.

use std::io::{self, Write as _};

use serde::Serialize;

use crate::failure::Failure;

/// What was asked for. A reader that has gone away, as `head` does, has read enough.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    match write_out(text) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written.map_err(|error| trouble(&error)),
    }
}

/// What was asked for, as JSON.
pub(crate) fn print_json(value: &impl Serialize) -> Result<(), Failure> {
    print(&json(value)?)
}

/// A value as JSON, ready to be printed.
pub(crate) fn json(value: &impl Serialize) -> Result<String, Failure> {
    serde_json::to_string_pretty(value)
        .map(|text| text + "\n")
        .map_err(|error| Failure::trouble(&error))
}

/// What is seen this once: that nobody read it is an error.
pub(crate) fn print_once(text: &str) -> Result<(), Failure> {
    write_out(text).map_err(|error| trouble(&error))
}

fn write_out(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush())
}

fn trouble(error: &io::Error) -> Failure {
    Failure::Trouble(format!("standard output cannot be written: {error}"))
}

/// A remark for the person in front of it.
pub(crate) fn remark(text: &str) {
    // There is nowhere left to say that this cannot be said.
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Why it did not go well.
pub(crate) fn complain(failure: &Failure) {
    remark(&format!("hallpass: {failure}"));
}
