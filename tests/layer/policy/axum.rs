//! What is axum's own: nesting, fallbacks, and where the layer is put.

use axum::Router;
use axum::extract::{Path, Request};
use axum::routing::{any, get};
use hallpass_core::Hallpass;
use hallpass_tower::{PolicyTable, TokenLayer};

use super::site::Site;
use crate::host::{Host, echo, serve_axum};

fn layer(hallpass: &Hallpass) -> TokenLayer {
    (Host::Axum.layer())(hallpass)
}

async fn answer(request: Request) -> http::Response<http_body_util::Full<bytes::Bytes>> {
    echo(request).await
}

#[tokio::test]
async fn b38_a_nested_route_is_listed_by_its_whole_pattern() {
    let table =
        || PolicyTable::new().get("/admin", "outer").get("/api/{tenant}/admin", "{tenant}:panel");
    let inner = || Router::new().route("/admin", any(answer)).fallback(answer);
    let outside = Site::new("layer around all", async |hallpass| {
        let router =
            Router::new().nest("/api/{tenant}", inner()).layer(layer(hallpass).policy(table()));
        serve_axum(router).await
    })
    .await;
    let inside = Site::new("layer around what is nested", async |hallpass| {
        let nested = inner().layer(layer(hallpass).policy(table()));
        serve_axum(Router::new().nest("/api/{tenant}", nested)).await
    })
    .await;
    for site in [outside, inside] {
        let acme = site.token(&["acme:panel"]).await;
        let answer = site.ask("GET /api/acme/admin", &acme).await;
        assert_eq!(answer.status, 200, "{}", site.name);
        assert!(answer.text().contains("matched: /api/{tenant}/admin"), "{}", answer.text());
        assert_eq!(site.ask("GET /api/other/admin", &acme).await.status, 403, "{}", site.name);
        // The path that a nested service sees is `/admin`; that rule is not for it.
        let outer = site.token(&["outer"]).await;
        assert_eq!(site.ask("GET /api/acme/admin", &outer).await.status, 403, "{}", site.name);
        assert_eq!(site.ask("GET /api/acme/zzz", &outer).await.status, 403, "{}", site.name);
    }
}

#[tokio::test]
async fn b40_a_nested_service_is_let_in_by_no_rule_but_its_own() {
    let table = || PolicyTable::new().get("/admin", "admin:panel").get("/svc/admin", "admin:panel");
    let inner = || Router::new().route("/admin", any(answer)).fallback(answer);
    // Around it, no route is known: a service is not asked for its routes.
    let outside = Site::new("outside", async |hallpass| {
        let router =
            Router::new().nest_service("/svc", inner()).layer(layer(hallpass).policy(table()));
        serve_axum(router).await
    })
    .await;
    let admin = outside.token(&["admin"]).await;
    for path in ["/svc/admin", "/svc/zzz", "/svc", "/svc/"] {
        assert_eq!(outside.ask(&format!("GET {path}"), &admin).await.status, 403, "{path}");
        assert_eq!(outside.ask(&format!("GET {path}"), "").await.status, 401, "{path}");
    }
    // Inside of it, its own router says which route it is, by its whole pattern.
    let inside = Site::new("inside", async |hallpass| {
        let nested = inner().layer(layer(hallpass).policy(table()));
        serve_axum(Router::new().nest_service("/svc", nested)).await
    })
    .await;
    let admin = inside.token(&["admin"]).await;
    assert_eq!(inside.ask("GET /svc/admin", &admin).await.status, 200);
    assert_eq!(inside.ask("GET /svc/zzz", &admin).await.status, 403);
}

#[tokio::test]
async fn b41_b42_around_a_router_the_token_comes_before_404_and_405() {
    let site = Site::new("layer", async |hallpass| {
        serve_axum(Router::new().route("/get", get(answer)).layer(layer(hallpass))).await
    })
    .await;
    let token = site.token(&[]).await;
    for (request, owed) in [("GET /get", 200), ("POST /get", 405), ("GET /nowhere", 404)] {
        assert_eq!(site.ask(request, "").await.status, 401, "{request}");
        assert_eq!(site.ask(request, &token).await.status, owed, "{request}");
    }
    // Around its routes only, an unknown path is told to everybody.
    let site = Site::new("route_layer", async |hallpass| {
        serve_axum(Router::new().route("/get", get(answer)).route_layer(layer(hallpass))).await
    })
    .await;
    for (request, owed) in [("GET /get", 401), ("POST /get", 401), ("GET /nowhere", 404)] {
        assert_eq!(site.ask(request, "").await.status, owed, "{request}");
    }
}

#[tokio::test]
async fn b35_b43_a_fallback_inside_of_the_layer_is_open_to_nobody() {
    let site = Site::new("fallback", async |hallpass| {
        let table = PolicyTable::new().get("/a", "a").get("/{*rest}", "files");
        serve_axum(
            Router::new()
                .route("/a", get(answer))
                .fallback(answer)
                .layer(layer(hallpass).policy(table)),
        )
        .await
    })
    .await;
    let token = site.token(&["a", "files"]).await;
    assert_eq!(site.ask("GET /a", &token).await.status, 200);
    // `/{*rest}` is the pattern of a route; the router says that it chose none.
    assert_eq!(site.ask("GET /style.css", &token).await.status, 403);
    assert_eq!(site.ask("GET /style.css", "").await.status, 401);
}

#[tokio::test]
async fn e94_a_parameter_that_is_no_text_is_the_extractors_to_refuse_behind_the_token() {
    let site = Site::new("extractor", async |hallpass| {
        let handler = async |Path(id): Path<String>| id;
        let table = PolicyTable::new().get("/item/{id}", "item:read");
        serve_axum(
            Router::new().route("/item/{id}", get(handler)).layer(layer(hallpass).policy(table)),
        )
        .await
    })
    .await;
    let token = site.token(&["item"]).await;
    for (request, token, owed) in
        [("GET /item/%ff", "", 401), ("GET /item/%ff", &*token, 400), ("GET /item/a", &*token, 200)]
    {
        assert_eq!(site.ask(request, token).await.status, owed, "{request}");
    }
}
