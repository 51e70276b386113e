//! The methods of the API, which of them a token may hold, and the templates.

use axum::Router;
use axum::handler::Handler;
use axum::routing::{MethodRouter, get};
use hallpass::IntoRequirement;
use hallpass::{Catalog, CatalogScope, PolicyTable, authenticated};

use crate::App;
use crate::{environments, people, tokens, upload};

/// The methods that a token may hold. The whole name of a method is its scope, so no method covers
/// another one. A template is expanded when a token is made, so a later change of the template does
/// not affect the token.
const METHODS: [(&str, &str); 6] = [
    ("environment.control.GetEnvInfo", "Look at an environment"),
    ("environment.control.StartEnv", "Start an environment"),
    ("environment.control.StopEnv", "Stop an environment"),
    ("marketplace.jps.GetEngineVersion", "Read the version of the engine"),
    ("storage.uploader.Upload", "Upload an archive"),
    ("users.account.GetUserInfo", "See whose account it is"),
];

pub(crate) fn catalog() -> Catalog {
    let known = METHODS.into_iter().fold(Catalog::new(), |catalog, (name, title)| {
        let method = CatalogScope::new(name, title).with_docs_url(docs(name));
        let reads = name.rsplit_once('.').is_some_and(|(_, verb)| verb.starts_with("Get"));
        catalog.scope(if reads { method.read_only() } else { method })
    });
    let [look, start, stop, version, upload, account] = METHODS.map(|(name, _)| name);
    known
        .preset("Extended Access", "Extended Access", METHODS.map(|(name, _)| name))
        .preset("IDE Plugins", "IDE Plugins", [look, start, stop, account])
        .preset("Marketplace", "Marketplace", [version, look])
        .preset("Maven Plugin", "Maven Plugin", [look, upload, account])
}

/// `environment.control.StopEnv` is documented under `environment.Control-method-StopEnv`.
fn docs(name: &str) -> String {
    let parts: Vec<_> = name.splitn(3, '.').collect();
    let (first, rest) = parts[1].split_at(1);
    let class = first.to_ascii_uppercase() + rest;
    format!("https://docs.jelastic.com/api/#!/api/{}.{class}-method-{}", parts[0], parts[2])
}

/// Returns the methods for tokens, and the scope that each requires. A token can call nothing else.
pub(crate) fn of_tokens() -> Methods {
    environments(Methods::default()).with(
        "users.authentication.Signout",
        authenticated(),
        people::keep_token,
    )
}

/// Returns the methods for people who have signed in: all methods for tokens, and those that manage
/// tokens.
pub(crate) fn of_people() -> Router<App> {
    environments(Methods::default())
        .router
        .route(&path("users.authentication.Signout"), both(people::sign_out))
        .route(&path("users.authentication.CreateToken"), both(tokens::create))
        .route(&path("users.authentication.EditToken"), both(tokens::edit))
        .route(&path("users.authentication.RegenerateToken"), both(tokens::regenerate))
        .route(&path("users.authentication.DeleteTokens"), both(tokens::delete))
        .route(&path("users.authentication.GetTokens"), both(tokens::list))
        .route(&path("users.authentication.GetTokenTemplates"), both(tokens::templates))
        .route(&path("users.authentication.GetTokenApiList"), both(tokens::api_list))
}

fn environments(methods: Methods) -> Methods {
    methods
        .scoped("environment.control.GetEnvInfo", environments::info)
        .scoped("environment.control.StartEnv", environments::start)
        .scoped("environment.control.StopEnv", environments::stop)
        .scoped("marketplace.jps.GetEngineVersion", environments::engine_version)
        .scoped("storage.uploader.Upload", upload::upload)
        .scoped("users.account.GetUserInfo", environments::user_info)
}

/// Methods, and the policy with the requirement of each.
#[derive(Default)]
pub(crate) struct Methods {
    pub(crate) router: Router<App>,
    pub(crate) policy: PolicyTable,
}

impl Methods {
    /// A method for tokens that hold it.
    fn scoped<T: 'static>(self, name: &str, handler: impl Handler<T, App>) -> Self {
        self.with(name, name, handler)
    }

    fn with<T: 'static>(
        self,
        name: &str,
        needed: impl IntoRequirement,
        handler: impl Handler<T, App>,
    ) -> Self {
        let (path, needed) = (path(name), needed.into_requirement());
        let policy = self.policy.get(&path, needed.clone()).post(&path, needed);
        Self { router: self.router.route(&path, both(handler)), policy }
    }
}

/// The API makes no difference between `GET` and `POST`.
fn both<T: 'static>(handler: impl Handler<T, App>) -> MethodRouter<App> {
    get(handler.clone()).post(handler)
}

/// `environment.control.StopEnv` is at `/1.0/environment/control/rest/stopenv`.
pub(crate) fn path(name: &str) -> String {
    let (class, method) = name.rsplit_once('.').unwrap_or(("", name));
    format!("/1.0/{}/rest/{method}", class.replace('.', "/")).to_ascii_lowercase()
}
