//! The `crate::sync` of the shipped files: loom's atomics with operations that can be mutated, and
//! a model of `ArcSwapOption`.

use std::ops::Deref;
use std::panic::Location;
use std::sync::{Arc, Mutex, PoisonError};

pub(crate) use std::sync::atomic::Ordering;

use crate::mutation::{Access, Plan, defer, plan, register};

macro_rules! atomics {
    ($($name:ident $int:ty;)+) => {$(
        /// An atomic. It is shared, so that a deferred operation can own it.
        #[derive(Clone, Debug)]
        pub(crate) struct $name {
            atomic: Arc<loom::sync::atomic::$name>,
            number: usize,
        }

        impl Default for $name {
            fn default() -> Self {
                Self::new(0)
            }
        }

        #[expect(dead_code, reason = "not every type uses every operation")]
        impl $name {
            pub(crate) fn new(value: $int) -> Self {
                let atomic = Arc::new(loom::sync::atomic::$name::new(value));
                let number = register({
                    let atomic = Arc::clone(&atomic);
                    move |ordering| atomic.load(ordering) as u64
                });
                Self { atomic, number }
            }

            #[track_caller]
            pub(crate) fn load(&self, ordering: Ordering) -> $int {
                self.read(Location::caller(), Access::Load, ordering)
            }

            #[track_caller]
            pub(crate) fn store(&self, value: $int, ordering: Ordering) {
                let at = Location::caller();
                self.write(at, Access::Store, ordering, move |atomic, ordering| {
                    atomic.store(value, ordering);
                    value
                });
            }

            #[track_caller]
            pub(crate) fn fetch_max(&self, value: $int, ordering: Ordering) -> $int {
                let at = Location::caller();
                self.write(at, Access::Store, ordering, move |a, o| a.fetch_max(value, o))
            }

            #[track_caller]
            pub(crate) fn fetch_add(&self, value: $int, ordering: Ordering) -> $int {
                let at = Location::caller();
                self.write(at, Access::Store, ordering, move |a, o| a.fetch_add(value, o))
            }

            #[track_caller]
            pub(crate) fn fetch_or(&self, value: $int, ordering: Ordering) -> $int {
                let at = Location::caller();
                self.write(at, Access::Store, ordering, move |a, o| a.fetch_or(value, o))
            }

            #[track_caller]
            pub(crate) fn fetch_and(&self, value: $int, ordering: Ordering) -> $int {
                let at = Location::caller();
                self.write(at, Access::Store, ordering, move |a, o| a.fetch_and(value, o))
            }

            fn read(
                &self,
                at: &'static Location<'static>,
                access: Access,
                ordering: Ordering,
            ) -> $int {
                match plan(at, access, ordering, self.number) {
                    Plan::Remembered(value) => value as $int,
                    Plan::Now(ordering) => self.atomic.load(ordering),
                    Plan::Deferred => unreachable!("only writes are deferred"),
                }
            }

            /// Writes a value. A deferred write returns the value from before the write.
            fn write(
                &self,
                at: &'static Location<'static>,
                access: Access,
                ordering: Ordering,
                write: impl Fn(&loom::sync::atomic::$name, Ordering) -> $int + 'static,
            ) -> $int {
                match plan(at, access, ordering, self.number) {
                    Plan::Now(ordering) => write(&self.atomic, ordering),
                    Plan::Deferred => {
                        let atomic = Arc::clone(&self.atomic);
                        defer(move || {
                            write(&atomic, ordering);
                        });
                        self.atomic.load(Ordering::Relaxed)
                    }
                    Plan::Remembered(_) => unreachable!("only reads are made early"),
                }
            }
        }
    )+};
}

atomics! {
    AtomicI64 i64;
    AtomicU8 u8;
    AtomicU32 u32;
    AtomicU64 u64;
}

/// A model of `ArcSwapOption`: the number of the last value that was stored. The implementation of
/// arc-swap itself is not checked.
#[derive(Debug)]
pub(crate) struct ArcSwapOption<T> {
    values: Mutex<Vec<Option<Arc<T>>>>,
    last: AtomicU64,
}

pub(crate) struct Guard<T>(T);

impl<T> ArcSwapOption<T> {
    pub(crate) fn empty() -> Self {
        Self { values: Mutex::new(vec![None]), last: AtomicU64::new(0) }
    }

    #[track_caller]
    pub(crate) fn store(&self, value: Option<Arc<T>>) {
        let number = {
            let mut values = self.values.lock().unwrap_or_else(PoisonError::into_inner);
            values.push(value);
            values.len() - 1
        };
        let write = move |atomic: &loom::sync::atomic::AtomicU64, _| {
            atomic.store(number as u64, Ordering::Release);
            0
        };
        self.last.write(Location::caller(), Access::StoreElsewhere, Ordering::Release, write);
    }

    #[track_caller]
    pub(crate) fn load(&self) -> Guard<Option<Arc<T>>> {
        let at = Location::caller();
        let last = self.last.read(at, Access::LoadElsewhere, Ordering::Acquire) as usize;
        let values = self.values.lock().unwrap_or_else(PoisonError::into_inner);
        Guard(values[last].clone())
    }
}

impl<T> Guard<T> {
    pub(crate) fn into_inner(guard: Self) -> T {
        guard.0
    }
}

impl<T> Deref for Guard<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

/// A number in the database. The database orders all accesses, so a read always returns the latest
/// value.
#[derive(Clone, Debug)]
pub(crate) struct Database(Arc<loom::sync::atomic::AtomicU64>, usize);

impl Database {
    pub(crate) fn new(value: u64) -> Self {
        let atomic = Arc::new(loom::sync::atomic::AtomicU64::new(value));
        let number = register({
            let atomic = Arc::clone(&atomic);
            move |_| atomic.fetch_max(0, Ordering::AcqRel)
        });
        Self(atomic, number)
    }

    pub(crate) fn store(&self, value: u64) {
        self.0.fetch_max(value, Ordering::AcqRel);
    }

    #[track_caller]
    pub(crate) fn latest(&self) -> u64 {
        match plan(Location::caller(), Access::LoadElsewhere, Ordering::AcqRel, self.1) {
            Plan::Remembered(value) => value,
            // Loom guarantees the latest value only for a read-modify-write operation.
            Plan::Now(_) | Plan::Deferred => self.0.fetch_max(0, Ordering::AcqRel),
        }
    }
}
