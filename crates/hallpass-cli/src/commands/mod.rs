//! The commands. Each has its own file.

pub(crate) mod audit;
pub(crate) mod completions;
pub(crate) mod copy;
pub(crate) mod delete;
pub(crate) mod ensure;
pub(crate) mod inspect;
pub(crate) mod issue;
pub(crate) mod list;
mod migrate;
pub(crate) mod prune;
pub(crate) mod regenerate;
pub(crate) mod revoke;
pub(crate) mod scanner;
pub(crate) mod show;
pub(crate) mod update;

use hallpass_core::Hallpass;

use crate::arguments::{Arguments, Command, Settings};
use crate::error::CliError;
use crate::service;
use crate::store::Missing;

/// Runs the command that the arguments name.
pub(crate) async fn run(arguments: Arguments) -> Result<(), CliError> {
    let Arguments { settings, command } = arguments;
    let json = settings.json;
    // These commands need no store.
    match &command {
        Command::Inspect(inspect) => return inspect.run(json),
        Command::Scanner(scanner) => return scanner.run(service::prefix(&settings)?, json),
        Command::Issue(_) | Command::Copy(_) | Command::Regenerate(_) => {
            service::prefix(&settings)?;
        }
        Command::Completions(completions) => return completions.run(),
        _ => {}
    }
    let missing = match command {
        Command::Migrate => Missing::Create,
        _ => Missing::Fail,
    };
    let hallpass = service::open(&settings, missing).await?;
    let result = run_with_store(&hallpass, &settings, command).await;
    let shutdown = hallpass.shutdown().await.map_err(CliError::from);
    result.and(shutdown)
}

/// Runs a command that needs a store.
async fn run_with_store(
    hallpass: &Hallpass,
    settings: &Settings,
    command: Command,
) -> Result<(), CliError> {
    let json = settings.json;
    match command {
        Command::Migrate => migrate::run(hallpass, json).await,
        Command::Issue(issue) => issue.run(hallpass, json).await,
        Command::List(list) => list.run(hallpass, json).await,
        Command::Show(show) => show.run(hallpass, json).await,
        Command::Update(update) => update.run(hallpass, json).await,
        Command::Copy(copy) => copy.run(hallpass, json).await,
        Command::Regenerate(regenerate) => regenerate.run(hallpass, json).await,
        Command::Revoke(revoke) => revoke.run(hallpass, json).await,
        Command::Delete(delete) => delete.run(hallpass, json).await,
        Command::Prune(prune) => prune.run(hallpass, settings).await,
        Command::Ensure(ensure) => ensure.run(hallpass, json).await,
        Command::Audit(audit) => audit.run(hallpass, json).await,
        // These commands have been run without a store.
        Command::Inspect(_) | Command::Scanner(_) | Command::Completions(_) => Ok(()),
    }
}
