use std::pin::pin;
use std::task::{Context, Poll, Waker};

use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{FromRequestParts, NestedPath, RawPathParams};
use hallpass_core::PathParameters;
use hallpass_tower::{NotText, RoutedParameters, RouterPaths};
use http::{Extensions, Request};

/// Gives the layer's policy table what axum's own extractors know about the path of a request.
#[derive(Debug)]
pub(crate) struct AxumPaths;

/// The path parameters that axum's router found, percent-decoded, nesting included.
struct Routed(RawPathParams);

impl PathParameters for Routed {
    /// Returns `None` for a name that comes twice, inside and outside of a nest, because the
    /// handler may read the other one.
    fn get(&self, name: &str) -> Option<&str> {
        let mut values = self.0.iter().filter(|(key, _)| *key == name).map(|(_, value)| value);
        values.next().filter(|_| values.next().is_none())
    }
}

impl RouterPaths for AxumPaths {
    fn parameters(&self, extensions: &mut Extensions) -> Option<RoutedParameters> {
        // The extractor takes a whole head but reads only its extensions.
        let (mut head, ()) = Request::new(()).into_parts();
        std::mem::swap(&mut head.extensions, extensions);
        let extracted = {
            let future = pin!(RawPathParams::from_request_parts(&mut head, &()));
            future.poll(&mut Context::from_waker(Waker::noop()))
        };
        std::mem::swap(&mut head.extensions, extensions);
        match extracted {
            Poll::Ready(Ok(parameters)) => Some(Ok(Box::new(Routed(parameters)))),
            Poll::Ready(Err(RawPathParamsRejection::InvalidUtf8InPathParam(_))) => {
                Some(Err(NotText))
            }
            // The extractor never waits. If it did, the requirement would not be met.
            Poll::Ready(Err(_)) | Poll::Pending => None,
        }
    }

    fn nest<'e>(&self, extensions: &'e Extensions) -> Option<&'e str> {
        extensions.get::<NestedPath>().map(NestedPath::as_str)
    }
}
