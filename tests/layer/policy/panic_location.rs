//! Tests that a mistake at start-up is reported with the line that made it.

use std::cell::RefCell;
use std::panic::{self, AssertUnwindSafe, Location};

use hallpass_axum::{GuardedRouter, TrustedProxies};
use hallpass_cache::{CacheSettings, Cached};
use hallpass_core::{Actor, Catalog, CatalogScope, Hallpass, public};
use hallpass_dashboard::Dashboard;
use hallpass_memory::MemoryStore;
use hallpass_tower::TokenLayer;
use http::request::Parts;

thread_local! {
    /// The file and line of the last panic of this thread.
    static LAST: RefCell<Option<(String, u32)>> = const { RefCell::new(None) };
}

/// Requires that the call panics and that the panic names the line of this call.
#[track_caller]
fn names_this_line<T>(call: impl FnOnce() -> T) {
    let here = Location::caller();
    assert!(panic::catch_unwind(AssertUnwindSafe(call)).is_err(), "the call did not panic");
    let (file, line) = LAST.take().unwrap();
    assert_eq!((file.as_str(), line), (here.file(), here.line()));
}

fn router() -> GuardedRouter {
    GuardedRouter::new().get("/", public(), async || "")
}

async fn nobody(_: Parts) -> Option<Actor> {
    None
}

#[test]
#[rustfmt::skip] // Each call must be on one line.
fn panic_at_start_up_names_the_line_of_the_caller() {
    let others = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        let at = panic.location().map(|at| (at.file().to_owned(), at.line()));
        LAST.set(at);
        others(panic);
    }));
    let hallpass = Hallpass::builder(MemoryStore::new()).build();
    let scope = || CatalogScope::new("notes", "Notes");

    names_this_line(|| Catalog::new().scope(scope()).scope(scope()));
    names_this_line(|| Catalog::new().preset("all", "All", ["notes"]));
    names_this_line(|| Cached::with_settings(MemoryStore::new(), CacheSettings::default().capacity_bytes(u64::MAX)));
    names_this_line(|| TrustedProxies::networks(["10.0.0.0/8", "10"]));
    names_this_line(|| TokenLayer::new(&hallpass).query_parameters([""]));
    names_this_line(|| router().merge(router()));
    names_this_line(|| hallpass_testkit::acting_as("alice", ["a b"]));
    names_this_line(|| Dashboard::<()>::new(&hallpass, nobody).texts("fr", "[]"));
}
