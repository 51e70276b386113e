use clap::builder::BoolishValueParser;
use clap::{Parser, value_parser};

/// A whole service with tokens.
#[derive(Debug, Parser)]
#[command(name = "quickstart")]
pub struct Options {
    /// Where to listen; port 0 picks a free one.
    #[arg(long, env = "HALLPASS_LISTEN", default_value = "127.0.0.1:8080")]
    pub listen: String,

    /// Where tokens are kept: `sqlite:FILE`, `postgres://USER@HOST/DATABASE`, `redis://HOST`, or
    /// `memory:`.
    #[arg(long, env = "HALLPASS_STORE", default_value = "sqlite:quickstart.db")]
    pub store: String,

    /// Ask people for their password with every change of a token.
    #[arg(long, env = "HALLPASS_CONFIRM", value_parser = BoolishValueParser::new())]
    pub confirm: bool,

    /// How many tokens one person may have.
    #[arg(long, env = "HALLPASS_LIMIT", default_value_t = 50, value_parser = value_parser!(u32).range(1..))]
    pub limit: u32,
}
