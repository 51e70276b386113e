//! Tests of features that only axum has: nesting, fallbacks, and the position of the layer.

use axum::Router;
use axum::extract::{Path, Request};
use axum::routing::{any, get};
use hallpass_core::Hallpass;
use hallpass_tower::{PolicyTable, TokenLayer};

use super::site::Site;
use crate::capture;
use crate::host::{Host, echo, serve_axum};

fn layer(hallpass: &Hallpass) -> TokenLayer {
    (Host::Axum.layer())(hallpass)
}

async fn answer(request: Request) -> http::Response<http_body_util::Full<bytes::Bytes>> {
    echo(request).await
}

#[tokio::test]
async fn rule_for_a_nested_route_has_the_whole_pattern() {
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
        // The nested service sees the path `/admin`, but the rule for that path must not apply.
        let outer = site.token(&["outer"]).await;
        assert_eq!(site.ask("GET /api/acme/admin", &outer).await.status, 403, "{}", site.name);
        assert_eq!(site.ask("GET /api/acme/zzz", &outer).await.status, 403, "{}", site.name);
    }
}

#[tokio::test]
async fn nested_service_needs_a_rule_of_its_own() {
    let table = || PolicyTable::new().get("/admin", "admin:panel").get("/svc/admin", "svc:panel");
    let inner = || Router::new().route("/admin", any(answer)).fallback(answer);
    // Around the nested service, the router has matched no route, so the whole path decides.
    let outside = Site::new("outside", async |hallpass| {
        let router =
            Router::new().nest_service("/svc", inner()).layer(layer(hallpass).policy(table()));
        serve_axum(router).await
    })
    .await;
    // Inside of the nested service, its router reports the matched route with its whole pattern.
    let inside = Site::new("inside", async |hallpass| {
        let nested = inner().layer(layer(hallpass).policy(table()));
        serve_axum(Router::new().nest_service("/svc", nested)).await
    })
    .await;
    for site in [outside, inside] {
        let (svc, admin) = (site.token(&["svc"]).await, site.token(&["admin"]).await);
        for (path, owed) in [
            ("/svc/admin", 200),
            ("/svc/zzz", 403),
            ("/svc", 403),
            ("/svc/", 403),
            ("/svc/admin/", 403),
        ] {
            let request = format!("GET {path}");
            assert_eq!(site.ask(&request, &svc).await.status, owed, "{}: {path}", site.name);
            assert_eq!(site.ask(&request, &admin).await.status, 403, "{}: {path}", site.name);
            assert_eq!(site.ask(&request, "").await.status, 401, "{}: {path}", site.name);
        }
    }
}

#[tokio::test]
async fn layer_around_a_router_checks_the_token_before_404_and_405() {
    let site = Site::new("layer", async |hallpass| {
        serve_axum(Router::new().route("/get", get(answer)).layer(layer(hallpass))).await
    })
    .await;
    let token = site.token(&[]).await;
    for (request, owed) in [("GET /get", 200), ("POST /get", 405), ("GET /nowhere", 404)] {
        assert_eq!(site.ask(request, "").await.status, 401, "{request}");
        assert_eq!(site.ask(request, &token).await.status, owed, "{request}");
    }
    // Around its routes only, the response reveals to everyone that a path is unknown.
    let site = Site::new("route_layer", async |hallpass| {
        serve_axum(Router::new().route("/get", get(answer)).route_layer(layer(hallpass))).await
    })
    .await;
    for (request, owed) in [("GET /get", 401), ("POST /get", 401), ("GET /nowhere", 404)] {
        assert_eq!(site.ask(request, "").await.status, owed, "{request}");
    }
}

#[tokio::test]
async fn fallback_inside_of_the_layer_needs_a_rule_for_its_paths() {
    let site = |table: PolicyTable| {
        Site::new("fallback", async move |hallpass| {
            serve_axum(
                Router::new()
                    .route("/a", get(answer))
                    .fallback(answer)
                    .layer(layer(hallpass).policy(table)),
            )
            .await
        })
    };
    let without = site(PolicyTable::new().get("/a", "a")).await;
    let token = without.token(&["a", "files"]).await;
    assert_eq!(without.ask("GET /a", &token).await.status, 200);
    assert_eq!(without.ask("GET /style.css", &token).await.status, 403);
    assert_eq!(without.ask("GET /style.css", "").await.status, 401);

    let with = site(PolicyTable::new().get("/a", "a").get("/{*rest}", "files")).await;
    let (files, low) = (with.token(&["files"]).await, with.token(&["a"]).await);
    assert_eq!(with.ask("GET /style.css", &files).await.status, 200);
    assert_eq!(with.ask("GET /style.css", &low).await.status, 403);
    // The router has a route for this path, so the wildcard rule does not apply.
    assert_eq!(with.ask("GET /a", &files).await.status, 403);
    assert_eq!(with.ask("GET //a", &files).await.status, 403);

    let public =
        site(PolicyTable::new().get("/a", "a").get("/{*rest}", hallpass_core::public())).await;
    assert_eq!(public.ask("GET /style.css", "").await.status, 200);
    assert_eq!(public.ask("GET /a", "").await.status, 401);
}

