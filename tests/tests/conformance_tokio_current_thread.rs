//! Every promise on tokio's current-thread flavour.
#![cfg(feature = "tokio")]

anyrt_conformance::suite!(anyrt::Current::from(anyrt::Tokio::current_thread()));
