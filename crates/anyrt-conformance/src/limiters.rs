//! Limiters: who gets a token, and when it is back.
