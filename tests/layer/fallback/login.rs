//! Tests with axum-login, whose signed-in user becomes the principal.

use axum::Router;
use axum::extract::Path;
use axum::routing::post;
use axum_login::tower_sessions::{MemoryStore, SessionManagerLayer};
use axum_login::{AuthManagerLayerBuilder, AuthUser, AuthnBackend};
use hallpass_axum::HallpassExt as _;
use hallpass_core::{Hallpass, Principal};
use http::request::Parts;

use super::{Site, person, routes};

#[derive(Clone, Debug)]
struct User(String);

impl AuthUser for User {
    type Id = String;

    fn id(&self) -> String {
        self.0.clone()
    }

    fn session_auth_hash(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

/// A backend that accepts every name.
#[derive(Clone)]
struct Users;

impl AuthnBackend for Users {
    type User = User;
    type Credentials = String;
    type Error = std::convert::Infallible;

    async fn authenticate(&self, name: String) -> Result<Option<User>, Self::Error> {
        Ok(Some(User(name)))
    }

    async fn get_user(&self, name: &String) -> Result<Option<User>, Self::Error> {
        Ok(Some(User(name.clone())))
    }
}

type AuthSession = axum_login::AuthSession<Users>;

async fn signed_in(parts: Parts) -> Option<Principal> {
    let session = parts.extensions.get::<AuthSession>()?;
    person(&session.user.as_ref()?.0)
}

fn app(hallpass: &Hallpass) -> Router {
    let sign_in = async |Path(name): Path<String>, mut session: AuthSession| {
        let user = session.authenticate(name).await.unwrap().unwrap();
        session.login(&user).await.unwrap();
    };
    let sessions = SessionManagerLayer::new(MemoryStore::default()).with_secure(false);
    routes()
        .layer(hallpass.layer().fallback(signed_in))
        .route("/login/{name}", post(sign_in))
        .layer(AuthManagerLayerBuilder::new(Users, sessions).build())
}

#[tokio::test]
async fn user_of_axum_login_and_token_may_call_the_same_route() {
    let site = Site::new(app).await;
    let answer = site.send("POST /login/bob", &[]).await;
    let cookie = answer.header("set-cookie").unwrap().split(';').next().unwrap();
    let cookie = format!("cookie: {cookie}");
    let token = site.token(&["projects:list"]).await;
    assert_eq!(site.send("GET /me", &[&cookie]).await.text(), "bob by sign-in");
    assert_eq!(site.send("GET /me", &[&token]).await.text(), "alice by token");
    assert_eq!(site.status("GET /projects", &[&cookie]).await, 200);
    assert_eq!(site.status("GET /projects", &[]).await, 401);
    let forged = [&*cookie, "sec-fetch-site: cross-site"];
    assert_eq!(site.status("POST /projects", &forged).await, 403);
}
