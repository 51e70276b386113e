use hallpass_core::Hallpass;
use hallpass_tower::TokenLayer;

use crate::framework::Axum;

/// What axum applications do with the one handle.
pub trait HallpassExt {
    /// A layer that lets requests with a valid token in: from `Authorization: Bearer`, or
    /// `?session=`. It knows axum's routes, and leaves no credential in axum's extensions.
    fn layer(&self) -> TokenLayer;
}

impl HallpassExt for Hallpass {
    fn layer(&self) -> TokenLayer {
        hallpass_tower::HallpassExt::layer(self).framework(&Axum)
    }
}
