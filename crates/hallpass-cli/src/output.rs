//! Output. The result of a command goes to standard output, everything else to standard error.

use std::io::{self, IsTerminal as _, Write as _};

use serde::Serialize;

use crate::error::CliError;

/// Prints a result. A reader that closes the pipe early, such as `head`, is not an error.
pub(crate) fn print(text: &str) -> Result<(), CliError> {
    match write_out(text) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written.map_err(|error| write_error(&error)),
    }
}

/// Prints a result as JSON.
pub(crate) fn print_json(value: &impl Serialize) -> Result<(), CliError> {
    print(&json(value)?)
}

/// Converts a value to JSON text that ends with a line break.
pub(crate) fn json(value: &impl Serialize) -> Result<String, CliError> {
    serde_json::to_string_pretty(value)
        .map(|text| escaped(&text) + "\n")
        .map_err(|error| CliError::system(&error))
}

/// Escapes the characters of a JSON text that could control a terminal or change the direction of
/// writing. JSON itself escapes only those below U+0020, but terminals read U+009B like ESC and
/// `[`. Line breaks between members stay.
pub(crate) fn escaped(json: &str) -> String {
    json.chars().fold(String::with_capacity(json.len()), |mut escaped, c| {
        match c {
            '\n' => escaped.push(c),
            c if c.is_control() || changes_layout(c) => {
                escaped.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            c => escaped.push(c),
        }
        escaped
    })
}

/// Returns whether a character separates lines or changes the direction of writing.
fn changes_layout(c: char) -> bool {
    matches!(c, '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// Prints a result that is shown only once. Here it is an error if it cannot be written.
pub(crate) fn print_once(text: &str) -> Result<(), CliError> {
    write_out(text).map_err(|error| write_error(&error))
}

fn write_out(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush())
}

fn write_error(error: &io::Error) -> CliError {
    CliError::System(format!("could not write to standard output: {error}"))
}

/// Prints a note for the person at the terminal.
pub(crate) fn print_note(text: &str) {
    // If standard error cannot be written, there is no other place to report that.
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Replaces the line of progress on standard error, if that is a terminal. An empty text clears it.
pub(crate) fn print_progress(text: &str) {
    let mut err = io::stderr().lock();
    if err.is_terminal() {
        let _ = write!(err, "\r{text:60}\r").and_then(|()| err.flush());
    }
}

/// Prints the error of a command.
pub(crate) fn print_error(error: &CliError) {
    print_note(&format!("hallpass: {error}"));
}
