//! The question before something is deleted permanently.

use std::io::{self, IsTerminal as _, Write as _};

use crate::error::CliError;

/// Prompts the person to confirm, unless `yes` is set. Without a terminal, nothing is confirmed.
pub(crate) fn confirm(question: &str, yes: bool) -> Result<(), CliError> {
    if yes {
        return Ok(());
    }
    let stdin = io::stdin();
    if !stdin.is_terminal() {
        let message =
            "not confirmed, because standard input is not a terminal: use --yes to confirm";
        return Err(CliError::NotConfirmed(message.to_owned()));
    }
    let mut stderr = io::stderr().lock();
    let _ = write!(stderr, "{question} Type yes to continue: ").and_then(|()| stderr.flush());
    let mut answer = String::new();
    let read = stdin.read_line(&mut answer);
    if read.is_ok() && answer.trim().eq_ignore_ascii_case("yes") {
        Ok(())
    } else {
        Err(CliError::NotConfirmed("not confirmed: nothing was done".to_owned()))
    }
}
