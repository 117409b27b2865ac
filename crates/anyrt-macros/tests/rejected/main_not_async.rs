//! A `main` that is not async.

#[anyrt::main(backend = smol)]
fn main() {}
