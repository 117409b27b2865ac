//! `rstest` above the attribute: each case becomes a test on each backend.

use rstest::{fixture, rstest};

use super::this_program::listed;

#[fixture]
fn base() -> u32 {
    40
}

#[rstest]
#[case(1, 41)]
#[case::by_name(2, 42)]
#[anyrt::test]
async fn sums(base: u32, #[case] plus: u32, #[case] sum: u32) {
    assert_eq!(base + plus, sum);
}

#[rstest]
#[anyrt::test(timeout = "1h")]
async fn values(#[values(1, 2)] value: u32) -> Result<(), String> {
    (value < 3).then_some(()).ok_or("too large".into())
}

#[rstest]
#[should_panic(expected = "40")]
#[anyrt::test]
async fn panics(base: u32) {
    panic!("{base}");
}

#[test]
fn each_case_is_there_on_each_backend() {
    let count = anyrt::available().len();
    let sums = listed("parametrised::sums::");
    assert_eq!(sums.len(), 2 * count);
    assert!(
        sums.iter().any(|name| name.starts_with("case_2_by_name::")),
        "{sums:?}"
    );
    assert_eq!(listed("parametrised::values::").len(), 2 * count);
    assert_eq!(listed("parametrised::panics::").len(), count);
}
