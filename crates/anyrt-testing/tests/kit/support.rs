//! What the tests share.

use std::any::Any;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use anyrt_core::now;
use anyrt_sim::Sim;
use futures::{AsyncRead, AsyncReadExt};

/// How many orders are tried where the order matters.
pub(crate) const SEEDS: std::ops::Range<u64> = 0..50;

pub(crate) const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

pub(crate) fn run<F: Future>(main: F) -> F::Output {
    run_with(0, main)
}

pub(crate) fn run_with<F: Future>(seed: u64, main: F) -> F::Output {
    anyrt_core::run(&Sim::with_seed(seed), main)
}

/// The time that `future` takes, and its value.
pub(crate) async fn timed<F: Future>(future: F) -> (F::Output, Duration) {
    let start = now::<Sim>();
    let output = future.await;
    (output, now::<Sim>() - start)
}

/// All that is left, or why there is no end.
pub(crate) async fn rest(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<String> {
    let mut rest = String::new();
    stream.read_to_string(&mut rest).await?;
    Ok(rest)
}

/// What it came to, as tests compare it.
pub(crate) fn kind<T>(result: io::Result<T>) -> Result<T, io::ErrorKind> {
    result.map_err(|error| error.kind())
}

/// The message of the panic.
pub(crate) fn panic_of<T>(f: impl FnOnce() -> T) -> String {
    match catch_unwind(AssertUnwindSafe(f)) {
        Ok(_) => panic!("there was no panic"),
        Err(payload) => message(&*payload),
    }
}

fn message(payload: &(dyn Any + Send)) -> String {
    match payload.downcast_ref::<String>() {
        Some(message) => message.clone(),
        None => (*payload.downcast_ref::<&str>().expect("a message")).to_owned(),
    }
}
