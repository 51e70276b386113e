//! Tests of paths that resemble others.

use std::convert::Infallible;

use axum::Router;
use axum::body::Body;
use axum::extract::Path;
use axum::routing::{any, get};
use hallpass_core::public;
use hallpass_tower::PolicyTable;
use http::{Request, Response, Uri};
use hyper::body::Incoming;
use tower::util::MapRequest;
use tower::{ServiceBuilder, ServiceExt as _, service_fn};
use tower_http::normalize_path::NormalizePathLayer;
use tower_http::services::ServeDir;

use super::site::{self, Site, open_router};
use super::table;
use crate::capture;
use crate::host::{Host, serve_axum, serve_hyper};
use crate::server::Server;

#[tokio::test]
async fn other_spellings_of_a_path_are_rejected() {
    let spellings = [
        "//admin",
        "/./admin",
        "/x/../admin",
        "/%61dmin",
        "/%2Fadmin",
        "/ADMIN",
        "/admin;x",
        "/admin%00",
        "/\\admin",
        "/admin/",
        "/admin/.",
        "/admin%2F",
        "/admin%20",
        "/.admin",
    ];
    for site in site::all().await {
        let admin = site.token(&["admin", "*"]).await;
        assert_eq!(site.ask("GET /admin", &admin).await.status, 200, "{}", site.name);
        let low = site.token(&["low"]).await;
        for path in spellings {
            for token in [&low, &admin] {
                let answer = site.ask(&format!("GET {path}"), token).await;
                // The table has no such route. Status 400 means that the server itself rejects the
                // path.
                assert!(
                    matches!(answer.status, 400 | 403),
                    "{}: {path}: {}",
                    site.name,
                    answer.status
                );
            }
            let nobody = site.ask(&format!("GET {path}"), "").await;
            assert!(matches!(nobody.status, 400 | 401), "{}: {path}: {}", site.name, nobody.status);
        }
    }
}

