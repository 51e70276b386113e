//! Tests a node while the certificate of its store's server is invalid.

use std::convert::Infallible;
use std::error::Error;
use std::time::{Duration, Instant};

use hallpass_cache::{CacheSettings, Cached};
use hallpass_core::store::TokenStore;
use hallpass_core::{Actor, Hallpass, Issued, NewToken};
use hallpass_tower::TokenLayer;
use http::{Request, Response};
use tower::{Layer as _, ServiceExt as _, service_fn};

use crate::authority::{Authority, Certificate};
use crate::{PASSWORD, invalid_certificates};

/// The time limit of a request and of every wait.
const PATIENCE: Duration = Duration::from_secs(20);

fn alice() -> Actor {
    Actor::owner("alice")
}

/// Sends a request with the token through the layer and returns the status of the response.
async fn status(hallpass: &Hallpass, token: &Issued) -> u16 {
    let inside =
        service_fn(async |_: Request<String>| Ok::<_, Infallible>(Response::new(String::new())));
    let request =
        Request::builder().header("authorization", format!("Bearer {}", token.token.reveal()));
    let request = request.body(String::new()).expect("a request");
    let answer =
        tokio::time::timeout(PATIENCE, TokenLayer::new(hallpass).layer(inside).oneshot(request))
            .await;
    answer.expect("the request hangs").expect("the service is infallible").status().as_u16()
}

/// Waits until a request with the token gets the status `then`. All earlier responses must have the
/// status `before`.
async fn becomes(hallpass: &Hallpass, token: &Issued, before: u16, then: u16, why: &str) {
    let began = Instant::now();
    loop {
        let status = status(hallpass, token).await;
        if status == then {
            return;
        }
        assert_eq!(status, before, "{why}");
        assert!(began.elapsed() < PATIENCE, "{why}: still {status}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Checks that the node responds with 503 while the server has an invalid certificate, and recovers
/// when it has a valid one. `show` installs a certificate and ends all connections.
pub(crate) async fn recovers_from_invalid_certificates(
    store: impl TokenStore,
    authority: &Authority,
    show: impl Fn(&Certificate),
) {
    let settings = CacheSettings::default()
        .max_staleness(Duration::from_millis(300))
        .poll(Duration::from_millis(100))
        .load_deadline(Duration::from_millis(500));
    let hallpass = Hallpass::builder(Cached::with_settings(store, settings)).build();
    let token = hallpass.issue(&alice(), NewToken::named("ci")).await.expect("a token");
    assert_eq!(status(&hallpass, &token).await, 200);
    for (why, certificate) in invalid_certificates(authority) {
        show(&certificate);
        becomes(&hallpass, &token, 200, 503, why).await;
        let error = hallpass.revoke(&alice(), token.record.id).await.expect_err(why);
        assert!(error.is_unavailable(), "{why}: {}", error_text(&error));
        show(&authority.certify("127.0.0.1"));
        becomes(&hallpass, &token, 503, 200, why).await;
    }
    hallpass.revoke(&alice(), token.record.id).await.expect("the store is reachable again");
    assert_eq!(status(&hallpass, &token).await, 401);
}

/// Returns the text of an error and of all its sources, and checks that the password is not in it.
pub(crate) fn error_text(error: &(dyn Error + 'static)) -> String {
    let mut text = format!("{error:?}");
    let mut cause = Some(error);
    while let Some(error) = cause {
        text += &format!("; {error}");
        cause = error.source();
    }
    assert!(!text.contains(PASSWORD), "the error contains the password");
    text
}
