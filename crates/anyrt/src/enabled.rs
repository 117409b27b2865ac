//! What is compiled into this crate, for macros that expand in another one.
//!
//! A cfg on a feature means the features of the crate in which it is written, and a procedural macro is told nothing of
//! either. So the attributes expand to calls of these, which were made here, when this crate was compiled.

use cfg_if::cfg_if;

/// Expands to the first block if tokio is compiled in, and else to the second. So do the others.
#[cfg(feature = "tokio")]
#[doc(hidden)]
#[macro_export]
macro_rules! __tokio {
    ({ $($on:tt)* } { $($off:tt)* }) => { $($on)* };
}
#[cfg(not(feature = "tokio"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __tokio {
    ({ $($on:tt)* } { $($off:tt)* }) => { $($off)* };
}

#[cfg(feature = "async-std")]
#[doc(hidden)]
#[macro_export]
macro_rules! __async_std {
    ({ $($on:tt)* } { $($off:tt)* }) => { $($on)* };
}
#[cfg(not(feature = "async-std"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __async_std {
    ({ $($on:tt)* } { $($off:tt)* }) => { $($off)* };
}

#[cfg(feature = "smol")]
#[doc(hidden)]
#[macro_export]
macro_rules! __smol {
    ({ $($on:tt)* } { $($off:tt)* }) => { $($on)* };
}
#[cfg(not(feature = "smol"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __smol {
    ({ $($on:tt)* } { $($off:tt)* }) => { $($off)* };
}

#[cfg(feature = "sim")]
#[doc(hidden)]
#[macro_export]
macro_rules! __sim {
    ({ $($on:tt)* } { $($off:tt)* }) => { $($on)* };
}
#[cfg(not(feature = "sim"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __sim {
    ({ $($on:tt)* } { $($off:tt)* }) => { $($off)* };
}

cfg_if! {
    if #[cfg(any(
        all(feature = "tokio", any(feature = "async-std", feature = "smol", feature = "sim")),
        all(feature = "async-std", any(feature = "smol", feature = "sim")),
        all(feature = "smol", feature = "sim"),
    ))] {
        /// Expands to one of its blocks: if no backend is compiled in, if one is, or if several are.
        #[doc(hidden)]
        #[macro_export]
        macro_rules! __how_many {
            ($none:tt $one:tt { $($several:tt)* }) => { $($several)* };
        }
    } else if #[cfg(any(
        feature = "tokio",
        feature = "async-std",
        feature = "smol",
        feature = "sim",
    ))] {
        #[doc(hidden)]
        #[macro_export]
        macro_rules! __how_many {
            ($none:tt { $($one:tt)* } $several:tt) => { $($one)* };
        }
    } else {
        #[doc(hidden)]
        #[macro_export]
        macro_rules! __how_many {
            ({ $($none:tt)* } $one:tt $several:tt) => { $($none)* };
        }
    }
}
