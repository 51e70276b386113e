//! The shipped files' `crate::sync`: loom's atomics, each of whose operations can be twisted, and a
//! model of arc-swap.

use std::ops::Deref;
use std::panic::Location;
use std::sync::{Arc, Mutex, PoisonError};

pub(crate) use std::sync::atomic::Ordering;

use crate::twist::{Access, Plan, made, plan, put_off};

macro_rules! atomics {
    ($($name:ident $int:ty;)+) => {$(
        /// Shared, so that an operation can be put off.
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

        #[expect(dead_code, reason = "not each of them is used with each operation")]
        impl $name {
            pub(crate) fn new(value: $int) -> Self {
                let atomic = Arc::new(loom::sync::atomic::$name::new(value));
                let number = made({
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
                    Plan::Do(ordering) => self.atomic.load(ordering),
                    Plan::PutOff => unreachable!("only writes are put off"),
                }
            }

            /// Where a write is put off, its answer is what was there when it was not yet done.
            fn write(
                &self,
                at: &'static Location<'static>,
                access: Access,
                ordering: Ordering,
                write: impl Fn(&loom::sync::atomic::$name, Ordering) -> $int + 'static,
            ) -> $int {
                match plan(at, access, ordering, self.number) {
                    Plan::Do(ordering) => write(&self.atomic, ordering),
                    Plan::PutOff => {
                        let atomic = Arc::clone(&self.atomic);
                        put_off(move || {
                            write(&atomic, ordering);
                        });
                        self.atomic.load(Ordering::Relaxed)
                    }
                    Plan::Remembered(_) => unreachable!("only reads come early"),
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

/// A place that is swapped whole: the number of the last value that was put there. What arc-swap
/// itself does is not tried here.
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

/// A number elsewhere, under the locks of others: whoever looks sees the last.
#[derive(Clone, Debug)]
pub(crate) struct Database(Arc<loom::sync::atomic::AtomicU64>, usize);

impl Database {
    pub(crate) fn new(value: u64) -> Self {
        let atomic = Arc::new(loom::sync::atomic::AtomicU64::new(value));
        let number = made({
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
            // Only what writes what was there is sure to read the last.
            Plan::Do(_) | Plan::PutOff => self.0.fetch_max(0, Ordering::AcqRel),
        }
    }
}
