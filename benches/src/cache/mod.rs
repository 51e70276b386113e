//! `cache`: what the cache is good for, and what it takes.
//!
//! - `hits_over_lfu_*`: what part of Zipf-distributed requests for 100,000 tokens needs no store,
//!   over what a cache would have that always holds the most frequent ones, as many as ours holds
//!   when it is full. Room is given in bytes, so how much of it makes 1 % or 10 % of the tokens is
//!   found out first.
//! - `hits_lost_to_junk_points`: how much of that is lost, in percentage points, when nine of ten
//!   requests bring a well-formed token that does not exist.
//! - `stampede_store_reads`: reads that 256 simultaneous requests for one token cause.
//! - `bytes_*`: with 100,000 tokens of three scopes each, the bytes asked of the allocator and
//!   kept. What moka needs for as many keys with next to no value is told apart, and so is what an
//!   empty cache takes (slots, stripes, the table of unknown tokens).
//! - `uniform_scaling`, `hot_token_scaling`: what two threads do in a time over what one does, for
//!   10,000 tokens alike (over what bare SHA-256 scales in the same run) and for one token. The
//!   threads start together, and the wall clock counts.

mod hits;
mod memory;
mod stampede;
mod store;
mod threads;

use anyhow::Result;

use crate::Scale;
use crate::harness::Bench;

pub(crate) fn bench(scale: Scale) -> Result<Bench> {
    let mut bench = Bench::default();
    stampede::add(&mut bench, scale.of(50))?;
    hits::add(&mut bench, scale.of(100_000), scale.of(200_000))?;
    memory::add(&mut bench, scale.of(100_000))?;
    threads::add(&mut bench, scale.of(10_000), scale.of(1_000))?;
    Ok(bench)
}
