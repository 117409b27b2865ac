//! The contract of a backend, on which all else stands.
