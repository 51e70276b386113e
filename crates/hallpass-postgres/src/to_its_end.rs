//! What has been begun and must not be broken off.

use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::runtime::Handle;

/// Runs in the task that waits for it, and goes on in one of its own if that goes away.
///
/// Not in a task of its own from the start: to wake that one up, and then the caller, is a good
/// part of what a look-up takes.
pub(crate) struct ToItsEnd<F>(Option<Pin<Box<F>>>)
where
    F: Future<Output: Send> + Send + 'static;

impl<F> ToItsEnd<F>
where
    F: Future<Output: Send> + Send + 'static,
{
    pub(crate) fn of(future: F) -> Self {
        Self(Some(Box::pin(future)))
    }
}

impl<F> Future for ToItsEnd<F>
where
    F: Future<Output: Send> + Send + 'static,
{
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        // Out of its place while it runs: what has panicked is not run again.
        let mut future = self.0.take().expect("nobody asks for what has been answered");
        let polled = future.as_mut().poll(context);
        if polled.is_pending() {
            self.0 = Some(future);
        }
        polled
    }
}

impl<F> Drop for ToItsEnd<F>
where
    F: Future<Output: Send> + Send + 'static,
{
    fn drop(&mut self) {
        if let (Some(rest), Ok(runtime)) = (self.0.take(), Handle::try_current()) {
            drop(runtime.spawn(rest));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use tokio::sync::oneshot;
    use tokio::task::yield_now;

    use super::*;

    #[tokio::test]
    async fn what_nobody_waits_for_any_more_goes_on() {
        let (tell, told) = oneshot::channel();
        let mut begun = ToItsEnd::of(async move {
            yield_now().await;
            tell.send(7).expect("somebody listens");
        });
        let polled = poll_fn(|context| Poll::Ready(Pin::new(&mut begun).poll(context))).await;
        assert!(polled.is_pending(), "it waits");
        drop(begun);
        assert_eq!(told.await, Ok(7));
    }

    #[tokio::test]
    async fn what_is_waited_for_answers_and_what_panics_does_so_once() {
        assert_eq!(ToItsEnd::of(async { 7 }).await, 7);
        let panicking = ToItsEnd::of(async { panic!("on purpose") });
        assert!(tokio::spawn(panicking).await.is_err_and(|error| error.is_panic()));
    }
}
