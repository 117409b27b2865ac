//! Options that `#[anyrt::test]` does not understand.

#[anyrt::test(tokio)]
async fn a_backend_alone() {}

#[anyrt::test(backend = tokio)]
async fn the_option_of_main() {}

#[anyrt::test(worker_threads = 2)]
async fn the_option_of_another_crate() {}

#[anyrt::test("sim")]
async fn no_option() {}

#[anyrt::test(threads = 2, , seed = 7)]
async fn nothing_between_commas() {}

#[anyrt::test(seed = 7, threads = 2, seed = 8)]
async fn twice() {}

#[anyrt::test(backends(tokio, tokyo))]
async fn no_such_backend() {}

#[anyrt::test(backends(async-std))]
async fn the_name_of_the_feature() {}

#[anyrt::test(backends())]
async fn on_no_backend() {}

#[anyrt::test(backends = [tokio])]
async fn backends_in_another_form() {}

#[anyrt::test(backends(sim, smol, sim))]
async fn a_backend_twice() {}

#[anyrt::test(threads)]
async fn no_number() {}

#[anyrt::test(threads = "two")]
async fn a_number_in_words() {}

#[anyrt::test(threads = 0)]
async fn no_threads() {}

#[anyrt::test(seed = -1)]
async fn a_negative_seed() {}

#[anyrt::test(seed = SEED + 1)]
async fn a_computed_seed() {}

#[anyrt::test(seeds = 100)]
async fn a_number_of_seeds() {}

#[anyrt::test(seeds = 0..)]
async fn seeds_without_end() {}

#[anyrt::test(seeds = 7..7)]
async fn no_seed() {}

#[anyrt::test(seed = 7, seeds = 0..100)]
async fn a_seed_and_seeds() {}

#[anyrt::test(timeout = 5)]
async fn five_of_what() {}

#[anyrt::test(timeout = "5 days")]
async fn an_unknown_unit() {}

#[anyrt::test(crate = "anyrt")]
async fn a_path_in_quotes() {}

#[anyrt::test(backends(smol), seed = 7)]
async fn a_seed_without_the_simulator() {}

#[anyrt::test(backends(smol), seeds = 0..100)]
async fn seeds_without_the_simulator() {}

#[anyrt::test(backends(sim), threads = 2)]
async fn threads_on_the_simulator() {}

fn main() {}
