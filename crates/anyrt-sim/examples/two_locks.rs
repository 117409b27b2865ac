//! Two transfers lock two accounts in opposite order, and wait for each other for ever.

use std::sync::Arc;
use std::time::Duration;

use anyrt_core::{GroupOptions, run, sleep};
use anyrt_sim::Sim;
use async_lock::Mutex;

type Account = Arc<Mutex<i64>>;

async fn transfer(from: Account, to: Account, amount: i64) -> Result<(), &'static str> {
    let mut from = from.lock().await;
    sleep::<Sim>(Duration::from_millis(10)).await; // asks the bank
    let mut to = to.lock().await;
    *from -= amount;
    *to += amount;
    Ok(())
}

pub(crate) fn main() {
    run(&Sim::default(), async {
        let (alice, bob) = (Account::default(), Account::default());
        let bank = GroupOptions::<Sim, _>::new().name("bank").run(async |g| {
            g.spawn_named("alice to bob", transfer(alice.clone(), bob.clone(), 5));
            g.spawn_named("bob to alice", transfer(bob, alice, 7));
            Ok(())
        });
        bank.await.unwrap();
    });
}
