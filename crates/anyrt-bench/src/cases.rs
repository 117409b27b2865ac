//! What is measured.

mod borrowing;

use crate::case::Case;

pub(crate) fn all() -> Vec<Case> {
    borrowing::cases()
}
