//! What is measured.

mod pieces;

mod groups;
mod borrowing;
mod growth;
mod limits;
mod cancelling;
mod threads;
mod facade;

use crate::case::Case;

/// By subject.
pub(crate) fn all() -> Vec<(&'static str, Vec<Case>)> {
    vec![
        ("Groups of tasks", groups::cases()),
        ("Groups in one task", borrowing::cases()),
        ("Many children", growth::cases()),
        ("Time limits, scopes and shields", limits::cases()),
        ("Cancelling", cancelling::cases()),
        ("Threads", threads::cases()),
        ("The facade", facade::cases()),
    ]
}
