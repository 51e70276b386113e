//! What a store and its nodes do when the network between them breaks: real servers, and a proxy
//! that misbehaves.
//!
//! The rows of the table of faults, and where each is held against what happens:
//!
//! | row | where |
//! |---|---|
//! | F1, F2, F4, F28 the store is gone, and nobody may say so | `gone`, `cut_off` |
//! | F3 it is slow | `slow` |
//! | F5, F6, F9, F14, F16, F17, F19, F21 what PostgreSQL brings along | `postgres` |
//! | F7, F8 a connection ends before the commit, in it, after it | `commits` |
//! | F10, F13, F31 it takes no changes, or is a standby | `demoted` |
//! | F11, F37 a failover loses the last changes | `failover` |
//! | F15, F38, F43 the push channel is lost or lags | `push` |
//! | F29, F30, F35 what Redis brings along | `redis` |
//! | F29, F32, F33, F37 Redis Cluster | `cluster` |
//! | F41, F44, F52, F53 the log or a record is damaged | `damage` |
//! | F42, C32 the server's clock jumps | `clocks` |
//! | F46, F47 a node that was blocked, a herd | `herd` |
//! | F54 the service ends during a change | `stop` |

mod backend;
mod blind;
mod clocks;
mod cluster;
mod commits;
mod cut_off;
mod damage;
mod demoted;
mod failover;
mod gone;
mod herd;
mod node;
mod postgres;
mod push;
mod redis;
mod slow;
mod stop;

/// Each test once on PostgreSQL, once on Redis.
macro_rules! on_each_store {
    ($($(#[$note:meta])* $test:ident),* $(,)?) => {
        mod on_postgres {
            $($(#[$note])* #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $test() {
                super::$test::<crate::backend::Postgres>().await;
            })*
        }

        mod on_redis {
            $($(#[$note])* #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $test() {
                super::$test::<crate::backend::Redis>().await;
            })*
        }
    };
}
use on_each_store;
