//! `hallpass show`.

use clap::Args;
use hallpass_core::{Hallpass, TokenRecord};

use crate::error::CliError;
use crate::view::TokenView;
use crate::{output, service, table};

/// The arguments of the command.
#[derive(Args)]
pub(crate) struct Show {
    /// The token's id.
    id: String,
}

impl Show {
    pub(crate) async fn run(self, hallpass: &Hallpass, json: bool) -> Result<(), CliError> {
        let record = hallpass.get(&service::system_actor(), service::id(&self.id)?).await?;
        print(hallpass, &record, json)
    }
}

/// Prints a token's record.
pub(super) fn print(hallpass: &Hallpass, record: &TokenRecord, json: bool) -> Result<(), CliError> {
    let now = hallpass.now();
    if json {
        output::print_json(&TokenView::new(record, now))
    } else {
        output::print(&table::one(record, now))
    }
}
