//! What the test kit promises, on the simulator.

mod support;

mod blocked;
mod faults;
mod hosts;
mod parted;
mod polls;
mod sequences;
mod streams;
