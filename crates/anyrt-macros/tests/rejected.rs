//! What the attributes say where they are misused, and what they point at.
//!
//! Of the backends `smol` and `sim` are compiled in here. Where a message is to change,
//! `TRYBUILD=overwrite cargo test -p anyrt-macros -- --ignored` writes it anew.

#[test]
#[ignore = "slow: compiles a package of its own"]
fn misuse_is_explained() {
    trybuild::TestCases::new().compile_fail("tests/rejected/*.rs");
}
