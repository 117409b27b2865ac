//! Shields and holds: what is not interrupted, and who waits.
