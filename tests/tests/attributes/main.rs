//! `#[anyrt::test]` and `#[anyrt::main]`: what they make, and what each option does.

mod enabled;

#[cfg(any(
    feature = "tokio",
    feature = "async-std",
    feature = "smol",
    feature = "sim"
))]
mod on_a_backend {
    mod this_program;

    mod listed;
    mod main_function;
    mod options;
    mod parametrised;
    mod planted;
}
