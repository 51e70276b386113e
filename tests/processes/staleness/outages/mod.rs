//! Tests of single outages. A check never returns a wrong result: if the store fails, the response
//! is 503, never 401 or an unjustified 200.

mod flood;
mod follow;
mod leave;
mod races;
mod side_channel;
mod site;
mod slow;
mod stop;
mod unreachable;
