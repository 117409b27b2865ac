//! Every promise on async-std.
#![cfg(feature = "async-std")]

anyrt_conformance::suite!(anyrt_tests::backend("async-std"));
