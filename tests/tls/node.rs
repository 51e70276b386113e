//! A node on a store whose server's certificate turns bad.

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
use crate::{PASSWORD, bad};

/// Far more than anything here takes.
const PATIENCE: Duration = Duration::from_secs(20);

fn alice() -> Actor {
    Actor::owner("alice")
}

/// What the layer answers a request with that token.
async fn status(hallpass: &Hallpass, token: &Issued) -> u16 {
    let inside =
        service_fn(async |_: Request<String>| Ok::<_, Infallible>(Response::new(String::new())));
    let request =
        Request::builder().header("authorization", format!("Bearer {}", token.token.reveal()));
    let request = request.body(String::new()).expect("a request");
    let answer =
        tokio::time::timeout(PATIENCE, TokenLayer::new(&hallpass).layer(inside).oneshot(request))
            .await;
    answer.expect("it does not hang").expect("an answer").status().as_u16()
}

/// Waits until that is the answer. Nothing but `before` comes before it.
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

/// While the server shows a certificate that is not good, all is 503, and when it shows a good one
/// all is well again. To show another one also ends all connections.
pub(crate) async fn outlives_bad_certificates(
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
    for (why, certificate) in bad(authority) {
        show(&certificate);
        becomes(&hallpass, &token, 200, 503, why).await;
        let error = hallpass.revoke(&alice(), token.record.id).await.expect_err(why);
        assert!(error.is_unavailable(), "{why}: {}", said(&error));
        show(&authority.certify("127.0.0.1"));
        becomes(&hallpass, &token, 503, 200, why).await;
    }
    hallpass.revoke(&alice(), token.record.id).await.expect("it is well again");
    assert_eq!(status(&hallpass, &token).await, 401);
}

/// All that an error says, which is no password.
pub(crate) fn said(error: &(dyn Error + 'static)) -> String {
    let mut said = format!("{error:?}");
    let mut cause = Some(error);
    while let Some(error) = cause {
        said += &format!("; {error}");
        cause = error.source();
    }
    assert!(!said.contains(PASSWORD), "the password is said");
    said
}
