//! Tools for tests of applications that use [Hallpass](https://docs.rs/hallpass). Use it only as a
//! dev-dependency.
//!
//! | task | start with |
//! |---|---|
//! | send a request as any owner, without a token | [`acting_as`] |
//! | let time pass | [`ManualClock`] |
//! | make the store fail, stall or respond late, and count its calls | [`FaultyStore`] |
//! | test your own store | the module `conformance`, with the feature `store` |
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
//! // Without a token.
//! assert_eq!(status(Request::get("/jobs").extension(acting_as("alice", ["jobs"]))).await, 200);
//! assert_eq!(status(Request::get("/jobs").extension(acting_as("alice", []))).await, 403);
//! assert_eq!(store.faults().calls(Operation::ALL), 0);
//!
//! // With a real token, while the store is down and after the token has expired.
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
#![cfg_attr(docsrs, feature(doc_cfg))]

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
