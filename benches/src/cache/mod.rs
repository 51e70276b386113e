//! `cache`: measures the hit ratio, memory and scaling of the cache.
//!
//! - `hits_over_lfu_*`: the hit ratio of Zipf-distributed requests for 100,000 tokens, divided by
//!   the hit ratio of an ideal cache that always holds the most frequent tokens. The ideal cache
//!   has as many entries as ours when it is full. The capacity is set in bytes, so the benchmark
//!   first finds out how many bytes hold 1 % or 10 % of the tokens.
//! - `hits_lost_to_junk_points`: the loss of hit ratio, in percentage points, if nine of ten
//!   requests bring a well-formed token that does not exist.
//! - `stampede_store_reads`: the number of store reads that 256 simultaneous requests for one token
//!   cause.
//! - `bytes_*`: the bytes that stay allocated for 100,000 tokens of three scopes each. Separate
//!   figures give the bytes that moka alone needs for as many keys, and the bytes of an empty cache
//!   (slots, stripes, the table of unknown tokens).
//! - `uniform_scaling`, `hot_token_scaling`: the throughput of two threads divided by that of one,
//!   for 10,000 equally frequent tokens and for a single one. `uniform_scaling` is also divided by
//!   the scaling of bare SHA-256 in the same run. The threads start together and are timed by the
//!   wall clock.

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
