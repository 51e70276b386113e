//! Builds the Hallpass handle with its store, its catalog and its limits.

use hallpass::prelude::HallpassBuilderExt as _;
use hallpass::{
    Cached, Catalog, CatalogScope, Expiry, Hallpass, HallpassBuilder, Limits, MemoryStore,
    PostgresStore, RedisStore, SqliteStore,
};

use crate::options::Options;
use crate::users;

/// Builds the handle for the store that the options select.
///
/// # Errors
///
/// Returns an error if the store cannot be opened.
pub async fn hallpass(options: &Options) -> Result<Hallpass, Box<dyn std::error::Error>> {
    let limits = Limits::default().tokens_per_owner(options.limit).default_expiry(Expiry::days(30));
    let mut builder =
        on_store(&options.store).await?.prefix("hp").catalog(catalog()).limits(limits);
    if options.confirm {
        builder = builder.step_up(users::confirmed);
    }
    Ok(builder.build())
}

async fn on_store(url: &str) -> Result<HallpassBuilder, Box<dyn std::error::Error>> {
    Ok(match url.split_once(':') {
        Some(("sqlite", _)) => Hallpass::builder(Cached::new(SqliteStore::connect(url).await?)),
        Some(("postgres" | "postgresql", _)) => {
            Hallpass::builder(Cached::new(PostgresStore::connect(url).await?))
        }
        Some(("redis" | "rediss", _)) => {
            Hallpass::builder(Cached::new(RedisStore::connect(url).await?))
        }
        Some(("memory", "")) => Hallpass::builder(Cached::new(MemoryStore::new())),
        _ => {
            return Err(
                "--store must be `sqlite:FILE`, `postgres://...`, `redis://...` or `memory:`"
                    .into(),
            );
        }
    })
}

fn catalog() -> Catalog {
    Catalog::new()
        .scope(
            CatalogScope::new("projects:list", "List projects")
                .read_only()
                .with_description("See which projects there are."),
        )
        .scope(
            CatalogScope::new("projects:create", "Create projects")
                .with_description("Add projects."),
        )
        .scope(
            CatalogScope::new("projects:read", "Read projects")
                .per("id")
                .read_only()
                .with_description("Read every project, or one: projects:read:atlas."),
        )
        .scope(
            CatalogScope::new("projects:delete", "Delete projects")
                .per("id")
                .with_description("Delete every project, or one: projects:delete:atlas."),
        )
        .scope(
            CatalogScope::new("projects:publish", "Publish projects").per("id").with_description(
                "Publish every project that may also be read, or one: projects:publish:atlas.",
            ),
        )
        .preset("read-only", "Look, don't touch", ["projects:list", "projects:read"])
        .preset("full", "Everything about projects", ["projects"])
}
