//! Every promise on smol.
#![cfg(feature = "smol")]

anyrt_conformance::suite!(anyrt_tests::backend("smol"));
