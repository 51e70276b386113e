//! `hallpass migrate`.

use hallpass_core::Hallpass;
use serde_json::json;

use crate::error::CliError;
use crate::output;

/// Checks that the store responds. It was created or migrated when the handle was opened.
pub(crate) async fn run(hallpass: &Hallpass, json: bool) -> Result<(), CliError> {
    hallpass.ping().await?;
    if json {
        return output::print_json(&json!({ "ready": true }));
    }
    output::print_note("The store is ready.");
    Ok(())
}
