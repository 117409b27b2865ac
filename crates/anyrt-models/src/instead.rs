//! What stands in the place of std.

pub(crate) use shuttle::thread;

pub(crate) mod sync {
    pub(crate) use std::sync::{LazyLock, OnceLock, PoisonError};

    pub(crate) use shuttle::sync::*;
}

/// As std's, which has more verbs than shuttle's.
pub(crate) struct LocalKey<T: 'static>(pub(crate) &'static thread::LocalKey<T>);

macro_rules! local {
    ($($(#[$attribute:meta])* static $name:ident: $type:ty = $value:expr;)*) => {
        $($(#[$attribute])* static $name: $crate::instead::LocalKey<$type> = {
            shuttle::thread_local! { static KEY: $type = $value; }
            $crate::instead::LocalKey(&KEY)
        };)*
    };
}
pub(crate) use local;

impl<T: 'static> LocalKey<T> {
    pub(crate) fn with<R>(&'static self, f: impl FnOnce(&T) -> R) -> R {
        self.0.with(f)
    }

    pub(crate) fn try_with<R>(
        &'static self,
        f: impl FnOnce(&T) -> R,
    ) -> Result<R, thread::AccessError> {
        self.0.try_with(f)
    }
}

impl<T: Copy> LocalKey<std::cell::Cell<T>> {
    pub(crate) fn get(&'static self) -> T {
        self.with(std::cell::Cell::get)
    }

    pub(crate) fn set(&'static self, value: T) {
        self.with(|cell| cell.set(value));
    }

    pub(crate) fn replace(&'static self, value: T) -> T {
        self.with(|cell| cell.replace(value))
    }
}
