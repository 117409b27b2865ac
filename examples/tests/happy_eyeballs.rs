//! What the example `happy_eyeballs` promises: the program, and its algorithm by itself.

use std::io::{Error, ErrorKind};
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{LazyLock, Mutex};
use std::time::Duration;

use algorithm::{STAGGER, happy_eyeballs};
use anyrt::{GroupError, Sim, fail_after, finally, now, sleep};
use example::{Said, said};

#[path = "../examples/happy_eyeballs/algorithm.rs"]
mod algorithm;
#[path = "support/example.rs"]
mod example;

static HAPPY_EYEBALLS: LazyLock<PathBuf> = LazyLock::new(|| example::build("happy_eyeballs"));

fn program(args: &str) -> Said {
    said(Command::new(&*HAPPY_EYEBALLS).args(args.split_whitespace()))
}

/// After how many milliseconds an attempt ends, and whether there is a connection then.
type Attempt = (u64, Result<(), ErrorKind>);

const REFUSED: Result<(), ErrorKind> = Err(ErrorKind::ConnectionRefused);
const HOUR: u64 = 3_600_000;

/// What came of some attempts on the simulator.
#[derive(Debug, PartialEq, Eq)]
struct Report {
    /// Which attempt has won, or how all of them have failed, in the order of time.
    result: Result<usize, Vec<ErrorKind>>,
    /// After how many milliseconds that was known.
    after: u64,
    /// When each attempt began that did.
    begun: Vec<u64>,
}

fn attempt(attempts: &[Attempt]) -> Report {
    anyrt::run_on(Sim::default(), async {
        let begin = now();
        let millis = || u64::try_from((now() - begin).as_millis()).unwrap();
        let begun = Mutex::new(Vec::new());
        let numbers: Vec<_> = (0..attempts.len()).collect();
        let result = happy_eyeballs(&numbers, STAGGER, async |&number| {
            begun.lock().unwrap().push(millis());
            let (delay, end) = attempts[number];
            sleep(Duration::from_millis(delay)).await;
            end.map(|()| number).map_err(Error::from)
        });
        let kinds = |errors: GroupError<Error>| errors.iter().map(Error::kind).collect();
        Report {
            result: result.await.map_err(kinds),
            after: millis(),
            begun: begun.into_inner().unwrap(),
        }
    })
}

fn report(result: Result<usize, Vec<ErrorKind>>, after: u64, begun: &[u64]) -> Report {
    let begun = begun.to_vec();
    Report {
        result,
        after,
        begun,
    }
}

#[test]
fn the_first_attempt_is_alone_if_it_is_fast() {
    let attempts = [(200, Ok(())), (1, Ok(()))];
    assert_eq!(attempt(&attempts), report(Ok(0), 200, &[0]));
}

#[test]
fn the_second_attempt_begins_after_a_while_and_may_win() {
    let attempts = [(HOUR, Ok(())), (30, Ok(())), (1, Ok(()))];
    assert_eq!(attempt(&attempts), report(Ok(1), 280, &[0, 250]));
}

#[test]
fn the_first_attempt_may_still_win_when_others_have_begun() {
    let attempts = [(600, Ok(())), (HOUR, Ok(())), (HOUR, Ok(())), (1, Ok(()))];
    assert_eq!(attempt(&attempts), report(Ok(0), 600, &[0, 250, 500]));
}

#[test]
fn a_failure_begins_the_next_attempt_at_once() {
    let attempts = [(20, REFUSED), (30, REFUSED), (40, Ok(()))];
    assert_eq!(attempt(&attempts), report(Ok(2), 90, &[0, 20, 50]));
}

#[test]
fn if_all_fail_there_are_all_errors_in_the_order_of_time() {
    let attempts = [
        (400, Err(ErrorKind::TimedOut)),
        (20, REFUSED),
        (50, Err(ErrorKind::HostUnreachable)),
    ];
    let errors = vec![
        ErrorKind::ConnectionRefused,
        ErrorKind::HostUnreachable,
        ErrorKind::TimedOut,
    ];
    assert_eq!(attempt(&attempts), report(Err(errors), 400, &[0, 250, 270]));
}

#[test]
fn without_addresses_there_is_an_error_that_says_so() {
    let errors = vec![ErrorKind::AddrNotAvailable];
    assert_eq!(attempt(&[]), report(Err(errors), 0, &[]));
}

