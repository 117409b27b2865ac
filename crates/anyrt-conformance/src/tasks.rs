//! Handles of children: what awaiting gives, and what dropping does.
