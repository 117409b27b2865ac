//! What the integration tests in the folder `tests` share.
#![forbid(unsafe_code)]

use anyrt::Current;

/// The backend of this name, as the facade gives it.
pub fn backend(name: &str) -> Current {
    match name.parse() {
        Ok(backend) => backend,
        Err(unknown) => panic!("{unknown}"),
    }
}
