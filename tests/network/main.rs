//! Tests of stores and nodes when the network between them fails. The servers are real, and a proxy
//! injects the faults.
//!
//! Each module covers some faults:
//!
//! | module | faults |
//! |---|---|
//! | `gone`, `cut_off` | The store is unreachable, with or without an error |
//! | `slow` | The store is slow |
//! | `postgres` | Faults that only PostgreSQL has |
//! | `commits` | A connection is closed before, during or after a commit |
//! | `demoted` | The server rejects changes or is a standby |
//! | `failover` | A failover loses the last changes |
//! | `push` | Change notifications are lost or late |
//! | `redis` | Faults that only Redis has |
//! | `cluster` | Redis Cluster moves slots or loses nodes |
//! | `damage` | The change log or a record is damaged |
//! | `clocks` | The server's clock jumps |
//! | `herd` | A node was blocked, or many requests arrive at once |
//! | `stop` | The service shuts down during a change |

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

/// Runs each test on PostgreSQL and on Redis.
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
