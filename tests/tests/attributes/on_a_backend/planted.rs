//! Tests that fail where they are asked to, and what is said then.

use super::this_program::{is_planted, run_planted};

#[anyrt::test]
async fn an_error() -> Result<(), String> {
    if is_planted() {
        return Err("it is planted".into());
    }
    Ok(())
}

#[test]
fn an_error_fails_the_test_and_is_shown() {
    for backend in anyrt::available() {
        let path = format!("an_error::{}", backend.replace('-', "_"));
        let (passed, printed) = run_planted(&path, None);
        assert!(!passed, "{printed}");
        assert!(printed.contains("Error: \"it is planted\""), "{printed}");
    }
}

/// Which of four children comes first, as the scheduler likes.
#[cfg(feature = "sim")]
pub(super) async fn first_of_four() -> usize {
    let (sender, order) = std::sync::mpsc::channel();
    let done = anyrt::task_group(async |g| {
        for number in 0..4 {
            let sender = sender.clone();
            g.spawn(async move { sender.send(number).map_err(drop) });
        }
        Ok(())
    });
    done.await.expect("the receiver is there");
    order.recv().expect("four numbers")
}

#[cfg(feature = "sim")]
mod on_the_simulator {
    use super::super::this_program::run_planted_in;
    use super::*;
    use anyrt::Sim;

    #[anyrt::test(seed = 17, backends(sim))]
    async fn a_seed() {
        eprintln!("the first is {}", first_of_four().await);
    }

    #[anyrt::test(seeds = 10..30, backends(sim))]
    async fn seeds() {
        eprintln!("a run");
    }

    #[anyrt::test(seeds = 10..=30, backends(sim))]
    async fn seeds_to_the_last() {
        eprintln!("a run");
    }

    #[anyrt::test(seeds = 10..10_000)]
    async fn a_race() {
        let first = first_of_four().await;
        assert!(first != 3 || !is_planted(), "3 came first");
    }

    #[anyrt::test(seeds = 10..10_000, backends(sim))]
    async fn a_race_with_an_error() -> Result<(), usize> {
        match first_of_four().await {
            3 if is_planted() => Err(3),
            _ => Ok(()),
        }
    }

    #[anyrt::test(seeds = 10..10_000, backends(sim))]
    #[should_panic(expected = "3 came first")]
    async fn a_race_that_is_known() {
        let first = first_of_four().await;
        assert!(first != 3 && is_planted(), "3 came first");
    }

    fn first_with(seed: u64) -> usize {
        anyrt::run_on(Sim::with_seed(seed), first_of_four())
    }

    #[test]
    fn a_seed_names_the_order() {
        for (asked, seed) in [(None, 17), (Some(3), 3), (Some(4), 4), (Some(5), 5)] {
            let (passed, printed) = run_planted("on_the_simulator::a_seed::sim", asked);
            let expected = format!("the first is {}", first_with(seed));
            assert!(passed, "{printed}");
            let lines: Vec<_> = printed
                .lines()
                .filter_map(|line| line.find("the first is").map(|at| &line[at..]))
                .collect();
            assert_eq!(lines, [expected], "{printed}");
        }
    }

    #[test]
    fn there_is_a_run_for_each_seed() {
        let runs = |name: &str, asked| {
            let (passed, printed) = run_planted(&format!("on_the_simulator::{name}::sim"), asked);
            assert!(passed, "{printed}");
            printed.matches("a run").count()
        };
        assert_eq!(runs("seeds", None), 20);
        assert_eq!(runs("seeds_to_the_last", None), 21);
        assert_eq!(runs("seeds", Some(7)), 1);
    }

    #[test]
    fn the_first_seed_that_fails_is_named_and_can_be_replayed() {
        let failing = (10..)
            .find(|seed| first_with(*seed) == 3)
            .expect("it is a race");
        let passing = (10..)
            .find(|seed| first_with(*seed) != 3)
            .expect("it is a race");
        for (name, complaint) in [
            ("a_race", "3 came first"),
            ("a_race_with_an_error", "Error: 3"),
        ] {
            let path = format!("on_the_simulator::{name}::sim");
            let line = format!(
                "ANYRT_SEED={failing} cargo test -p anyrt-tests on_a_backend::planted::{path} -- --exact"
            );
            for asked in [None, Some(failing)] {
                let (passed, printed) = run_planted(&path, asked);
                assert!(!passed, "{printed}");
                assert!(printed.contains(complaint), "{printed}");
                assert!(printed.contains(&line), "{line}: {printed}");
            }
            let (passed, printed) = run_planted(&path, Some(passing));
            assert!(passed, "{printed}");
        }
    }

    #[test]
    fn a_schedule_goes_before_the_seed() {
        let failing = (10..)
            .find(|seed| first_with(*seed) == 3)
            .expect("it is a race");
        let path = "on_the_simulator::a_race::sim";
        let (passed, printed) = run_planted_in(path, Some(format!("{failing}:fifo")));
        assert!(passed, "{printed}");
        let (passed, printed) = run_planted_in(path, Some(format!("{failing}:often")));
        assert!(!passed, "{printed}");
        assert!(printed.contains("nor a seed with a schedule"), "{printed}");
    }

    #[test]
    fn where_a_panic_is_expected_one_seed_is_enough() {
        let path = "on_the_simulator::a_race_that_is_known::sim";
        let passing = (10..)
            .find(|seed| first_with(*seed) != 3)
            .expect("it is a race");
        let (passed, printed) = run_planted(path, None);
        assert!(passed, "{printed}");
        let (passed, printed) = run_planted(path, Some(passing));
        assert!(!passed, "{printed}");
    }
}
