//! The package of `tests/messages.rs`. trybuild adds its dependencies to each file in `ui`.
