//! How the errors of a group print: as a tree, or on one line.

use std::fmt::{self, Display, Formatter, Write};
use std::mem::take;

use super::GroupError;

/// `{}` is a tree with a line for each error; `{:#}` is one line, and passes the `#` on to the errors.
impl<E: Display> Display for GroupError<E> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.heading(f)?;
        if f.alternate() {
            self.one_line(f)
        } else {
            self.tree(f)
        }
    }
}

impl<E: Display> GroupError<E> {
    /// What stands above the errors, or before them.
    fn heading(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let count = self.len();
        let errors = if count == 1 { "error" } else { "errors" };
        match &self.group {
            Some(name) => write!(f, "{count} {errors} in task group `{name}`"),
            None => write!(f, "{count} {errors} in a task group"),
        }
    }

    fn tree(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for error in self {
            f.write_str("\n- ")?;
            write!(Indented { out: f, breaks: 0 }, "{error}")?;
        }
        Ok(())
    }

    /// Brackets keep the errors of a group within a group apart from those after it.
    fn one_line(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (i, error) in self.iter().enumerate() {
            f.write_str(if i == 0 { ": [" } else { "; " })?;
            let mut line = OneLine {
                out: f,
                broken: false,
            };
            write!(line, "{error:#}")?;
        }
        f.write_char(']')
    }
}

/// Indents the lines of a message after its first, so that a group within a group prints as a tree.
struct Indented<'a, 'f> {
    out: &'a mut Formatter<'f>,
    /// Line breaks to be written when something comes after them.
    breaks: usize,
}

impl Write for Indented<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for (i, line) in text.split('\n').enumerate() {
            self.breaks += usize::from(i > 0);
            if line.is_empty() {
                continue;
            }
            if self.breaks > 0 {
                for _ in 0..take(&mut self.breaks) {
                    self.out.write_char('\n')?;
                }
                self.out.write_str("  ")?;
            }
            self.out.write_str(line)?;
        }
        Ok(())
    }
}

/// Makes one space of a line break and of the blanks after it.
struct OneLine<'a, 'f> {
    out: &'a mut Formatter<'f>,
    broken: bool,
}

impl Write for OneLine<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for c in text.chars() {
            self.broken |= matches!(c, '\n' | '\r');
            if self.broken && c.is_whitespace() {
                continue;
            }
            if take(&mut self.broken) {
                self.out.write_char(' ')?;
            }
            self.out.write_char(c)?;
        }
        Ok(())
    }
}
