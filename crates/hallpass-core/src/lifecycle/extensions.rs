//! Settings of integrations, attached to the handle by their type.

use std::any::{Any, TypeId};
use std::collections::HashMap;

type Value = Box<dyn Any + Send + Sync>;

/// At most one value of each type.
#[derive(Default)]
pub(super) struct Extensions(HashMap<TypeId, Value>);

impl Extensions {
    pub(super) fn insert<T: Any + Send + Sync>(&mut self, value: T) {
        self.0.insert(TypeId::of::<T>(), Box::new(value));
    }

    pub(super) fn get<T: Any>(&self) -> Option<&T> {
        self.0.get(&TypeId::of::<T>())?.downcast_ref()
    }

    pub(super) fn get_or_default<T: Any + Send + Sync + Default>(&mut self) -> &mut T {
        let value = self.0.entry(TypeId::of::<T>()).or_insert_with(|| Box::new(T::default()));
        value.downcast_mut().expect("the value under a type's id has that type")
    }
}
