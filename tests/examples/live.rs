//! The example `live`: connections that end with their token.

use futures::StreamExt as _;
use tokio::time::timeout;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::example::{Example, PATIENCE};

#[tokio::test]
async fn websocket_and_event_stream_end_with_their_token() {
    let example = Example::start("live", &[]).await;
    let url = format!("ws://{}/socket", example.address);
    let rejected = connect_async(&url).await.expect_err("no token");
    assert!(matches!(rejected, Error::Http(answer) if answer.status() == 401));

    let session = format!("{url}?session={}", example.token);
    let (mut socket, _) = connect_async(session).await.expect("the token must be accepted");
    let events = format!("GET /events?session={}", example.token);
    let mut events = example.send(&events, "").await;
    assert_eq!(events.status(), 200);
    let message = timeout(PATIENCE, socket.next()).await.unwrap().unwrap().unwrap();
    assert_eq!(message, Message::text("news for alice"));
    let chunk = timeout(PATIENCE, events.chunk()).await.unwrap().unwrap().unwrap();
    assert_eq!(chunk, "data: news for alice\n\n");

    assert_eq!(example.status("DELETE /tokens/current", &example.token).await, 204);
    let ends = async {
        while let Some(Ok(message)) = socket.next().await {
            if message.is_close() {
                break;
            }
        }
        while events.chunk().await.expect("no broken stream").is_some() {}
    };
    timeout(PATIENCE, ends).await.expect("both end");
}
