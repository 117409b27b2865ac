//! What only the simulator promises, and its side of the contract of `Backend`.

mod cancel_everywhere;
mod clock;
mod deadlock;
mod end;
mod explore;
mod kit;
mod limits;
mod misuse;
mod order;
mod panics;
mod policies;
mod report;
mod threads;
mod time;
mod turns;
