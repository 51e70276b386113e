//! The store that the nodes share.

use anyhow::Result;
use hallpass_servers::{Package, Postgres, Redis};

/// An existing store, or a server that stops when this is dropped.
pub(crate) enum Store {
    Theirs(String),
    Postgres(Postgres),
    Redis(Redis),
}

impl Store {
    /// Starts the server of that name, and installs it first if necessary. Any other text is a URL.
    pub(crate) fn start(named: &str) -> Result<Self> {
        Ok(match named {
            "postgres" => {
                Package::POSTGRES.ensure_installed()?;
                Self::Postgres(Postgres::start()?)
            }
            "redis" => {
                Package::REDIS.ensure_installed()?;
                Self::Redis(Redis::start()?)
            }
            url => Self::Theirs(url.to_owned()),
        })
    }

    pub(crate) fn url(&self) -> &str {
        match self {
            Self::Theirs(url) => url,
            Self::Postgres(server) => server.url(),
            Self::Redis(server) => server.url(),
        }
    }
}
