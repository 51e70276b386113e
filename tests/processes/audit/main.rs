//! Tests that every committed change has its audit entry and its event, even if the client
//! disconnects or the process is killed, and that floods of forged tokens or edits do not block
//! other requests.

mod disconnects;
mod export;
mod floods;
mod kills;
mod stores;
