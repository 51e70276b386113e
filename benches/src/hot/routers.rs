//! Cases on axum's `Router`, with our layer and with axum-login.

use anyhow::Result;
use axum::Router;
use axum::body::Body;
use axum::routing::get;
use hallpass_axum::HandlerExt;
use hallpass_tower::PolicyTable;
use http::StatusCode;
use http::header::COOKIE;

use super::{Cases, PATH, SCOPE, answer, extension_layer};
use crate::peers::login;
use crate::traffic::{Pattern, Traffic};

impl Cases {
    pub(super) fn routers(&mut self) -> Result<()> {
        let tokens = self.fixture.tokens.clone();
        let traffic = Traffic::bearer(&tokens, PATH, Pattern::Uniform);
        let one_project = Traffic::bearer(&tokens, "/api/projects/42", Pattern::Uniform);
        let layer = hallpass_axum::HallpassExt::layer(&self.fixture.hallpass);
        let ok = StatusCode::OK;
        // `axum::serve` does this, too. Without it, axum would put the layers around the handler
        // again for each request.
        let of = |router: Router| router.with_state::<()>(()).into_service::<Body>();

        let open = Router::new().route(PATH, get(answer));
        let no_layer = self.requests("router", of(open.clone()), traffic.clone(), ok);
        let router = open.clone().layer(extension_layer());
        let extension = self.requests("router_extension", of(router), traffic.clone(), ok);
        // The route deliberately requires nothing, to measure the layer alone.
        let router = open.clone().layer(layer.clone().reject_unguarded_routes(false));
        self.requests("router_authenticated", of(router), traffic.clone(), ok);

        let router = Router::new().route(PATH, get(answer.scoped(SCOPE))).layer(layer.clone());
        let scoped = self.requests("router_scoped", of(router), traffic.clone(), ok);

        let table = PolicyTable::new().get(PATH, SCOPE);
        let router = open.layer(layer.clone().policy(table));
        self.requests("router_table", of(router), traffic, ok);

        let by_project = Router::new().route("/api/projects/{id}", get(answer));
        self.requests("router_no_layer_parameter", of(by_project), one_project.clone(), ok);
        let router = Router::new()
            .route("/api/projects/{id}", get(answer.scoped("projects:read:{id}")))
            .layer(layer);
        self.requests("router_parameter", of(router), one_project, ok);

        let (router, cookies) = self.runtime.block_on(login::router(self.callers, PATH))?;
        let cookies = Traffic::by(COOKIE, cookies, PATH, Pattern::Uniform);
        let login = self.requests("router_login", of(router), cookies, ok);
        let added = scoped.beside(no_layer);
        self.bench.ratio("router_hit_over_axum_login", added, login.beside(no_layer));
        self.bench.ratio("router_hit_over_extension", added, extension.beside(no_layer));
        Ok(())
    }
}
