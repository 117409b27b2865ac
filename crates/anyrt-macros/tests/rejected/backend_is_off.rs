//! A backend whose feature is off.

#[anyrt::main(backend = async_std)]
async fn main() {}
