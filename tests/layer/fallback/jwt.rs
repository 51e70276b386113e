//! Tests with JSON Web Tokens in the same header. A Bearer token that does not have our format
//! belongs to the host.

use axum::Router;
use axum::routing::get;
use hallpass_axum::{Authenticated, HallpassExt as _, HandlerExt as _};
use hallpass_core::{Hallpass, Principal, ScopeSet, authenticated};
use hallpass_tests::mistyped;
use http::HeaderMap;
use http::request::Parts;
use jiff::Timestamp;
use jsonwebtoken::{DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde::{Deserialize, Serialize};

use super::{Site, routes};

const KEY: [u8; 32] = [7; 32];

#[derive(Deserialize, Serialize)]
struct Claims {
    sub: String,
    exp: i64,
    scope: String,
}

/// Returns a header line with a JSON Web Token of this person, which expires after this number of
/// seconds.
fn web_token(person: &str, scope: &str, seconds: i64) -> String {
    let exp = Timestamp::now().as_second() + seconds;
    let claims = Claims { sub: person.to_owned(), exp, scope: scope.to_owned() };
    let text = encode(&Header::default(), &claims, &EncodingKey::from_secret(&KEY)).unwrap();
    format!("authorization: Bearer {text}")
}

async fn signed_in(parts: Parts) -> Option<Principal> {
    let text = parts.headers.get("authorization")?.to_str().ok()?.strip_prefix("Bearer ")?;
    let key = DecodingKey::from_secret(&KEY);
    let claims = decode::<Claims>(text, &key, &Validation::default()).ok()?.claims;
    let scopes = ScopeSet::parse(claims.scope.split_whitespace()).ok()?;
    Some(Principal::external(claims.sub.parse().ok()?, scopes))
}

fn app(hallpass: &Hallpass) -> Router {
    let shown = async |headers: HeaderMap| format!("{headers:?}");
    routes()
        .route("/headers", get(shown.scoped(authenticated())))
        .layer(hallpass.layer().fallback(signed_in))
}

#[tokio::test]
async fn json_web_token_and_our_token_open_the_same_route() {
    let site = Site::new(app).await;
    let reader = web_token("bob", "projects:list", 600);
    let ours = site.token(&["projects:list"]).await;
    for (request, line, owed) in [
        ("GET /projects", &*reader, 200),
        ("POST /projects", &reader, 403),
        ("GET /projects", &ours, 200),
        ("POST /projects", &ours, 403),
        // A cross-site request may carry this header, because a browser never adds it by itself.
        ("GET /projects", &format!("{reader}\r\nsec-fetch-site: cross-site"), 200),
    ] {
        assert_eq!(site.status(request, &[line]).await, owed, "{request} {line}");
    }
    assert_eq!(site.send("GET /me", &[&reader]).await.text(), "bob by sign-in");
    assert_eq!(site.send("GET /me", &[&ours]).await.text(), "alice by token");
    let creator = web_token("bob", "projects:create", 600);
    let cross_site = [&*creator, "sec-fetch-site: cross-site"];
    assert_eq!(site.status("POST /projects", &cross_site).await, 200);
}

#[tokio::test]
async fn unknown_bearer_token_is_rejected_as_invalid() {
    let site = Site::new(app).await;
    let ours = site.token(&["projects"]).await;
    let expired = web_token("bob", "projects:list", -600);
    let misspelt = mistyped(&ours);
    for line in [&*expired, &misspelt, "authorization: Bearer x.y.z"] {
        let answer = site.send("GET /projects", &[line]).await;
        assert_eq!(answer.status, 401, "{line}");
        let challenge = answer.header("www-authenticate").unwrap();
        assert!(challenge.contains(r#"error="invalid_token""#), "{line}: {challenge}");
    }
    let answer = site.send("GET /projects", &["authorization: Basic dTpw"]).await;
    assert_eq!(
        (answer.status, answer.header("www-authenticate")),
        (401, Some(r#"Bearer realm="api""#))
    );
}

#[tokio::test]
async fn json_web_token_stays_for_the_handler_and_is_not_logged() {
    let site = Site::new(app).await;
    let answer = site.send("GET /headers", &[&web_token("bob", "", 600)]).await;
    assert!(answer.text().contains(r#""authorization": Sensitive"#), "{}", answer.text());
    let ours = site.token(&[]).await;
    let answer = site.send("GET /headers", &[&ours]).await;
    assert!(!answer.text().contains("authorization"), "{}", answer.text());
}

#[tokio::test]
async fn optional_layer_leaves_json_web_tokens_in_the_request() {
    let site = Site::new(|hallpass| {
        let shown = async |me: Option<Authenticated>, headers: HeaderMap| {
            format!("{:?} {headers:?}", me.is_some())
        };
        Router::new().route("/", get(shown)).layer(hallpass.layer().optional())
    })
    .await;
    let answer = site.send("GET /", &[&web_token("bob", "", 600)]).await;
    let text = answer.text();
    assert!(
        answer.status == 200 && text.starts_with("false") && text.contains("authorization"),
        "{text}"
    );
    // A token with our prefix is treated as ours, even if it is misspelt.
    let ours = site.token(&[]).await;
    assert_eq!(site.status("GET /", &[&ours[..ours.len() - 1]]).await, 401);
}
