//! Errors in the function itself are the compiler's own, and point into it.

#[anyrt::main(backend = smol)]
async fn main() -> Result<(), String> {
    let number: u32 = "7";
    Ok(())
}
