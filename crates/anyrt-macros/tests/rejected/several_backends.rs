//! Two backends are compiled in, and neither is named.

#[anyrt::main]
async fn main() {}
