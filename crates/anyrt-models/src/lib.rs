//! Models of the concurrent state, which loom runs in all interleavings; they are in `tests`.
//!
//! A model takes the source of a file of the core as it is, and gives it loom's locks instead of std's.
#![forbid(unsafe_code)]
