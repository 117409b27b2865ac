//! `#[anyrt::main]` makes an ordinary function, which the tests call.

#[cfg(feature = "tokio")]
mod on_tokio {
    use anyrt::{Backend, Current};

    /// The documentation stays outside.
    #[anyrt::main(backend = tokio, threads = 2)]
    pub(super) async fn program() -> Result<(&'static str, usize), std::num::ParseIntError> {
        let two = "2".parse::<usize>()?;
        let workers = tokio::runtime::Handle::current().metrics().num_workers();
        assert_eq!(workers, two);
        Ok((Current::current().expect("a run").name(), workers))
    }

    #[test]
    fn it_runs_on_the_backend_that_is_named() {
        assert_eq!(program(), Ok(("tokio", 2)));
    }
}

#[cfg(feature = "sim")]
mod on_the_simulator {
    use anyrt::{Backend, Current};

    #[anyrt::main(backend = sim, seed = 7)]
    async fn program() -> (&'static str, usize) {
        let first = super::super::planted::first_of_four().await;
        (Current::current().expect("a run").name(), first)
    }

    #[test]
    fn it_takes_the_seed() {
        let seed = std::env::var("ANYRT_SEED").map_or(7, |seed| seed.parse().unwrap());
        let first = super::super::planted::first_of_four();
        let first = anyrt::run_on(anyrt::Sim::with_seed(seed), first);
        assert_eq!(program(), ("sim", first));
    }
}

#[cfg(all(
    feature = "sim",
    not(any(feature = "tokio", feature = "async-std", feature = "smol"))
))]
mod on_the_only_one {
    use anyrt::{Backend, Current};

    #[anyrt::main]
    async fn program() -> &'static str {
        Current::current().expect("a run").name()
    }

    #[test]
    fn it_need_not_be_named() {
        assert_eq!(program(), "sim");
    }
}

/// It waits for everything, as `run` does.
#[cfg(feature = "smol")]
#[anyrt::main(backend = smol)]
async fn with_children() -> u32 {
    let sum = anyrt::task_group(async |g| {
        let (a, b) = (g.spawn(async { Ok::<_, ()>(1) }), g.spawn(async { Ok(2) }));
        Ok(a.await + b.await)
    });
    sum.await.unwrap()
}

#[cfg(feature = "smol")]
#[test]
fn its_children_are_tasks() {
    assert_eq!(with_children(), 3);
}
