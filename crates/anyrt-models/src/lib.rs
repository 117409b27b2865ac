//! Models of the concurrent state; they are in `tests`.
//!
//! A model with loom takes one file of the core as it is, gives it loom's locks instead of std's, and runs it in all
//! interleavings. This library is the whole core on shuttle's locks, atomics, threads and thread-locals, in the place of
//! std's; tests run it in many interleavings, by chance.
#![forbid(unsafe_code)]
#![expect(
    clippy::all,
    reason = "the core is read where it is; here its locks are larger"
)]

mod instead;
include!(concat!(env!("OUT_DIR"), "/core/lib.rs"));

mod one_thread_each;
pub mod explore;

pub use one_thread_each::{Handle, OneThreadEach};
