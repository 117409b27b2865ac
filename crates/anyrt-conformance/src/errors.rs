//! What a group reports: errors, panics, and their order.
