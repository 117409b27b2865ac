//! Whether tokio's clock can be paused: only if something in the program has turned on tokio's feature `test-util`.
//!
//! A clock that can be paused belongs to its runtime, which has to be entered to read it. No `cfg` tells the features
//! of another crate, but `Builder::start_paused` exists with that one only, and where a type has a method of its own, a
//! trait's of the same name is not meant.

use tokio::runtime::Builder;

/// A constant, as far as the compiler is concerned.
pub(crate) fn can_be_paused() -> bool {
    // Named in full, the trait's method is used in any case, and no lint misses it.
    let _ = <Builder as WithoutPause>::start_paused;
    is_own(|builder| builder.start_paused(true))
}

/// Whether `call`, which is not made, calls a method of the builder itself: those give the builder back.
fn is_own<R: Given>(_call: fn(&'static mut Builder) -> R) -> bool {
    R::IS_BUILDER
}

trait Given {
    const IS_BUILDER: bool;
}

impl Given for &mut Builder {
    const IS_BUILDER: bool = true;
}

impl Given for () {
    const IS_BUILDER: bool = false;
}

trait WithoutPause {
    fn start_paused(&mut self, _: bool) {}
}

impl WithoutPause for Builder {}
