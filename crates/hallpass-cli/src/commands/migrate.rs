use hallpass_core::Hallpass;
use serde_json::json;

use crate::failure::Failure;
use crate::output;

/// Opening a store has set it up already; what is left is to see that it answers.
pub(crate) async fn run(hallpass: &Hallpass, json: bool) -> Result<(), Failure> {
    hallpass.ping().await?;
    if json {
        return output::print_json(&json!({ "ready": true }));
    }
    output::remark("The store is ready.");
    Ok(())
}
