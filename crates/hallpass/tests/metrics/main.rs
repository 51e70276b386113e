//! Tests of the metrics that are recorded through the facade `metrics`: each counter and gauge
//! changes as the guide describes, and no label contains an owner.

mod cache;
mod checks;
mod hits;

use std::collections::BTreeMap;
use std::convert::Infallible;

use hallpass::{Actor, Hallpass, Issued, MemoryStore, NewToken, TokenLayer};
use hallpass_testkit::FaultyStore;
use http::{Request, Response, StatusCode};
use metrics::Unit;
use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshotter};
use tower::{Layer as _, ServiceExt as _, service_fn};

/// The page of the guide that lists all metrics.
const GUIDE: &str = include_str!("../../../../docs/stores.md");

type Store = FaultyStore<MemoryStore>;

/// The metrics that have changed since the last call, by `name{label=value}`.
struct Moved(Snapshotter);

impl Moved {
    fn of(recorder: &DebuggingRecorder) -> Self {
        Self(recorder.snapshotter())
    }

    fn look(&self) -> BTreeMap<String, f64> {
        let mut moved = BTreeMap::new();
        for (key, unit, description, value) in self.0.snapshot().into_vec() {
            let (name, labels) = key.key().clone().into_parts();
            let name = name.as_str();
            assert!(GUIDE.contains(&format!("`{name}`")), "the guide does not contain {name}");
            assert!(description.is_some_and(|text| !text.is_empty()), "{name} is not described");
            let seconds = name.ends_with("_seconds");
            assert_eq!(unit, Some(if seconds { Unit::Seconds } else { Unit::Count }), "{name}");
            let labels: Vec<_> =
                labels.iter().map(|label| format!("{}={}", label.key(), label.value())).collect();
            for word in key.key().labels().map(metrics::Label::value) {
                assert!(
                    GUIDE.contains(&format!("`{word}`")),
                    "{name}: the guide does not contain {word}"
                );
            }
            let value = match value {
                DebugValue::Counter(count) => count as f64,
                DebugValue::Gauge(value) => value.into_inner(),
                // The number of new values.
                DebugValue::Histogram(values) => {
                    assert!(values.iter().all(|took| (0.0..60.0).contains(&**took)), "{values:?}");
                    values.len() as f64
                }
            };
            if value != 0.0 {
                moved.insert(format!("{name}{{{}}}", labels.join(",")), value);
            }
        }
        moved
    }

    /// Returns the changes of the metrics whose names start with this prefix.
    fn only(&self, prefix: &str) -> Vec<(String, f64)> {
        let moved = self.look().into_iter();
        moved.filter(|(name, _)| name.starts_with(prefix)).collect()
    }
}

fn one(name: &str) -> Vec<(String, f64)> {
    vec![(name.to_owned(), 1.0)]
}

fn alice() -> Actor {
    Actor::owner("alice")
}

async fn issue(hallpass: &Hallpass) -> Issued {
    hallpass.issue(&alice(), NewToken::named("ci").scope("read")).await.unwrap()
}

async fn check(hallpass: &Hallpass, token: &Issued) -> bool {
    hallpass.authenticate(token.token.reveal().as_bytes()).await.is_ok()
}

/// Returns the status of a request behind the layer, and for `/inner` also behind
/// `require("write")`.
async fn ask(layer: &TokenLayer, path: &str, token: &str) -> StatusCode {
    let inner = hallpass::require("write").layer(service_fn(async |_: Request<()>| {
        Ok::<_, Infallible>(Response::new(String::new()))
    }));
    let service = layer.layer(inner);
    let mut request = Request::get(path);
    if !token.is_empty() {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    service.oneshot(request.body(()).unwrap()).await.unwrap().status()
}
