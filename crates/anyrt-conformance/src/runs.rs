//! Whole runs: their beginning and their end.
