//! Which tests an attribute makes, and what stays as it was.

use anyrt::task_group;

use super::this_program::{ignored, listed};

/// All that are compiled in, as tests are called.
fn backends() -> Vec<String> {
    let backends = anyrt::available().iter();
    let mut backends: Vec<_> = backends.map(|name| name.replace('-', "_")).collect();
    backends.sort();
    backends
}

#[test]
fn there_is_one_test_for_each_backend_that_is_compiled_in() {
    assert_eq!(listed("listed::plain::"), backends());
    assert_eq!(listed("listed::a_module::in_it::"), backends());
    assert_eq!(listed("listed::from_a_macro::"), backends());
    assert!(listed("listed::left_out").is_empty());
}

#[cfg(all(feature = "tokio", feature = "sim"))]
#[test]
fn there_is_one_test_for_each_backend_that_is_named() {
    assert_eq!(listed("listed::on_two::"), ["sim", "tokio"]);
}

#[test]
fn all_are_ignored_or_none() {
    assert_eq!(ignored("listed::left_for_later::"), backends());
    assert!(ignored("listed::plain::").is_empty());
}

#[anyrt::test]
#[ignore = "slow: in fact it is not, but there has to be one"]
async fn left_for_later() {}

#[anyrt::test]
async fn plain() {
    let two = task_group(async |g| {
        let one = g.spawn(async { Ok::<_, ()>(1) });
        Ok(one.await + 1)
    });
    assert_eq!(two.await, Ok(2));
}

#[cfg(all(feature = "tokio", feature = "sim"))]
#[anyrt::test(backends(tokio, sim))]
async fn on_two() {}

mod a_module {
    #[anyrt::test]
    pub(super) async fn in_it() {
        // Names mean here what they mean elsewhere in the module.
        use super::backends;
        assert!(!backends().is_empty());
    }

    #[anyrt::test]
    async fn calls_the_function_of_another_test() {
        in_it().await;
    }
}

macro_rules! make {
    ($(#[$attribute:meta])* $visibility:vis $name:ident -> $output:ty, $body:block) => {
        $(#[$attribute])*
        #[anyrt::test]
        $visibility async fn $name() -> $output $body
    };
}

make! {
    #[expect(unused_variables, reason = "attributes stay on the function")]
    pub(super) from_a_macro -> Result<(), std::num::ParseIntError>, {
        let seven: i32 = "7".parse()?;
        Ok(())
    }
}

#[cfg(any())]
#[anyrt::test]
async fn left_out_above() {}

#[anyrt::test]
#[cfg(any())]
async fn left_out_below() {}
