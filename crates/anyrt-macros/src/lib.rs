//! The attributes `#[anyrt::test]` and `#[anyrt::main]`; their place is the crate `anyrt`.
#![forbid(unsafe_code)]

mod error;
mod tokens;
mod literal;
mod template;
mod backend;
mod argument;
mod options;
mod function;
mod expand_test;
mod expand_main;

use proc_macro::TokenStream;

/// Makes of one `async fn` a test on each backend that is compiled in.
///
/// The function stays as it is. Beside it comes a module of its name with the tests, so that below they are called
/// `it_adds_up::tokio`, `it_adds_up::async_std`, `it_adds_up::smol` and `it_adds_up::sim`. `cargo test it_adds_up` runs
/// all of them, `cargo test ::sim` all that run on the simulator. They run like the body of `run_on`: a test is over
/// when everything that was started in it has ended.
///
/// Which backends there are is a matter of the features of `anyrt`, for tests mostly under `[dev-dependencies]`.
/// Without any it is an error of the compiler.
///
/// ```test_harness
/// use std::time::Duration;
/// use anyrt::{sleep, task_group};
///
/// #[anyrt::test]
/// async fn it_adds_up() {
///     let sum = task_group(async |g| {
///         let a = g.spawn(async {
///             sleep(Duration::from_millis(5)).await;
///             Ok::<_, ()>(1)
///         });
///         Ok(a.await + 2)
///     });
///     assert_eq!(sum.await, Ok(3));
/// }
/// ```
///
/// The function has no parameters, and no caller but the tests. It may return whatever a `main` may: `()`, a `Result`,
/// an `ExitCode`, or another `Termination`. `#[ignore]` and `#[should_panic]` are for the tests; all other attributes
/// stay on the function. A module or type beside it cannot have its name, since the module of the tests has it; and a
/// test that has the name of a crate hides that.
///
/// It works with cargo and with nextest, to which these are ordinary tests. `rstest` works if it stands *above*: then
/// each case is a test on each backend, called `name::case_1::sim`. Other crates that write a test's attribute
/// anew for each case should work in the same place.
///
/// These options may stand in the parentheses, in any order:
///
/// - `backends(tokio, sim)`: on these only. Here a backend that is not compiled in is an error, as a test that is silently
///   left out would be a trap. Where a backend is a feature of your own, `#[cfg(feature = "sim")]` leaves the test out.
/// - `threads = 2`: so many worker threads, besides the thread of the test, on tokio and smol; by default one for each
///   core. The executor of async-std is that of the process, and the simulator has one thread.
/// - `seed = 7`: of the simulator, which chooses the order of everything by it; 0 by default. It means nothing elsewhere.
/// - `seeds = 0..100`: on the simulator one run for each of these, up to the first that fails; elsewhere one run. The
///   message names the seed, and the line that runs it alone. With `#[should_panic]`, one seed that panics is enough.
/// - `timeout = "5s"`: the test fails if it takes longer; `ms`, `s`, `m` and `h` are known. On the simulator the time
///   is virtual. It is a `fail_after` around the body: it waits for what a cancellation waits for, and cannot interrupt
///   a thread that is blocked.
/// - `crate = path::to::anyrt`: if `anyrt` has another name here.
///
/// With `ANYRT_SEED=17` in the environment a test on the simulator has one run, with this seed, whatever the options
/// say. It may also be an order of events that `explore` has found, such as `17:3.1,12.2`.
///
/// # Panics
///
/// The tests panic if the function does, and if the time is over. A failing test on the simulator says with which seed.
///
/// # Examples
///
/// ```test_harness
/// use std::time::Duration;
/// use anyrt::{Elapsed, fail_after, sleep};
///
/// #[anyrt::test(backends(sim), seeds = 0..100, timeout = "1h")]
/// async fn patience_is_a_matter_of_the_clock() -> Result<(), Elapsed> {
///     fail_after(Duration::from_secs(3_599), sleep(Duration::from_secs(3_598))).await
/// }
///
/// #[anyrt::test(timeout = "10ms")]
/// #[should_panic(expected = "has not ended within 10ms")]
/// async fn nobody_waits_for_ever() {
///     std::future::pending().await
/// }
/// ```
#[proc_macro_attribute]
pub fn test(attribute: TokenStream, item: TokenStream) -> TokenStream {
    expand_test::expand(attribute, item.clone()).unwrap_or_else(|error| {
        // With the function, so that editors still know what is in it.
        let template = "$error #[cfg(test)] $item";
        template::fill(template, &[("error", error.tokens()), ("item", item)])
    })
}

/// Makes of an `async fn`, mostly `main`, a function that starts a backend and runs it there.
///
/// It is short for `run_on`: when the function returns, all that was started in it has ended. It has no parameters, and
/// returns what it likes; from `main` that may be a `Result`, as ever.
///
/// If exactly one backend is compiled in, it need not be named, and the feature in `Cargo.toml` alone says what the
/// program runs on. But then another package in the same build can turn on a second one, and that is an error of the
/// compiler. A program that is part of a larger workspace had better name its own.
///
/// These options may stand in the parentheses, in any order:
///
/// - `backend = tokio`, `async_std`, `smol` or `sim`. It is an error if that is not compiled in.
/// - `threads = 4`: so many worker threads, besides the thread of `main`, on tokio and smol; by default one for each core.
///   It means nothing on the others.
/// - `seed = 7`: of the simulator, 0 by default. `ANYRT_SEED=17` in the environment beats it.
/// - `crate = path::to::anyrt`: if `anyrt` has another name here.
///
/// Where the choice is the user's, as an argument of the command line, call `run_on` from an ordinary `main`.
///
/// # Panics
///
/// The function panics if the body does, and if it is called inside a run.
///
/// # Examples
///
/// ```
/// use std::num::ParseIntError;
/// use anyrt::{FirstError, task_group};
///
/// #[anyrt::main(backend = smol)]
/// async fn main() -> Result<(), ParseIntError> {
///     let sum = task_group(async |g| {
///         let a = g.spawn(async { "1".parse::<u32>() });
///         let b = g.spawn(async { "2".parse::<u32>() });
///         Ok(a.await + b.await)
///     });
///     assert_eq!(sum.await.first_error()?, 3);
///     Ok(())
/// }
/// ```
#[proc_macro_attribute]
pub fn main(attribute: TokenStream, item: TokenStream) -> TokenStream {
    expand_main::expand(attribute, item.clone()).unwrap_or_else(|error| {
        // Otherwise there are two errors more: that `main` is async, or that there is none.
        let name = function::name(item);
        let main = name.map(|name| template::fill("fn $name() {}", &[("name", name)]));
        [error.tokens(), main.unwrap_or_default()]
            .into_iter()
            .collect()
    })
}
