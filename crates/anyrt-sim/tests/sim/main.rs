//! What only the simulator promises, and its side of the contract of `Backend`.

mod deadlock;
mod end;
mod kit;
mod misuse;
mod order;
mod panics;
mod threads;
mod time;
