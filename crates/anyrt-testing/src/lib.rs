//! The test kit of anyrt.
//!
//! Applications and libraries use it as `anyrt::testing`, with the feature `testing` of the facade, which fills in the
//! backend. The terms are those of the testing modules of trio and anyio.
//!
//! - [`wait_all_blocked`] waits until everything else waits; [`Sequencer`] forces an order between tasks.
//! - [`poll_once`], [`assert_pending!`] and [`assert_ready!`] poll a future by hand.
//! - [`memory_stream_pair`] makes a stream in memory; [`StreamOptions`] one that is slow or comes in small pieces.
//! - [`Faults`] make any stream go wrong now and then, by a seed.
//! - [`Network`] is a network in memory, with hosts that connect, latency, and wires that are cut and mended. [`Net`] is
//!   what code asks of it that runs on sockets, too.
//!
//! All of it runs on every backend, but [`wait_all_blocked`], which needs the simulator. Only there delays take no
//! real time, and only there a test that uses seeds does the same each time.
#![forbid(unsafe_code)]

mod wait_all_blocked;
mod sequencer;
mod poll;
mod clock;
mod delay;
mod chance;
mod link;
mod pipe;
mod memory_stream;
mod stream_options;
mod plan;
mod faulty;
mod faults;
mod net;
mod host_stream;
mod wires;
mod host_listener;
mod host;
mod network;

pub use crate::delay::Delay;
pub use crate::faults::Faults;
pub use crate::faulty::Faulty;
pub use crate::host::Host;
pub use crate::host_listener::HostListener;
pub use crate::host_stream::HostStream;
pub use crate::memory_stream::{MemoryStream, StreamControl};
pub use crate::net::{Listener, Net};
pub use crate::network::Network;
pub use crate::poll::poll_once;
#[doc(hidden)]
pub use crate::poll::{expect_ready, poll_now};
pub use crate::sequencer::{At, Sequencer, Turn};
pub use crate::stream_options::{StreamOptions, memory_stream_pair};
pub use crate::wait_all_blocked::{WaitAllBlocked, wait_all_blocked};