#[tokio::test]
async fn path_normalised_outside_uses_the_rule_of_the_new_path() {
    let site = Site::new("axum, normalised", async |hallpass| {
        let layer = (Host::Axum.layer())(hallpass).policy(table());
        let service = ServiceBuilder::new()
            .layer(NormalizePathLayer::trim_trailing_slash())
            .map_request(|request: Request<Incoming>| request.map(Body::new))
            .service(open_router().layer(layer));
        serve_hyper(service).await
    })
    .await;
    let (low, admin) = (site.token(&["low"]).await, site.token(&["admin:panel"]).await);
    for path in ["//admin", "/admin/", "///admin//", "/admin"] {
        let rejected = site.ask(&format!("GET {path}"), &low).await;
        assert_eq!(rejected.status, 403, "{path}");
        let challenge = rejected.header("www-authenticate").unwrap();
        assert!(challenge.ends_with(r#"scope="admin:panel""#), "{path}: {challenge}");
        assert_eq!(site.ask(&format!("GET {path}"), &admin).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn wildcard_rule_applies_to_every_path_below_it() {
    for site in site::all().await {
        let files = site.token(&["files:read"]).await;
        let admin = site.token(&["admin"]).await;
        for path in ["/files/a", "/files/a/b", "/files/.b/..c", "/files/%252e%252e/admin"] {
            let request = format!("GET {path}");
            assert_eq!(site.ask(&request, &files).await.status, 200, "{}: {path}", site.name);
            assert_eq!(site.ask(&request, &admin).await.status, 403, "{}: {path}", site.name);
        }
        // Where the path decides, a path that a normaliser would change is rejected.
        let routed = site.name == "axum";
        for path in [
            "/files//admin",
            "/files/a/",
            "/files/../admin",
            "/files/%2e%2E/admin",
            "/files/..%2Fadmin",
            "/files/.%2e%5cadmin",
            "/files/a/.",
        ] {
            let answer = site.ask(&format!("GET {path}"), &files).await;
            assert_eq!(answer.status, if routed { 200 } else { 403 }, "{}: {path}", site.name);
        }
        assert_eq!(site.ask("GET /files/", &files).await.status, 403, "{}", site.name);
    }
}

/// A file server decodes a path before it splits it.
#[tokio::test]
async fn encoded_path_cannot_select_a_wider_rule() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("private")).unwrap();
    for file in ["private/key", "a file"] {
        std::fs::write(folder.path().join(file), file).unwrap();
    }
    let site = Site::new("files", async |hallpass| {
        let table = PolicyTable::new()
            .get("/files/private/{*path}", "files:private")
            .get("/files/{*path}", "files:read");
        let layer = (Host::Axum.layer())(hallpass).policy(table);
        let files = ServeDir::new(folder.path());
        serve_axum(Router::new().nest_service("/files", files).layer(layer)).await
    })
    .await;
    let (read, all) = (site.token(&["files:read"]).await, site.token(&["files"]).await);
    assert_eq!(site.ask("GET /files/a%20file", &read).await.text(), "a file");
    assert_eq!(site.ask("GET /files/private/key", &read).await.status, 403);
    assert_eq!(site.ask("GET /files/private/key", &all).await.text(), "private/key");
    let mark = capture::mark();
    for path in [
        "/files/%70rivate/key",
        "/files/%70rivate/%ff",
        "/files/private%2Fkey",
        "/files/private%5Ckey",
        "/files/%2Fprivate/key",
    ] {
        let answer = site.ask(&format!("GET {path}"), &read).await;
        assert_eq!(answer.status, 403, "{path}: {}", answer.text());
    }
    let log = String::from_utf8(capture::since(mark)).unwrap();
    assert!(log.contains("encoded characters that change its meaning"), "{log}");
}

/// A handler that decodes a path before it splits it would see other parameters than the rule.
#[tokio::test]
async fn encoded_slash_cannot_move_the_parameters() {
    let site = Site::new("hyper", async |hallpass| {
        let echo = async |request: Request<Incoming>| {
            Ok::<_, Infallible>(Response::new(request.uri().path().to_owned()))
        };
        let table = PolicyTable::new()
            .get("/files/{team}/{owner}/{*path}", "files:read:{owner}")
            .get("/names/{name}", "names");
        let layer = (Host::Hyper.layer())(hallpass).policy(table);
        serve_hyper(ServiceBuilder::new().layer(layer).service(service_fn(echo))).await
    })
    .await;
    let token = site.token(&["files:read:alice", "names"]).await;
    for (path, owed) in [
        ("/files/d/alice/key", 200),
        ("/files/d/%61lice/a%2Fb%20c", 200),
        ("/files/d%2Fbob/alice/key", 403),
        ("/names/a%20b", 200),
        ("/names/private%2Fkey", 403),
        ("/names/private\\key", 403),
    ] {
        let answer = site.ask(&format!("GET {path}"), &token).await;
        assert_eq!(answer.status, owed, "{path}: {}", answer.text());
    }
}

/// Returns a table with a wildcard rule and a more specific one.
fn wide_and_narrow() -> PolicyTable {
    PolicyTable::new().get("/admin", "admin:panel").get("/{*rest}", "files:read")
}

/// Returns a service that serves every path and responds with the path it has received.
fn anything() -> Router {
    Router::new().route("/admin", any(async || "admin")).fallback(async |uri: Uri| uri.to_string())
}

#[tokio::test]
async fn inner_path_normaliser_cannot_bypass_a_rule() {
    let axum = Site::new("axum", async |hallpass| {
        let layer = (Host::Axum.layer())(hallpass).policy(wide_and_narrow());
        let service = ServiceBuilder::new()
            .layer(layer)
            .layer(NormalizePathLayer::trim_trailing_slash())
            .service(anything());
        serve_hyper(service.map_request(|request: Request<Incoming>| request.map(Body::new))).await
    })
    .await;
    let hyper = Site::new("hyper", async |hallpass| {
        let echo = async |request: Request<Incoming>| {
            Ok::<_, Infallible>(Response::new(request.uri().path().to_owned()))
        };
        let layer = (Host::Hyper.layer())(hallpass).policy(wide_and_narrow());
        let service = ServiceBuilder::new()
            .layer(layer)
            .layer(NormalizePathLayer::trim_trailing_slash())
            .service(service_fn(echo));
        serve_hyper(service).await
    })
    .await;
    for site in [axum, hyper] {
        let files = site.token(&["files:read"]).await;
        assert_eq!(site.ask("GET /a", &files).await.status, 200, "{}", site.name);
        assert_eq!(site.ask("GET /admin", &files).await.status, 403, "{}", site.name);
        let mark = capture::mark();
        for path in ["/admin/", "//admin", "///admin//", "/a//b", "/a/"] {
            let answer = site.ask(&format!("GET {path}"), &files).await;
            assert_eq!(answer.status, 403, "{}: {path}: {}", site.name, answer.text());
        }
        let log = String::from_utf8(capture::since(mark)).unwrap();
        assert!(log.contains("do so outside of the layer"), "{log}");
    }
}

#[tokio::test]
async fn rule_and_handler_read_the_same_path_parameters() {
    let site = Site::new("rewritten", async |hallpass| {
        let table = PolicyTable::new().get("/projects/{id}", "projects:read:{id}");
        let inner = Router::new()
            .route("/projects/{id}", get(async |Path(id): Path<String>| id))
            .layer((Host::Axum.layer())(hallpass).policy(table));
        let rewritten = MapRequest::new(inner, |mut request: axum::extract::Request| {
            let path =
                request.uri().path().replace("/mine", "/theirs").replace("/old/", "/projects/");
            *request.uri_mut() = path.parse().unwrap();
            request
        });
        serve_axum(Router::new().fallback_service(rewritten)).await
    })
    .await;
    let mine = site.token(&["projects:read:mine"]).await;
    let theirs = site.token(&["projects:read:theirs"]).await;
    for (token, path, owed) in [
        (&mine, "/projects/mine", 403),
        (&theirs, "/projects/mine", 200),
        (&theirs, "/old/theirs", 200),
        (&mine, "/old/theirs", 403),
        (&mine, "/projects/%6dine", 200),
        (&theirs, "/projects/%ff", 400),
    ] {
        let answer = site.ask(&format!("GET {path}"), token).await;
        assert_eq!(answer.status, owed, "{path}: {}", answer.text());
    }
}

#[tokio::test]
async fn policy_table_uses_the_path_after_a_rewrite() {
    let site = Site::new("rewritten", async |hallpass| {
        let table = PolicyTable::new().get("/public", public()).get("/secret", "secret");
        let inner = ServiceBuilder::new()
            .layer((Host::Axum.layer())(hallpass).policy(table))
            .service(anything());
        let rewritten = MapRequest::new(inner, |mut request: axum::extract::Request| {
            *request.uri_mut() =
                request.uri().path().replace("/public", "/secret").parse().unwrap();
            request
        });
        serve_axum(Router::new().fallback_service(rewritten)).await
    })
    .await;
    let (low, secret) = (site.token(&["low"]).await, site.token(&["secret"]).await);
    assert_eq!(site.ask("GET /public", "").await.status, 401);
    assert_eq!(site.ask("GET /public", &low).await.status, 403);
    assert_eq!(site.ask("GET /public", &secret).await.text(), "/secret");
}

#[tokio::test]
async fn hyper_and_tonic_reject_the_same_paths() {
    for host in [Host::Hyper, Host::Tonic] {
        let table = PolicyTable::new().post("/{*rest}", "echo");
        let server = Server::with(host, |layer| layer.policy(table)).await;
        let is_rejected = async |path: &str| {
            let answer = server.http2("POST", &format!("/hallpass.test.Echo{path}"), "T").await;
            answer.status == 403 || answer.header("grpc-status") == Some("7")
        };
        for path in ["/Echo", "/.Echo", "/a/..Echo"] {
            assert!(!is_rejected(path).await, "{host:?} {path}");
        }
        for path in ["/../Echo", "/%2e%2e/Echo", "/..%2fEcho", "/./Echo", "//Echo", "/Echo/"] {
            assert!(is_rejected(path).await, "{host:?} {path}");
        }
    }
}
