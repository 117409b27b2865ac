//! Cancel scopes: who is cancelled, who catches, and why.
