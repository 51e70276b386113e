//! For tests of and around [Hallpass](https://docs.rs/hallpass): a dev-dependency, never a dependency.
//!
//! | to | use |
//! |---|---|
//! | send a request as anybody, without a token | [`acting_as`] |
//! | let time pass | [`ManualClock`] |
//! | make the store fail, stall, answer late, and count what it is asked | [`FaultyStore`] |
//! | prove a store of your own | the module `conformance`, with the feature `store` |
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use std::time::Duration;
//!
//! use axum::{Router, body::Body, http::Request, routing::get};
//! use hallpass_axum::{HallpassExt as _, HandlerExt as _};
//! use hallpass_core::{Actor, Hallpass, NewToken};
//! use hallpass_memory::MemoryStore;
//! use hallpass_testkit::{FaultyStore, ManualClock, Operation, acting_as};
//! use tower::ServiceExt as _;
//!
//! let (clock, store) = (ManualClock::new(), FaultyStore::new(MemoryStore::new()));
//! let hallpass = Hallpass::builder(store.clone()).clock(clock.clone()).build();
//! async fn jobs() -> &'static str {
//!     "two jobs"
//! }
//! let app: Router = Router::new().route("/jobs", get(jobs.scoped("jobs"))).layer(hallpass.layer());
//! let status = async |request: http::request::Builder| {
//!     app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap().status()
//! };
//!
//! // As anybody.
//! assert_eq!(status(Request::get("/jobs").extension(acting_as("alice", ["jobs"]))).await, 200);
//! assert_eq!(status(Request::get("/jobs").extension(acting_as("alice", []))).await, 403);
//! assert_eq!(store.faults().calls(Operation::ALL), 0);
//!
//! // With a real token, while the store is away and when its time is over.
//! let new = NewToken::named("ci").scope("jobs").expires("30d");
//! let issued = hallpass.issue(&Actor::owner("alice"), new).await?;
//! let bearer = || Request::get("/jobs").header("authorization", format!("Bearer {}", issued.token.reveal()));
//! store.faults().on(Operation::Get).once().fail();
//! assert_eq!(status(bearer()).await, 503);
//! assert_eq!(status(bearer()).await, 200);
//! clock.advance(Duration::from_hours(30 * 24));
//! assert_eq!(status(bearer()).await, 401);
//! # Ok(()) }
//! ```

mod acting;
mod clock;
#[cfg(feature = "store")]
pub mod conformance;
mod faulty;

pub use hallpass_tower::ActingAs;

pub use self::{
    acting::acting_as,
    clock::ManualClock,
    faulty::{Faults, FaultsOn, FaultyStore, Gate, Operation, StaleCache},
};
