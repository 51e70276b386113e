use clap::builder::BoolishValueParser;
use clap::{Parser, value_parser};

/// A complete service with tokens.
#[derive(Debug, Parser)]
#[command(name = "quickstart")]
pub struct Options {
    /// The address to listen on. Port 0 selects a free port.
    #[arg(long, env = "HALLPASS_LISTEN", default_value = "127.0.0.1:8080")]
    pub listen: String,

    /// The store of the tokens: `sqlite:FILE`, `postgres://USER@HOST/DATABASE`, `redis://HOST`, or
    /// `memory:`.
    #[arg(long, env = "HALLPASS_STORE", default_value = "sqlite:quickstart.db")]
    pub store: String,

    /// Require the user's password for every change of a token.
    #[arg(long, env = "HALLPASS_CONFIRM", value_parser = BoolishValueParser::new())]
    pub confirm: bool,

    /// The maximum number of tokens per user.
    #[arg(long, env = "HALLPASS_LIMIT", default_value_t = 50, value_parser = value_parser!(u32).range(1..))]
    pub limit: u32,
}
