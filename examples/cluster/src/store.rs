//! The store that the nodes share.

use anyhow::Result;
use hallpass_servers::{Package, Postgres, Redis};

/// The URL of an existing store, or a server that stops when this value is dropped.
pub(crate) enum Store {
    Url(String),
    Postgres(Postgres),
    Redis(Redis),
}

impl Store {
    /// Starts the server `postgres` or `redis`, and installs it first if necessary. Any other text
    /// is used as the URL of an existing store.
    pub(crate) fn start(name_or_url: &str) -> Result<Self> {
        Ok(match name_or_url {
            "postgres" => {
                Package::POSTGRES.ensure_installed()?;
                Self::Postgres(Postgres::start()?)
            }
            "redis" => {
                Package::REDIS.ensure_installed()?;
                Self::Redis(Redis::start()?)
            }
            url => Self::Url(url.to_owned()),
        })
    }

    pub(crate) fn url(&self) -> &str {
        match self {
            Self::Url(url) => url,
            Self::Postgres(server) => server.url(),
            Self::Redis(server) => server.url(),
        }
    }
}
