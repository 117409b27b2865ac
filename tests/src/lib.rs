//! What the integration tests in the folder `tests` share.
#![forbid(unsafe_code)]

use anyrt::Current;

/// The backend of this name, as the facade gives it.
///
/// The simulator takes its seed from the environment variable `ANYRT_SEED`, if that is set.
pub fn backend(name: &str) -> Current {
    #[cfg(feature = "sim")]
    if let ("sim", Some(seed)) = (name, seed()) {
        return anyrt::Sim::with_seed(seed).into();
    }
    match name.parse() {
        Ok(backend) => backend,
        Err(unknown) => panic!("{unknown}"),
    }
}

/// This backend, as the facade's own type: an enum, or the very same.
pub fn current(backend: impl Into<Current>) -> Current {
    backend.into()
}

#[cfg(feature = "sim")]
fn seed() -> Option<u64> {
    let seed = std::env::var("ANYRT_SEED").ok()?;
    match seed.parse() {
        Ok(seed) => Some(seed),
        Err(error) => panic!("ANYRT_SEED={seed}: {error}"),
    }
}
