//! Bad days, row by row. Never a wrong verdict: trouble of the store is 503, never 401, never 200.

mod flood;
mod follow;
mod leave;
mod races;
mod rows;
mod site;
mod slow;
mod stop;
mod unreachable;
