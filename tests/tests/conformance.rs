//! Every promise on every backend that is compiled in.
//!
//! One binary, since the promises are generic: with several backends they are instances for the facade's enum,
//! and need to be compiled only once. With one backend they are instances for the bare backend.

#[cfg(feature = "tokio")]
mod tokio {
    anyrt_conformance::suite!(anyrt_tests::backend("tokio"));
}

#[cfg(feature = "tokio")]
mod tokio_current_thread {
    anyrt_conformance::suite!(anyrt_tests::current(anyrt::Tokio::current_thread()));
}

#[cfg(feature = "async-std")]
mod async_std {
    anyrt_conformance::suite!(anyrt_tests::backend("async-std"));
}

#[cfg(feature = "smol")]
mod smol {
    anyrt_conformance::suite!(anyrt_tests::backend("smol"));
}

#[cfg(feature = "sim")]
mod sim {
    anyrt_conformance::suite!(anyrt_tests::backend("sim"));
}