#[test]
fn of_two_that_win_in_the_same_moment_one_is_taken() {
    let attempts = [(300, Ok(())), (50, Ok(()))];
    let Report { result, after, .. } = attempt(&attempts);
    assert!(matches!(result, Ok(0 | 1)), "{result:?}");
    assert_eq!(after, 300);
}

/// Attempts that take an hour and then some time to clean up; gives how many are open when all is over.
async fn open_after(winner: Option<usize>, limit: Duration) -> (Option<usize>, u32) {
    let open = AtomicU32::new(0);
    let connect = async |number: &usize| {
        open.fetch_add(1, Relaxed);
        let attempt = async {
            let is_winner = winner == Some(*number);
            sleep(Duration::from_millis(if is_winner { 10 } else { HOUR })).await;
            Ok(*number)
        };
        let cleanup = async || {
            sleep(Duration::from_millis(70)).await;
            open.fetch_sub(1, Relaxed);
        };
        finally(attempt, cleanup).await
    };
    let numbers = [0, 1, 2];
    let result = fail_after(limit, happy_eyeballs(&numbers, STAGGER, connect)).await;
    (result.ok().map(Result::unwrap), open.load(Relaxed))
}

#[test]
fn the_losers_have_cleaned_up_when_the_winner_is_given_back() {
    let said = anyrt::run_on(Sim::default(), open_after(Some(2), Duration::from_secs(10)));
    assert_eq!(said, (Some(2), 0));
}

#[test]
fn all_have_cleaned_up_after_a_cancellation_from_outside() {
    for millis in [0, 1, 249, 250, 251, 600] {
        let said = anyrt::run_on(
            Sim::default(),
            open_after(None, Duration::from_millis(millis)),
        );
        assert_eq!(said, (None, 0), "after {millis} ms");
    }
}

#[test]
fn the_future_may_be_spawned() {
    fn assert_send<T: Send>(value: T) -> T {
        value
    }
    let addresses = ["a"];
    drop(assert_send(happy_eyeballs(
        &addresses,
        STAGGER,
        |address| async move { Ok(*address) },
    )));
}

#[test]
fn on_the_simulator_it_says_when_what_happens() {
    let said = program("--backend sim");
    let expected = "\
on sim
   0 ms  2001:db8::1: connecting
 250 ms  2001:db8::2: connecting
 270 ms  2001:db8::2: refused
 270 ms  192.0.2.1: connecting
 330 ms  192.0.2.1: connected
 330 ms  2001:db8::1: given up
connected to 192.0.2.1
";
    assert_eq!((said.out.as_str(), said.err.as_str()), (expected, ""));
    assert_eq!(said.status, Some(0));
}

#[test]
fn on_every_backend_somebody_answers_and_nobody_is_left() {
    let said = program("--backend all 2001:db8::1=ok@60000 192.0.2.1=refused@1 192.0.2.2=ok@10");
    for on in ["tokio", "async-std", "smol", "sim"] {
        assert!(said.out.contains(&format!("on {on}\n")), "{}", said.out);
    }
    for (line, count) in [
        ("2001:db8::1: connecting", 4),
        ("192.0.2.1: refused", 4),
        ("2001:db8::1: given up", 4),
        ("connected to 192.0.2.2", 4),
    ] {
        assert_eq!(said.out.matches(line).count(), count, "{}", said.out);
    }
    assert_eq!((said.err.as_str(), said.status), ("", Some(0)));
}

#[test]
fn all_errors_are_told() {
    let said = program("--backend sim 192.0.2.1=refused@40 192.0.2.2=refused@20");
    let expected = "\
happy_eyeballs: 2 errors in task group `happy eyeballs`
- 192.0.2.1: connection refused
- 192.0.2.2: connection refused
";
    assert_eq!((said.err.as_str(), said.status), (expected, Some(1)));
}

#[test]
fn bad_arguments_are_refused() {
    for (args, complaint) in [
        ("--backend tokyo", "unknown backend `tokyo`"),
        ("192.0.2.1", "not of the form"),
        ("192.0.2.1=open@1", "neither `ok` nor `refused`"),
        ("192.0.2=ok@1", "invalid IP address"),
        ("192.0.2.1=ok@soon", "invalid digit"),
    ] {
        let said = program(args);
        assert!(said.err.contains(complaint), "{args}: {}", said.err);
        assert_eq!((said.out.as_str(), said.status), ("", Some(2)), "{args}");
    }
}
