//! `hallpass inspect`.

use std::path::PathBuf;

use clap::Args;
use hallpass_core::PresentedToken;
use serde_json::json;

use crate::error::CliError;
use crate::{output, secret, table};

/// The arguments of the command.
#[derive(Args)]
pub(crate) struct Inspect {
    /// The file that contains the token. By default it is read from standard input. Never pass the
    /// token itself, because other users can see the arguments of a process.
    file: Option<PathBuf>,
}

impl Inspect {
    pub(crate) fn run(&self, json: bool) -> Result<(), CliError> {
        let text = secret::read(self.file.as_deref())?;
        let (prefix, token) = PresentedToken::inspect(&text)
            .map_err(|why| CliError::InvalidToken(format!("the text is not a token: {why}")))?;
        let (id, generated_at) = (token.id(), token.id().generated_at());
        let digest = token.digest().to_text();
        if json {
            return output::print_json(&json!({
                "prefix": prefix.as_str(),
                "id": id.to_string(),
                "generated_at": generated_at.to_string(),
                "checksum": "right",
                "digest": digest,
            }));
        }
        output::print(&table::rows(&[
            ("prefix", prefix.to_string()),
            ("id", id.to_string()),
            ("generated", generated_at.to_string()),
            ("checksum", "right".to_owned()),
            ("digest", digest),
        ]))
    }
}
