//! Options that `#[anyrt::main]` does not understand.

#[anyrt::main(smol)]
async fn a_backend_alone() {}

#[anyrt::main(backend = "smol")]
async fn a_backend_in_quotes() {}

#[anyrt::main(backend = small)]
async fn no_such_backend() {}

#[anyrt::main(backends(smol, sim))]
async fn the_option_of_test() {}

#[anyrt::main(backend = smol, seed = 7)]
async fn a_seed_without_the_simulator() {}

#[anyrt::main(backend = sim, threads = 2)]
async fn threads_on_the_simulator() {}

#[anyrt::main(backend = smol)]
async fn main(arguments: Vec<String>) {}