#[tokio::test]
async fn whole_patterns_match_every_form_of_nesting() {
    let table = || {
        PolicyTable::new()
            .get("/api/{tenant}/items/{id}", "{tenant}:read:{id}")
            .get("/api/{tenant}/files/{*path}", "{tenant}:files")
            .get("/api/{tenant}", "{tenant}:home")
            .get("/api/big-corp/files/{*path}", "special:files")
    };
    let show = |Path(path): Path<Vec<(String, String)>>| async move { format!("{path:?}") };
    let items =
        move || Router::new().route("/items/{id}", get(show)).route("/files/{*path}", get(answer));
    let files = || Router::new().fallback(answer);
    type Build = Box<dyn FnOnce(TokenLayer) -> Router>;
    let forms: Vec<(&str, Build)> = vec![
        (
            "nest, outside",
            Box::new(move |layer| Router::new().nest("/api/{tenant}", items()).layer(layer)),
        ),
        (
            "nest, inside",
            Box::new(move |layer| Router::new().nest("/api/{tenant}", items().layer(layer))),
        ),
        (
            "nest_service, inside",
            Box::new(move |layer| {
                Router::new().nest_service("/api/{tenant}", items().layer(layer))
            }),
        ),
        (
            "nest_service, outside",
            Box::new(move |layer| {
                Router::new().nest_service("/api/{tenant}", items()).layer(layer)
            }),
        ),
        (
            "fallback in nest",
            Box::new(move |layer| Router::new().nest("/api/{tenant}", files().layer(layer))),
        ),
        (
            "fallback in nest_service",
            Box::new(move |layer| {
                Router::new().nest_service("/api/{tenant}", files().layer(layer))
            }),
        ),
        (
            "service in nest_service",
            Box::new(move |layer| {
                let service = tower::ServiceBuilder::new().layer(layer).service(files());
                Router::new().nest_service("/api/{tenant}", service)
            }),
        ),
        (
            "two nests",
            Box::new(move |layer| {
                let inner = Router::new().nest_service("/{tenant}", files().layer(layer));
                Router::new().nest("/api", inner)
            }),
        ),
        (
            "wrapped",
            Box::new(move |layer| {
                let service = tower::ServiceBuilder::new()
                    .layer(layer)
                    .service(Router::new().nest("/api/{tenant}", items()));
                Router::new().fallback_service(service)
            }),
        ),
    ];
    for (name, build) in forms {
        let site = Site::new(name, async |hallpass| {
            serve_axum(build(layer(hallpass).policy(table()))).await
        })
        .await;
        let token = site.token(&["acme:read:1", "acme:files", "special:files"]).await;
        for (path, owed) in [
            ("/api/acme/items/1", 200),
            ("/api/acme/items/2", 403),
            ("/api/other/items/1", 403),
            ("/api/acme%2Fother/items/1", 403),
            ("/api/%61cme/items/1", 200),
            ("/api/acme/files/a/b", 200),
            ("/api/other/files/a/b", 403),
            ("/items/1", 403),
        ] {
            let status = site.ask(&format!("GET {path}"), &token).await.status;
            // The layer is inside of the router, which has no route for some of these paths.
            let is_gone = status == 404 && path == "/items/1";
            assert!(status == owed || is_gone, "{name}: {path}: {status}");
        }
        if name.contains("fallback") || name == "service in nest_service" || name == "two nests" {
            // The rule of this tenant is found by the value of the nest's parameter.
            let answer = site.ask("GET /api/big-corp/files/a/b", &token).await;
            assert_eq!(answer.status, 200, "{name}: {}", answer.text());
            // axum removes one of these slashes from the path that a nested service sees.
            let answer = site.ask("GET /api/acme//files/a/b", &token).await;
            assert_eq!(answer.status, 403, "{name}: {}", answer.text());
        }
    }
}

#[tokio::test]
async fn log_names_the_pattern_that_a_mismatched_rule_needs() {
    let app = |hallpass: &Hallpass| {
        let table = PolicyTable::new()
            .get("/projects/{id}", "projects:read:{id}")
            .get("/slash", "slash")
            .get("/inner", "inner");
        Router::new()
            .route("/projects/{key}", get(answer))
            .route("/slash/", get(answer))
            .nest("/outer", Router::new().route("/inner", get(answer)))
            .route("/other", get(answer))
            .layer(layer(hallpass).policy(table))
    };
    let site = Site::new("mismatch", async |hallpass| serve_axum(app(hallpass)).await).await;
    let token = site.token(&["*"]).await;
    let mark = capture::mark();
    for path in ["/projects/1", "/projects/2", "/slash/", "/outer/inner", "/other"] {
        assert_eq!(site.ask(&format!("GET {path}"), &token).await.status, 403, "{path}");
    }
    let log = String::from_utf8(capture::since(mark)).unwrap();
    for (table, router, why) in [
        ("/projects/{id}", "/projects/{key}", "they name their parameters differently"),
        ("/slash", "/slash/", "only one of them ends with a slash"),
        ("/inner", "/outer/inner", "a rule needs the whole pattern"),
    ] {
        let line = format!(
            "the policy table has {table}, but the router matched {router}, so the request is \
             rejected: {why}"
        );
        assert_eq!(log.matches(&line).count(), 1, "{line}: {log}");
    }
    assert!(!log.contains("the router matched /other"), "{log}");
}

#[tokio::test]
async fn invalid_utf8_parameter_is_a_400_after_the_token_check() {
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
