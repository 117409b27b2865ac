//! Functions that `#[anyrt::test]` cannot call.

#[anyrt::test]
fn not_async() {}

#[anyrt::test]
const async fn not_plain() {}

#[anyrt::test]
async fn with_arguments(number: u32, text: &str) {}

#[anyrt::test]
async fn with_generics<T: Default>() {}

#[anyrt::test]
async fn with_bounds()
where
    String: Clone,
{
}

#[anyrt::test]
struct NotAFunction;

#[anyrt::test]
async fn without_a_body();

#[anyrt::test]
#[should_panic]
async fn a_panic_and_a_value() -> Result<(), String> {
    Ok(())
}

#[anyrt::test]
#[test]
async fn another_test() {}

#[anyrt::test]
#[rstest]
#[case(1)]
async fn cases_below(#[case] number: u32) {}

fn main() {}
