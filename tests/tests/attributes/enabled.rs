//! The macros that tell other crates what is compiled into the facade tell the truth, in every build.

const HOW_MANY: &str = anyrt::__how_many!({ "none" } { "one" } { "several" });

const ENABLED: [(&str, bool); 4] = [
    ("tokio", anyrt::__tokio!({ true } { false })),
    ("async-std", anyrt::__async_std!({ true } { false })),
    ("smol", anyrt::__smol!({ true } { false })),
    ("sim", anyrt::__sim!({ true } { false })),
];

#[test]
fn each_backend_is_on_where_it_is_available() {
    for (name, enabled) in ENABLED {
        assert_eq!(enabled, anyrt::available().contains(&name), "{name}");
    }
}

#[test]
fn they_are_counted_up_to_several() {
    let expected = match anyrt::available() {
        [] => "none",
        [_] => "one",
        _ => "several",
    };
    assert_eq!(HOW_MANY, expected);
}
