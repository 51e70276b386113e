//! `e2e`: measures requests to axum over loopback sockets. One thread serves them, another one
//! sends them over persistent connections and never sleeps. 10,000 clients send equally often.
//!
//! - `open`: without a layer.
//! - `ours`: with the layer, a cache in front of a store in memory, and a scope on the handler.
//! - `extension`: a layer that only inserts an extension, as every layer does that authenticates
//!   requests.
//! - `floor`, `hs256`, `login`: see [`crate::peers`].
//! - `select`, `select_update`: see [`crate::peers::postgres`]. The database runs on the same
//!   machine with `fsync` off, which makes it faster. With two processors, it shares one with the
//!   server.
//!
//! A server stays up as long as its case. Each round sends to all servers in turn, for a tenth of a
//! second each. The nanoseconds are wall clock time per request over all connections. The ratios
//! compare requests per second, ours divided by the other's. `*_server_cpu` is the CPU time of the
//! server's thread per request. The ratios `e2e_by_cpu_*` compare requests per second of CPU time,
//! so they hold even if other programs keep the machine busy.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use anyhow::Result;
use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use hallpass_axum::{HallpassExt, HandlerExt};
use hallpass_servers::{Package, Postgres};
use tokio::runtime::{Builder, Runtime};
use tower::layer::layer_fn;

use crate::Scale;
use crate::fixture::{Fixture, Owners};
use crate::harness::{Bench, CaseId};
use crate::host::{Served, serve};
use crate::hot::{PATH, SCOPE, answer, extension_layer};
use crate::load::Load;
use crate::peers::postgres::{Lookup, gate};
use crate::peers::{Gated, floor::Floor, jwt::Jwt, login};

const CONNECTIONS: usize = 32;

struct Cases {
    bench: Bench,
    /// The runtime of the client.
    runtime: Rc<Runtime>,
    turn: Duration,
}

/// The two cases of a server: wall clock time and CPU time per request.
#[derive(Clone, Copy)]
struct Answering {
    wall: CaseId,
    cpu: CaseId,
}

pub(crate) fn bench(scale: Scale) -> Result<Bench> {
    let callers = scale.of(10_000);
    Package::POSTGRES.ensure_installed()?;
    let postgres = Rc::new(Postgres::start()?);
    let runtime = Rc::new(Builder::new_current_thread().enable_all().build()?);
    let turn = Duration::from_millis(scale.of(100) as u64);
    let mut cases = Cases { bench: Bench::default(), runtime, turn };

    let open = serve("open", async move || {
        let tokens = (0..callers).map(|number| format!("nobody-reads-this-{number:060}"));
        Ok((open_router(), bearers(tokens)))
    })?;
    let open = cases.add("open", &open, "authorization", ())?;

    let served = serve("ours", async move || {
        let fixture = Fixture::new(callers, Owners::Many, &[SCOPE]).await?;
        let router =
            Router::new().route(PATH, get(answer.scoped(SCOPE))).layer(fixture.hallpass.layer());
        Ok((router, bearers(fixture.tokens)))
    })?;
    let ours = cases.add("ours", &served, "authorization", ())?;

    let extension = serve("extension", async move || {
        let tokens = (0..callers).map(|number| format!("nobody-reads-this-{number:060}"));
        Ok((open_router().layer(extension_layer()), bearers(tokens)))
    })?;
    let extension = cases.add("extension", &extension, "authorization", ())?;

    let credentials = served.credentials.clone();
    let floor = serve("floor", async move || {
        let gate = Floor::new(&tokens(&credentials));
        let layer = layer_fn(move |inner| Gated { gate: gate.clone(), inner });
        Ok((open_router().layer(layer), credentials))
    })?;
    let floor = cases.add("floor", &floor, "authorization", ())?;

    let hs256 = serve("hs256", async move || {
        let (gate, tokens) = Jwt::hs256(callers)?;
        let layer = layer_fn(move |inner| Gated { gate: gate.clone(), inner });
        Ok((open_router().layer(layer), bearers(tokens)))
    })?;
    let hs256 = cases.add("hs256", &hs256, "authorization", ())?;

    let login = serve("login", async move || login::router(callers, PATH).await)?;
    let login = cases.add("login", &login, "cookie", ())?;

    let mut lookup = |name: &'static str, keeps_last_use| {
        let (url, credentials) = (postgres.url().to_owned(), served.credentials.clone());
        let served = serve(name, async move || {
            let lookup = Lookup::new(&url, &tokens(&credentials), keeps_last_use).await?;
            Ok((open_router().layer(from_fn_with_state(lookup, gate)), credentials))
        })?;
        // The database must live as long as the case.
        cases.add(name, &served, "authorization", Rc::clone(&postgres))
    };
    let select = lookup("select", false)?;
    let select_update = lookup("select_update", true)?;

    for (name, other) in [
        ("e2e_over_open", open),
        ("e2e_over_hs256", hs256),
        ("e2e_over_axum_login", login),
        ("e2e_over_select", select),
        ("e2e_over_select_update", select_update),
    ] {
        // The throughput is the inverse of the time per request, so the other case is the
        // numerator.
        cases.bench.ratio(name, other.wall, ours.wall);
    }
    for (name, other) in [
        ("e2e_by_cpu_over_open", open),
        ("e2e_by_cpu_over_hs256", hs256),
        ("e2e_by_cpu_over_axum_login", login),
    ] {
        cases.bench.ratio(name, other.cpu, ours.cpu);
    }
    for (name, case) in [("extension", extension), ("floor", floor)] {
        cases.bench.ratio(format!("e2e_{name}_over_open"), open.wall, case.wall);
        cases.bench.ratio(format!("e2e_{name}_by_cpu_over_open"), open.cpu, case.cpu);
    }
    Ok(cases.bench)
}

impl Cases {
    /// Adds the two cases of a server. `needs` is kept alive as long as they are.
    fn add(
        &mut self,
        name: &'static str,
        Served { address, thread, credentials }: &Served,
        header: &str,
        needs: impl Sized + 'static,
    ) -> Result<Answering> {
        let by = (header, credentials.as_slice());
        let mut load = Load::new(&self.runtime, *address, CONNECTIONS, PATH, by)?;
        let (turn, thread) = (self.turn, *thread);
        // Warm up connections and caches.
        load.run(turn)?;
        let cpu = Rc::new(Cell::new(0.0));
        let spent = Rc::clone(&cpu);
        let mut take_turn = move || {
            let _ = &needs;
            let before = thread.cpu_time()?;
            let (count, elapsed) = load.run(turn)?;
            spent.set((thread.cpu_time()? - before) as f64 / f64::from(count));
            anyhow::Ok(elapsed.as_nanos() as f64 / f64::from(count))
        };
        let wall = self
            .bench
            .timed(name, move || take_turn().unwrap_or_else(|error| panic!("{name}: {error:#}")));
        // This case reports the measurements of the last turn of the case above.
        let cpu = self.bench.timed(format!("{name}_server_cpu"), move || cpu.get());
        Ok(Answering { wall, cpu })
    }
}

fn open_router() -> Router {
    Router::new().route(PATH, get(answer))
}

fn tokens(credentials: &[String]) -> Vec<String> {
    credentials.iter().map(|text| text.trim_start_matches("Bearer ").to_owned()).collect()
}

fn bearers(tokens: impl IntoIterator<Item = String>) -> Vec<String> {
    tokens.into_iter().map(|token| format!("Bearer {token}")).collect()
}
