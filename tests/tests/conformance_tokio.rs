//! Every promise on tokio.
#![cfg(feature = "tokio")]

anyrt_conformance::suite!(anyrt_tests::backend("tokio"));
