//! Numbers and durations, from how they are written.

/// The value of an integer literal: `17`, `1_000`, `0xff`, `17_u64`.
pub(crate) fn integer(text: &str) -> Option<u64> {
    let digits = text.replace('_', "");
    let (digits, radix) = match digits.get(..2) {
        Some("0x") => (&digits[2..], 16),
        Some("0o") => (&digits[2..], 8),
        Some("0b") => (&digits[2..], 2),
        _ => (&*digits, 10),
    };
    let digits = ["u64", "usize", "u32"]
        .iter()
        .find_map(|suffix| digits.strip_suffix(suffix))
        .unwrap_or(digits);
    u64::from_str_radix(digits, radix).ok()
}

/// The milliseconds in a string literal such as `"5s"`, `"500ms"`, `"2m"` or `"1h"`; at least one.
pub(crate) fn milliseconds(literal: &str) -> Option<u64> {
    let text = literal.strip_prefix('"')?.strip_suffix('"')?;
    let unit = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(unit);
    let factor = match unit.trim_start() {
        "ms" => 1,
        "s" => 1_000,
        "m" | "min" => 60_000,
        "h" => 3_600_000,
        _ => return None,
    };
    let number: u64 = number.parse().ok()?;
    number.checked_mul(factor).filter(|ms| *ms > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_read_as_rust_reads_them() {
        for (text, value) in [
            ("0", 0),
            ("17", 17),
            ("1_000", 1_000),
            ("0xff", 255),
            ("0xff_u64", 255),
            ("0b11", 3),
            ("0o17", 15),
            ("18446744073709551615", u64::MAX),
        ] {
            assert_eq!(integer(text), Some(value), "{text}");
        }
        for text in ["1.5", "\"7\"", "'7'", "7i32", "18446744073709551616", "0x"] {
            assert_eq!(integer(text), None, "{text}");
        }
    }

    #[test]
    fn durations_have_a_unit() {
        for (text, value) in [
            ("\"5s\"", 5_000),
            ("\"500ms\"", 500),
            ("\"500 ms\"", 500),
            ("\"2m\"", 120_000),
            ("\"2min\"", 120_000),
            ("\"1h\"", 3_600_000),
        ] {
            assert_eq!(milliseconds(text), Some(value), "{text}");
        }
        for text in [
            "5",
            "\"5\"",
            "\"s\"",
            "\"\"",
            "\"0s\"",
            "\"-5s\"",
            "\"1.5s\"",
            "\"5 days\"",
            "\"18446744073709551615h\"",
        ] {
            assert_eq!(milliseconds(text), None, "{text}");
        }
    }
}
