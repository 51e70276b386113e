//! Every committed change has its audit entry and its event, whatever happens to the client or to
//! the process; and neither a flood of forged tokens nor one of edits takes the service away.

mod disconnects;
mod export;
mod floods;
mod kills;
mod stores;
