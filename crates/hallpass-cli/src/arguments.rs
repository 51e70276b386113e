//! What can be asked for. Texts that may turn out to be secrets are read here and judged elsewhere:
//! clap would repeat what it refuses.

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

/// Personal access tokens of a service, on its own store.
#[derive(Parser)]
#[command(
    name = "hallpass",
    version,
    arg_required_else_help = true,
    after_help = "Ends with 0 if all was done, 1 if the store, a file or the system is in trouble, 2 if \
                  something asked for is not valid, 3 if there is no such token, 4 if the state of things forbids it (a \
                  limit, another revision, a token that has ended), 5 if nobody said yes, 6 if a text is no token."
)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) settings: Settings,

    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What most commands need to know.
#[derive(Args)]
#[command(next_help_heading = "Settings")]
pub(crate) struct Settings {
    /// Where the tokens are: `sqlite:FILE`, `postgres://...`, `redis://...` or `memory:`. A URL
    /// with a password in it belongs in the variable: others see the arguments of a process.
    #[arg(long, value_name = "URL", env = "HALLPASS_STORE", hide_env_values = true, global = true)]
    pub(crate) store: Option<String>,

    /// The service's mark at the front of its tokens.
    #[arg(long, env = "HALLPASS_PREFIX", default_value = "hp", global = true)]
    pub(crate) prefix: String,

    /// The name of the pepper that the service makes digests under, if it has one.
    #[arg(long, value_name = "ID", env = "HALLPASS_PEPPER_ID", global = true)]
    pub(crate) pepper_id: Option<String>,

    /// The file that holds the pepper, as it is.
    #[arg(long, value_name = "FILE", env = "HALLPASS_PEPPER_FILE", global = true)]
    pub(crate) pepper_file: Option<std::path::PathBuf>,

    /// How many tokens one owner may have: a number, or `none` for any number.
    #[arg(
        long,
        value_name = "NUMBER",
        env = "HALLPASS_LIMIT",
        default_value = "50",
        global = true
    )]
    pub(crate) tokens_per_owner: String,

    /// What the service's keys in Redis begin with.
    #[cfg(feature = "redis")]
    #[arg(
        long,
        value_name = "NAME",
        env = "HALLPASS_REDIS_NAMESPACE",
        default_value = "hallpass",
        global = true
    )]
    pub(crate) redis_namespace: String,

    /// Answer in JSON.
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Set the store up, or bring it to this version's schema
    Migrate,
    /// Issue a token; it is printed this once
    Issue(Issue),
    /// List tokens
    List(List),
    /// Show a token
    Show(Show),
    /// Change a token's name, description, scopes or expiry
    Update(Update),
    /// Issue a token like another; it is printed this once
    Copy(Copy),
    /// Give a token a new secret; it is printed this once
    Regenerate(Regenerate),
    /// Revoke tokens
    Revoke(Revoke),
    /// Remove tokens for good
    Delete(Delete),
    /// Remove the tokens for good that ended long ago
    Prune(Prune),
    /// Show the audit trail: who changed what, when and from where
    Audit(Audit),
    /// Say what a token's text says, without a store
    Inspect(Inspect),
    /// Print what a secret scanner needs to find tokens
    Scanner(Scanner),
    /// See to it that a token exists whose secret was made elsewhere
    Ensure(Ensure),
    /// Print a shell's completions
    Completions(Completions),
}
