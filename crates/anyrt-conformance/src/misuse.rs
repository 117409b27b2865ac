//! Wrong use: a clear error or panic, never a hang.
