//! The backend features of the facade, by which the several builds are told apart.

/// As they are called in the manifests of `anyrt` and of `anyrt-tests`.
pub(crate) const BACKENDS: [&str; 4] = ["tokio", "async-std", "smol", "sim"];
