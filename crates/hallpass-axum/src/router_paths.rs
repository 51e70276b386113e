//! The path parameters and the nesting of a request in axum, for policy tables.

use axum::extract::NestedPath;
use axum::extract::rejection::RawPathParamsRejection;
use hallpass_tower::{NotText, RoutedParameters, RouterPaths};
use http::{Extensions, Request};

use crate::parameters::{Parameters, raw};

/// The path of a request as axum's own extractors see it, for the layer's policy table.
#[derive(Debug)]
pub(crate) struct AxumPaths;

impl RouterPaths for AxumPaths {
    fn parameters(&self, extensions: &mut Extensions) -> Option<RoutedParameters> {
        // The extractor needs the whole head of a request, but reads only its extensions.
        let (mut head, ()) = Request::new(()).into_parts();
        std::mem::swap(&mut head.extensions, extensions);
        let parameters = raw(&mut head);
        std::mem::swap(&mut head.extensions, extensions);
        match parameters? {
            Ok(parameters) => Some(Ok(Box::new(Parameters(Some(parameters))))),
            Err(RawPathParamsRejection::InvalidUtf8InPathParam(_)) => Some(Err(NotText)),
            Err(_) => None,
        }
    }

    fn nest<'e>(&self, extensions: &'e Extensions) -> Option<&'e str> {
        extensions.get::<NestedPath>().map(NestedPath::as_str)
    }
}
