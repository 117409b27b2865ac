//! Futures of ours dropped by code that knows nothing of us, and who adopts what is left.
