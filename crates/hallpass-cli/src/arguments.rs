//! The arguments of the command.
//!
//! A text that may turn out to be a secret is accepted here as it is and validated elsewhere,
//! because clap repeats a text that it rejects.

use clap::error::ErrorKind;
use clap::{Args, Parser, Subcommand};

use crate::commands::audit::Audit;
use crate::commands::completions::Completions;
use crate::commands::copy::Copy;
use crate::commands::delete::Delete;
use crate::commands::ensure::Ensure;
use crate::commands::inspect::Inspect;
use crate::commands::issue::Issue;
use crate::commands::list::List;
use crate::commands::prune::Prune;
use crate::commands::regenerate::Regenerate;
use crate::commands::revoke::Revoke;
use crate::commands::scanner::Scanner;
use crate::commands::show::Show;
use crate::commands::update::Update;
use crate::error::CliError;

/// Parses the arguments. If they are not valid, or ask for help, clap prints its text and ends the
/// program.
///
/// # Errors
///
/// Returns an error instead of clap's text if that text repeats an address, which may contain the
/// password of a store.
pub(crate) fn parse() -> Result<Arguments, CliError> {
    let error = match Arguments::try_parse() {
        Ok(arguments) => return Ok(arguments),
        Err(error) => error,
    };
    let is_help = matches!(
        error.kind(),
        ErrorKind::DisplayHelp
            | ErrorKind::DisplayVersion
            | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
    );
    if !is_help && error.render().to_string().contains("://") {
        let message = "an argument is an address, which may contain a password, and it is not where \
            an address is expected: use --store, or better the variable HALLPASS_STORE";
        return Err(CliError::Usage(message.to_owned()));
    }
    error.exit()
}

/// Manages the personal access tokens of a service, directly in its store.
#[derive(Parser)]
#[command(
    name = "hallpass",
    version,
    arg_required_else_help = true,
    after_help = "Exit codes: 0 success; 1 the store, a file or the system failed; 2 an argument is invalid; \
                  3 a token does not exist; 4 the state does not allow it (a limit, another revision, or an \
                  expired or revoked token); 5 not confirmed; 6 the text is not a token."
)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) settings: Settings,

    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The settings that most commands need.
#[derive(Args)]
#[command(next_help_heading = "Settings")]
pub(crate) struct Settings {
    /// The store: `sqlite:FILE`, `postgres://...`, `redis://...` or `memory:`. Pass a URL that
    /// contains a password in the variable, because other users can see the arguments of a process.
    #[arg(long, value_name = "URL", env = "HALLPASS_STORE", hide_env_values = true, global = true)]
    pub(crate) store: Option<String>,

    /// The prefix of the service's tokens. The commands that print a token require it, because the
    /// service rejects tokens with another prefix.
    #[arg(long, env = "HALLPASS_PREFIX", global = true)]
    pub(crate) prefix: Option<String>,

    /// The name of the service's pepper, if it has one.
    #[arg(long, value_name = "ID", env = "HALLPASS_PEPPER_ID", global = true)]
    pub(crate) pepper_id: Option<String>,

    /// The file that contains the bytes of the pepper and nothing else.
    #[arg(long, value_name = "FILE", env = "HALLPASS_PEPPER_FILE", global = true)]
    pub(crate) pepper_file: Option<std::path::PathBuf>,

    /// Use the pepper file even if it ends with a line break, which is then part of the key.
    #[arg(long, global = true)]
    pub(crate) pepper_as_is: bool,

    /// The maximum number of tokens of one owner, or `none` for no limit.
    #[arg(
        long,
        value_name = "NUMBER",
        env = "HALLPASS_LIMIT",
        default_value = "50",
        global = true
    )]
    pub(crate) tokens_per_owner: String,

    /// The time for which `prune` keeps entries of the audit trail, such as `400d`. At least `24h`.
    #[arg(
        long,
        value_name = "SPAN",
        env = "HALLPASS_AUDIT_RETENTION",
        default_value = "400d",
        global = true
    )]
    pub(crate) audit_retention: String,

    /// The schema of the service's tables in PostgreSQL.
    #[cfg(feature = "postgres")]
    #[arg(
        long,
        value_name = "NAME",
        env = "HALLPASS_POSTGRES_SCHEMA",
        default_value = "hallpass",
        global = true
    )]
    pub(crate) postgres_schema: String,

    /// The namespace of the service's keys in Redis.
    #[cfg(feature = "redis")]
    #[arg(
        long,
        value_name = "NAME",
        env = "HALLPASS_REDIS_NAMESPACE",
        default_value = "hallpass",
        global = true
    )]
    pub(crate) redis_namespace: String,

    /// Print the result as JSON.
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

/// The commands.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Create the store, or migrate it to this version's schema
    Migrate,
    /// Issue a token, and print it once
    Issue(Issue),
    /// List tokens
    List(List),
    /// Show a token
    Show(Show),
    /// Change a token's name, description, scopes, expiry or metadata
    Update(Update),
    /// Issue a copy of a token, and print it once
    Copy(Copy),
    /// Give a token a new secret, and print it once
    Regenerate(Regenerate),
    /// Revoke tokens
    Revoke(Revoke),
    /// Delete tokens permanently
    Delete(Delete),
    /// Delete tokens that expired or were revoked some time ago
    Prune(Prune),
    /// Show the audit trail: who changed what, when and from where
    Audit(Audit),
    /// Show the parts of a token's text, without a store
    Inspect(Inspect),
    /// Print a rule for secret scanners that finds tokens
    Scanner(Scanner),
    /// Make sure that a token exists whose secret was generated elsewhere
    Ensure(Ensure),
    /// Print the completions for a shell
    Completions(Completions),
}
