//! Cases on a bare service, with tokens that are cached already.

use anyhow::Result;
use hallpass_tower::{TokenLayer, require};
use http::StatusCode;
use tower::ServiceBuilder;

use super::{Cases, OneToken, Open, PATH, SCOPE};
use crate::peers::{Gated, floor::Floor, jwt::Jwt, plain::Plain};
use crate::traffic::{Pattern, Traffic};

impl Cases {
    pub(super) fn known(&mut self) -> Result<OneToken> {
        let tokens = self.fixture.tokens.clone();
        let layered = ServiceBuilder::new()
            .layer(TokenLayer::new(&self.fixture.hallpass))
            .layer(require(SCOPE))
            .service(Open);
        let floor = Gated { gate: Floor::new(&tokens), inner: Open };
        let plain = Gated { gate: Plain::new(&tokens), inner: Open };
        let (gate, by_hs256) = Jwt::hs256(self.callers)?;
        let hs256 = Gated { gate, inner: Open };
        let (gate, by_eddsa) = Jwt::eddsa(self.callers)?;
        let eddsa = Gated { gate, inner: Open };

        let ok = StatusCode::OK;
        let mut one_token = None;
        for (pattern, suffix, of_ratio) in [
            (Pattern::Uniform, "_uniform", ""),
            (Pattern::Zipf, "_zipf", "_zipf"),
            (Pattern::Hot, "_hot", "_hot"),
        ] {
            let name = |case: &str| format!("{case}{suffix}");
            let traffic = Traffic::bearer(&tokens, PATH, pattern);
            let no_layer = self.requests(name("no_layer"), Open, traffic.clone(), ok);
            let floor = self.requests(name("floor"), floor.clone(), traffic.clone(), ok);
            let bearer = self.requests(name("bearer"), layered.clone(), traffic.clone(), ok);
            self.requests(name("plain"), plain.clone(), traffic, ok);
            let traffic = Traffic::bearer(&by_hs256, PATH, pattern);
            let hs256 = self.requests(name("hs256"), hs256.clone(), traffic, ok);

            let ratio = |name: &str| format!("{name}{of_ratio}");
            let hit = bearer.beside(no_layer);
            self.bench.ratio(ratio("hit_over_floor"), hit, floor.beside(no_layer));
            self.bench.ratio(ratio("hit_over_hs256"), hit, hs256.beside(no_layer));
            one_token = Some(OneToken { no_layer, bearer });
        }
        let traffic = Traffic::bearer(&by_eddsa, PATH, Pattern::Uniform);
        self.requests("eddsa_uniform", eddsa, traffic, ok);
        Ok(one_token.expect("there is at least one pattern"))
    }
}
