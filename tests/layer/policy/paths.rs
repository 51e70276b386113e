//! Paths that look like others (E90 to E92).

use tower::ServiceBuilder;
use tower_http::normalize_path::NormalizePathLayer;

use super::site::{self, Site, open_router};
use super::table;
use crate::host::{Host, serve_hyper};

#[tokio::test]
async fn e90_no_spelling_of_a_path_is_let_in_that_the_path_is_not() {
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
                // The table has no such route. 400: the server itself takes no such path.
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
async fn e91_a_path_that_is_mended_outside_meets_the_rule_of_what_it_becomes() {
    let site = Site::new("axum, normalised", async |hallpass| {
        let layer = (Host::Axum.layer())(hallpass).policy(table());
        let service = ServiceBuilder::new()
            .layer(NormalizePathLayer::trim_trailing_slash())
            .map_request(|request: http::Request<hyper::body::Incoming>| {
                request.map(axum::body::Body::new)
            })
            .service(open_router().layer(layer));
        serve_hyper(service).await
    })
    .await;
    let (low, admin) = (site.token(&["low"]).await, site.token(&["admin:panel"]).await);
    for path in ["//admin", "/admin/", "///admin//", "/admin"] {
        let refused = site.ask(&format!("GET {path}"), &low).await;
        assert_eq!(refused.status, 403, "{path}");
        let challenge = refused.header("www-authenticate").unwrap();
        assert!(challenge.ends_with(r#"scope="admin:panel""#), "{path}: {challenge}");
        assert_eq!(site.ask(&format!("GET {path}"), &admin).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn e92_what_a_wildcard_catches_meets_the_wildcards_rule() {
    for site in site::all().await {
        let files = site.token(&["files:read"]).await;
        let admin = site.token(&["admin"]).await;
        for path in
            ["/files/a", "/files/a/b", "/files/../admin", "/files/%2e%2e/admin", "/files//admin"]
        {
            assert_eq!(
                site.ask(&format!("GET {path}"), &files).await.status,
                200,
                "{}: {path}",
                site.name
            );
            assert_eq!(
                site.ask(&format!("GET {path}"), &admin).await.status,
                403,
                "{}: {path}",
                site.name
            );
        }
        assert_eq!(site.ask("GET /files/", &files).await.status, 403, "{}", site.name);
    }
}
