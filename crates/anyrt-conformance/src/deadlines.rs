//! Deadlines and time limits.
