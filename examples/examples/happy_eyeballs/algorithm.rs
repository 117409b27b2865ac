//! The algorithm alone: what is connected to, and how, is the affair of the caller.

use std::io::{Error, ErrorKind};
use std::sync::OnceLock;
use std::time::Duration;

use anyrt::{GroupError, GroupOptions, move_on_after};

/// How long an attempt is alone before the next one begins; the recommendation of RFC 8305.
pub(crate) const STAGGER: Duration = Duration::from_millis(250);

/// Connects to the first of `addresses` that answers, which stand in the order of preference.
///
/// An attempt begins when the one before it has failed, or after `stagger`. The first connection wins; when it is
/// given back, all other attempts have ended. If there is none, the error holds those of all attempts.
pub(crate) async fn happy_eyeballs<'a, A, S, C, F>(
    addresses: &'a [A],
    stagger: Duration,
    connect: C,
) -> Result<S, GroupError<Error>>
where
    A: Sync,
    S: Send + Sync,
    C: Fn(&'a A) -> F + Sync,
    F: Future<Output = Result<S, Error>> + Send,
{
    // Outside of the group: some attempts may fail before one wins, and then the group has errors, but no value.
    let first = OnceLock::new();
    let (winner, connect) = (&first, &connect);
    // Without supervision the first failure would cancel the attempts that may still win.
    let options = GroupOptions::new().name("happy eyeballs").supervise();
    let attempts = options.run_scoped(async |g| {
        if addresses.is_empty() {
            return Err(Error::new(ErrorKind::AddrNotAvailable, "no addresses"));
        }
        for address in addresses {
            let group = g.clone();
            let attempt = g.spawn(async move {
                let connection = connect(address).await?;
                // Another one may win in the same moment; the first one stays.
                winner.set(connection).ok();
                group.cancel();
                Ok(())
            });
            // An attempt that has failed has an outcome, too, and one that was cancelled because another has won.
            move_on_after(stagger, attempt.outcome()).await;
            if winner.get().is_some() {
                break;
            }
        }
        Ok(())
    });
    let errors = attempts.await;
    match first.into_inner() {
        Some(connection) => Ok(connection),
        None => Err(errors.expect_err("an attempt without a connection has an error")),
    }
}
