//! Every promise on sim.
#![cfg(feature = "sim")]

anyrt_conformance::suite!(anyrt_tests::backend("sim"));
