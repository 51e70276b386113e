//! Cases that use one token in other ways, and cases with rejected requests.

use std::rc::Rc;

use anyhow::Result;
use hallpass_core::{AuthError, RejectReason};
use hallpass_tower::{PolicyTable, TokenLayer, require};
use http::StatusCode;
use tower::{Layer, ServiceBuilder};

use super::{Cases, OneToken, Open, PATH, SCOPE, repeat};
use crate::fixture::{Fixture, Owners, with_a_typo};
use crate::traffic::{Pattern, Traffic};

impl Cases {
    pub(super) fn variants(&mut self, than: &OneToken) -> Result<()> {
        let runtime = Rc::clone(&self.runtime);
        let (hallpass, token) = (self.fixture.hallpass.clone(), self.fixture.tokens[0].clone());
        let alone = |token: &String| Traffic::bearer([token], PATH, Pattern::Hot);
        let scoped = |fixture: &Fixture| {
            ServiceBuilder::new()
                .layer(TokenLayer::new(&fixture.hallpass))
                .layer(require(SCOPE))
                .service(Open)
        };
        let added = than.bearer.beside(than.no_layer);

        self.requests(
            "authenticated",
            TokenLayer::new(&hallpass).layer(Open),
            alone(&token),
            StatusCode::OK,
        );

        let held: Vec<_> = (1..20).map(|number| format!("builds:{number}")).collect();
        let held: Vec<_> = held.iter().map(String::as_str).chain([SCOPE]).collect();
        let twenty = runtime.block_on(Fixture::new(1, Owners::Many, &held))?;
        let case =
            self.requests("scopes_20", scoped(&twenty), alone(&twenty.tokens[0]), StatusCode::OK);
        self.bench.ratio("scopes_20_over_1", case.beside(than.no_layer), added);

        let by_query = Traffic::without_credential(&format!("{PATH}?session={token}"));
        let open = self.requests("no_layer_session", Open, by_query.clone(), StatusCode::OK);
        let case = self.requests("session", scoped(&self.fixture), by_query, StatusCode::OK);
        self.bench.ratio("session_over_bearer", case.beside(open), added);

        let table =
            PolicyTable::new().get(PATH, SCOPE).get("/api/projects/{id}", "projects:read:{id}");
        let by_table = TokenLayer::new(&hallpass).policy(table).layer(Open);
        let case = self.requests("table", by_table.clone(), alone(&token), StatusCode::OK);
        self.bench.ratio("table_over_bearer", case.beside(than.no_layer), added);
        let one_project = Traffic::bearer([&token], "/api/projects/42", Pattern::Hot);
        let case = self.requests("parameter", by_table, one_project, StatusCode::OK);
        self.bench.ratio("parameter_over_bearer", case.beside(than.no_layer), added);

        let rejected = StatusCode::UNAUTHORIZED;
        let malformed = alone(&with_a_typo(&token));
        let case = self.requests("malformed", scoped(&self.fixture), malformed, rejected);
        self.bench.ratio("malformed_rejection_over_hit", case.beside(than.no_layer), added);
        // Only the store of the other instance contains this token.
        let unknown = alone(&twenty.tokens[0]);
        let case = self.requests("unknown", scoped(&self.fixture), unknown, rejected);
        self.bench.ratio("unknown_rejection_over_hit", case.beside(than.no_layer), added);

        let many = runtime.block_on(Fixture::new(self.callers, Owners::One, &[SCOPE]))?;
        let one = runtime.block_on(Fixture::new(1, Owners::One, &[SCOPE]))?;
        let of_many =
            self.requests("one_of_many", scoped(&many), alone(&many.tokens[0]), StatusCode::OK);
        let of_one =
            self.requests("one_of_one", scoped(&one), alone(&one.tokens[0]), StatusCode::OK);
        self.bench.ratio(
            "many_tokens_one_owner",
            of_many.beside(than.no_layer),
            of_one.beside(than.no_layer),
        );

        let bare = alone(&token).with_empty_extensions();
        self.requests("no_layer_bare", Open, bare.clone(), StatusCode::OK);
        self.requests("bearer_bare", scoped(&self.fixture), bare, StatusCode::OK);
        Ok(())
    }

    pub(super) fn without_a_request(&mut self) {
        let token = self.fixture.tokens[0].clone();
        let (hallpass, text) = (self.fixture.hallpass.clone(), token.clone());
        self.bench.case("parse", move |count| {
            for _ in 0..count {
                assert!(hallpass.parse(text.as_bytes()).is_ok());
            }
        });
        let (hallpass, text) = (self.fixture.hallpass.clone(), with_a_typo(&token));
        let malformed = self.bench.case("parse_malformed", move |count| {
            for _ in 0..count {
                let answer = hallpass.parse(text.as_bytes());
                assert!(matches!(answer, Err(AuthError::Rejected(RejectReason::Malformed))));
            }
        });
        let hallpass = self.fixture.hallpass.clone();
        let verify = repeat(&self.runtime, async move || {
            assert!(hallpass.authenticate(token.as_bytes()).await.is_ok());
        });
        let verify = self.bench.case("verify", verify);
        self.bench.ratio("malformed_over_verify", malformed, verify);
    }
}
