//! People sign in with axum-login, and manage their tokens with the page and the REST API.
//!
//! `cargo run --example own_login`, then sign in as `alice` with `wonderland`.

use argon2::Argon2;
use argon2::password_hash::{PasswordVerifier as _, phc::PasswordHash};
use axum::http::StatusCode;
use axum::response::{Html, Redirect};
use axum::{Form, Router, routing::get};
use axum_login::tower_sessions::{MemoryStore as Sessions, SessionManagerLayer};
use axum_login::{AuthManagerLayerBuilder, AuthUser, AuthnBackend};
use hallpass::{Actor, Cached, Dashboard, Hallpass, MemoryStore, ScopeSet, TokenApi};
use serde::Deserialize;
use tokio::net::TcpListener;

const HASH: &str = "$argon2id$v=19$m=19456,t=2,p=1$L2XBb1pNuz4qCBqqcSzvTA$48ZXkafqWQ0n7yIJH2j2oXKIbL1AbIT3vKmwzAGa0D0";
const FORM: &str = "<form method=post><input name=name><input name=password type=password><button>Sign in</button></form>";

#[derive(Clone, Debug)]
struct User(String);

impl AuthUser for User {
    type Id = String;

    fn id(&self) -> String {
        self.0.clone()
    }

    fn session_auth_hash(&self) -> &[u8] {
        HASH.as_bytes() // A new password ends the sessions.
    }
}

#[derive(Clone, Deserialize)]
struct Credentials {
    name: String,
    password: String,
}

/// The people. There is only alice. A real service queries its database.
#[derive(Clone)]
struct Users;

impl AuthnBackend for Users {
    type User = User;
    type Credentials = Credentials;
    type Error = argon2::password_hash::Error;

    async fn authenticate(&self, given: Credentials) -> Result<Option<User>, Self::Error> {
        let hash = PasswordHash::new(HASH).expect("a valid hash");
        let matches = Argon2::default().verify_password(given.password.as_bytes(), &hash).is_ok();
        Ok((matches && given.name == "alice").then_some(User(given.name)))
    }

    async fn get_user(&self, name: &String) -> Result<Option<User>, Self::Error> {
        Ok((name == "alice").then(|| User(name.clone())))
    }
}

type AuthSession = axum_login::AuthSession<Users>;

async fn sign_in(
    mut session: AuthSession,
    Form(given): Form<Credentials>,
) -> Result<Redirect, StatusCode> {
    let found = session.authenticate(given).await.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    let user = found.ok_or(StatusCode::UNAUTHORIZED)?;
    session.login(&user).await.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
    Ok(Redirect::to("/settings/tokens"))
}

/// Returns the caller, with the scopes that they may put into a token. If the session layer is not
/// outside of the API, the extractor fails, which causes a 503.
async fn who(session: AuthSession) -> Option<Actor> {
    let User(name) = session.user.as_ref()?;
    let grantable = ScopeSet::parse(["projects:list", "projects:read"]).ok()?;
    Some(Actor::try_owner(name).ok()?.with_grantable_scopes(grantable))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let hallpass = Hallpass::builder(Cached::new(MemoryStore::new())).prefix("acme").build();
    let sessions = SessionManagerLayer::new(Sessions::default()).with_secure(false); // Over TLS: true.
    let page = Dashboard::new(&hallpass, who).api("/tokens").sign_in("/login");
    let app = Router::new()
        .route("/login", get(async || Html(FORM)).post(sign_in))
        .merge(TokenApi::new(&hallpass, who).into_router_at("/tokens"))
        .merge(page.into_router_at("/settings/tokens"))
        .layer(AuthManagerLayerBuilder::new(Users, sessions).build());

    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8080".to_owned());
    let listener = TcpListener::bind(address).await?;
    println!("listening on http://{}", listener.local_addr()?);
    axum::serve(listener, app).await?;
    Ok(())
}
