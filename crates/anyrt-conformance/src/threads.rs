//! Calls into threads.
