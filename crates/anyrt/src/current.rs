//! Which backend is current: the one file with the choice.
//!
//! With exactly one feature on, [`Current`] *is* that backend's type and costs nothing. With several it is an
//! enum. With none there is no value of it: everything compiles, and running says which feature to add.

use cfg_if::cfg_if;

cfg_if! {
    if #[cfg(any(
        all(feature = "tokio", any(feature = "async-std", feature = "smol", feature = "sim")),
        all(feature = "async-std", any(feature = "smol", feature = "sim")),
        all(feature = "smol", feature = "sim"),
    ))] {
        pub use crate::several::{Current, CurrentSleep, CurrentTask};

        #[track_caller]
        pub(crate) fn only() -> Current {
            panic!(
                "anyrt: several backends are compiled in ({}); say which one with `run_on`",
                crate::available::available().join(", ")
            )
        }
    } else if #[cfg(feature = "tokio")] {
        pub use anyrt_tokio::Tokio as Current;

        pub(crate) fn only() -> Current {
            Default::default()
        }
    } else if #[cfg(feature = "async-std")] {
        pub use anyrt_async_std::AsyncStd as Current;

        pub(crate) fn only() -> Current {
            Default::default()
        }
    } else if #[cfg(feature = "smol")] {
        pub use anyrt_smol::Smol as Current;

        pub(crate) fn only() -> Current {
            Default::default()
        }
    } else if #[cfg(feature = "sim")] {
        pub use anyrt_sim::Sim as Current;

        pub(crate) fn only() -> Current {
            Default::default()
        }
    } else {
        pub use crate::absent::Absent as Current;

        #[track_caller]
        pub(crate) fn only() -> Current {
            panic!(
                "anyrt: no backend is compiled in; add the feature `tokio`, `async-std`, `smol` or `sim` \
                 of the crate `anyrt` to the application"
            )
        }
    }
}
