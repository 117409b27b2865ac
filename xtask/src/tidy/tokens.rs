//! The words of a Rust file, without comments, strings and characters.
//!
//! Just enough of a lexer that a rule is never fooled by what a comment or a test's string says.

use std::iter;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token<'a> {
    /// An identifier or number, `::`, or a single other character.
    pub(super) text: &'a str,
    pub(super) line: usize,
}

pub(super) fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut rest = text;
    let mut line = 1;
    while !rest.is_empty() {
        let skipped = skipped(rest);
        let (taken, left) = rest.split_at(skipped.unwrap_or_else(|| token(rest)));
        if skipped.is_none() {
            tokens.push(Token { text: taken, line });
        }
        line += taken.matches('\n').count();
        rest = left;
    }
    tokens
}

/// The length of the blank, comment, string or the like that `rest` starts with.
fn skipped(rest: &str) -> Option<usize> {
    let first = rest.chars().next()?;
    match first {
        '/' if rest.starts_with("//") => Some(rest.find('\n').unwrap_or(rest.len())),
        '/' if rest.starts_with("/*") => Some(block_comment(rest)),
        '"' => Some(quoted(rest, '"')),
        '\'' => Some(character_or_lifetime(rest)),
        'b' | 'c' | 'r' => raw_string(rest),
        _ => first.is_whitespace().then_some(first.len_utf8()),
    }
}

/// The length of the token that `rest` starts with.
fn token(rest: &str) -> usize {
    let single = rest.chars().next().map_or(0, char::len_utf8);
    if rest.starts_with("::") {
        2
    } else {
        word(rest).max(single)
    }
}

/// The place after the bracket that closes the one at `open`; braces, brackets and parentheses count alike.
pub(super) fn after_group(tokens: &[Token<'_>], open: usize) -> usize {
    let mut depth = 0;
    for (place, token) in tokens.iter().enumerate().skip(open) {
        match token.text {
            "{" | "[" | "(" => depth += 1,
            "}" | "]" | ")" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return place + 1;
        }
    }
    tokens.len()
}

/// What is compiled into the library: all but the items under `#[cfg(test)]`.
pub(super) fn outside_tests<'a>(tokens: &[Token<'a>]) -> Vec<Token<'a>> {
    let mut kept = Vec::new();
    let mut place = 0;
    while place < tokens.len() {
        if is_test_only(&tokens[place..]) {
            place = after_item(tokens, place);
        } else {
            kept.push(tokens[place]);
            place += 1;
        }
    }
    kept
}

/// Whether this is `#[cfg(test)]`, or a longer condition that asks for it, such as `#[cfg(all(test, loom))]`.
fn is_test_only(tokens: &[Token<'_>]) -> bool {
    let texts = || tokens.iter().map(|token| token.text);
    let condition = || texts().take(after_group(tokens, 3)).skip(4);
    texts().take(4).eq(["#", "[", "cfg", "("])
        && condition().any(|text| text == "test")
        && !condition().any(|text| text == "not" || text == "any")
}

/// The place after the item at `place`: after its `;` or its `{..}`, whichever comes first.
fn after_item(tokens: &[Token<'_>], mut place: usize) -> usize {
    while let Some(token) = tokens.get(place) {
        match token.text {
            ";" => return place + 1,
            "{" => return after_group(tokens, place),
            // The end of what is around it: the item was a field or a variant.
            "}" => return place,
            "(" | "[" => place = after_group(tokens, place),
            _ => place += 1,
        }
    }
    place
}

/// The length of the identifier or number that `rest` starts with, 0 if there is none.
fn word(rest: &str) -> usize {
    let ends = |character: char| character != '_' && !character.is_alphanumeric();
    rest.find(ends).unwrap_or(rest.len())
}

/// Block comments nest.
fn block_comment(rest: &str) -> usize {
    let mut depth = 0;
    let mut place = 0;
    while place < rest.len() {
        let here = &rest.as_bytes()[place..];
        match () {
            () if here.starts_with(b"/*") => (depth, place) = (depth + 1, place + 2),
            () if here.starts_with(b"*/") => (depth, place) = (depth - 1, place + 2),
            () => place += 1,
        }
        if depth == 0 {
            break;
        }
    }
    place
}

/// The length of what stands between two `quote`s, and of these.
fn quoted(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (place, character) in rest.char_indices().skip(1) {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if character == quote => return place + 1,
            _ => {}
        }
    }
    rest.len()
}

fn character_or_lifetime(rest: &str) -> usize {
    let mut after = rest.chars().skip(1);
    match (after.next(), after.next()) {
        (Some('\\'), _) | (_, Some('\'')) => quoted(rest, '\''),
        _ => 1 + word(&rest[1..]),
    }
}

/// `r".."`, `br#".."#` and their like; the other prefixes need no care.
fn raw_string(rest: &str) -> Option<usize> {
    let after = rest
        .strip_prefix(['b', 'c'])
        .unwrap_or(rest)
        .strip_prefix('r')?;
    let body = after.trim_start_matches('#').strip_prefix('"')?;
    let hashes = after.len() - body.len() - 1;
    let end: String = iter::once('"').chain(iter::repeat_n('#', hashes)).collect();
    let length = body
        .find(&end)
        .map_or(body.len(), |found| found + end.len());
    Some(rest.len() - body.len() + length)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> String {
        join(&tokens(text))
    }

    fn join(tokens: &[Token<'_>]) -> String {
        tokens
            .iter()
            .map(|token| token.text)
            .collect::<Vec<_>>()
            .join(" ")
    }

    #[test]
    fn comments_are_left_out() {
        assert_eq!(words("a // b\nc /* d /* e */ f */ g /// h"), "a c g");
    }

    #[test]
    fn strings_and_characters_are_left_out() {
        assert_eq!(
            words(r##"a "b \" c" r"d\" e r#"f " g"# h b'"' i '\'' j '"' k br"l" m"##),
            "a e h b i j k m"
        );
    }

    #[test]
    fn lifetimes_and_raw_names_are_no_strings() {
        assert_eq!(
            words("fn r#fn<'a>(b: &'a str) -> r { 'é' }"),
            "fn r # fn < > ( b : & str ) - > r { }"
        );
    }

    #[test]
    fn lines_count_from_one_through_comments_and_strings() {
        let lines: Vec<_> = tokens("a /*\n*/ b \"\n\n\" c")
            .iter()
            .map(|token| token.line)
            .collect();
        assert_eq!(lines, [1, 2, 4]);
    }

    #[test]
    fn items_for_tests_are_left_out() {
        let kept = |text| join(&outside_tests(&tokens(text)));
        assert_eq!(kept("a #[cfg(test)] mod b { c {} } d"), "a d");
        assert_eq!(
            kept("a #[cfg(all(test, loom))] #[x] fn b(c: [u8; 1]) { d } e"),
            "a e"
        );
        assert_eq!(kept("a #[cfg(test)] use b; c"), "a c");
        assert_eq!(kept("a { b, #[cfg(test)] c: D } e"), "a { b , } e");
        assert_eq!(kept("#[cfg(not(test))] a"), "# [ cfg ( not ( test ) ) ] a");
    }
}
