//! A question before something is gone for good.

use std::io::{self, IsTerminal as _, Write as _};

use crate::failure::Failure;

/// Goes on if the person says yes, or has said so beforehand. Where nobody is there to be asked,
/// that is a no.
pub(crate) fn confirm(question: &str, yes: bool) -> Result<(), Failure> {
    if yes {
        return Ok(());
    }
    let stdin = io::stdin();
    if !stdin.is_terminal() {
        let said = "nobody is there to be asked: say --yes if you mean it";
        return Err(Failure::NotConfirmed(said.to_owned()));
    }
    let mut prompt = io::stderr().lock();
    let _ = write!(prompt, "{question} Type yes to go on: ").and_then(|()| prompt.flush());
    let mut answer = String::new();
    let read = stdin.read_line(&mut answer);
    if read.is_ok() && answer.trim().eq_ignore_ascii_case("yes") {
        Ok(())
    } else {
        Err(Failure::NotConfirmed("nothing was done".to_owned()))
    }
}
