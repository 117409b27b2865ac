//! `Sequencer`.

use std::sync::{Arc, Mutex};

use anyrt_core::{checkpoint, move_on_after, sleep, task_group};
use anyrt_sim::Sim;
use anyrt_testing::{Sequencer, assert_pending, assert_ready, poll_once};

use crate::support::{SEEDS, ms, panic_of, run, run_with};

#[test]
fn turns_come_in_the_order_of_their_numbers_whatever_the_order_of_tasks() {
    for seed in SEEDS {
        run_with(seed, async {
            let seq = Sequencer::new();
            let log = Arc::new(Mutex::new(Vec::new()));
            let group = task_group::<Sim, _, (), _, _>(async |g| {
                for task in 0..5 {
                    let (seq, log) = (seq.clone(), log.clone());
                    g.spawn(async move {
                        for round in 0..4 {
                            let number = 5 * round + task;
                            let _turn = seq.at(number).await;
                            checkpoint().await; // a turn may wait
                            log.lock().unwrap().push(number);
                        }
                        Ok(())
                    });
                }
                Ok(())
            });
            group.await.unwrap();
            assert!(log.lock().unwrap().iter().copied().eq(0..20));
        });
    }
}

#[test]
fn the_next_one_waits_until_the_turn_is_dropped() {
    let seq = Sequencer::new();
    let mut second = seq.at(1);
    let first = assert_ready!(seq.at(0));
    assert_pending!(second);
    drop(first);
    drop(assert_ready!(second));
    drop(assert_ready!(seq.at(2)));
}

#[test]
fn a_number_that_is_missing_is_waited_for() {
    let seq = Sequencer::new();
    drop(assert_ready!(seq.at(0)));
    let mut third = seq.at(2);
    assert_pending!(third);
    drop(assert_ready!(seq.at(1)));
    assert_ready!(third);
}

#[test]
fn a_turn_that_ends_in_a_panic_has_ended() {
    let seq = Sequencer::new();
    let mut second = seq.at(1);
    assert_pending!(second);
    panic_of(|| {
        let _turn = assert_ready!(seq.at(0));
        panic!("in its turn");
    });
    assert_ready!(second);
}

#[test]
fn a_number_has_one_turn() {
    let seq = Sequencer::new();
    drop(assert_ready!(seq.at(0)));
    let waiting = seq.at(3);
    for number in [0, 3] {
        let message = panic_of(|| seq.at(number));
        let expected = format!("the number {number} of this `Sequencer` was used twice");
        assert!(message.contains(&expected), "{message}");
    }
    drop(waiting);
}

#[test]
fn who_is_cancelled_before_its_turn_breaks_the_sequence_for_those_who_wait_and_who_come() {
    run(async {
        let seq = Sequencer::new();
        let first = seq.at(0).await;
        let waits = seq.clone();
        let mut waiting = Box::pin(async move { waits.at(2).await });
        assert!(poll_once(&mut waiting).await.is_none());
        assert!(move_on_after::<Sim, _>(ms(1), seq.at(1)).await.is_none());
        drop(first);

        let place = concat!(file!(), ":");
        let waited = panic_of(|| assert_ready!(waiting));
        let came = panic_of(|| assert_ready!(seq.at(3)));
        for (number, message) in [(2, waited), (3, came)] {
            let own = format!("so {number} at {place}");
            let given_up = format!("never has its turn: 1, asked for at {place}");
            assert!(
                message.contains(&own) && message.contains(&given_up),
                "{message}"
            );
        }
    });
}

#[test]
fn to_break_a_sequence_wakes_those_who_wait() {
    run(async {
        let seq = Sequencer::new();
        let gives_up = seq.at(1);
        let group = task_group::<Sim, _, (), _, _>(async |g| {
            let task = g.spawn_named("waits", async move {
                seq.at(2).await;
                Ok(())
            });
            sleep::<Sim>(ms(1)).await;
            drop(gives_up);
            drop(task);
            Ok(())
        });
        let message = futures::FutureExt::catch_unwind(std::panic::AssertUnwindSafe(group));
        let payload = message.await.expect_err("the group resumes the panic");
        assert!(payload.downcast::<String>().unwrap().contains("is broken"));
    });
}

#[test]
fn who_has_had_the_turn_may_go() {
    let seq = Sequencer::new();
    let mut first = seq.at(0);
    drop(assert_ready!(first));
    drop(first);
    assert_ready!(seq.at(1));
}
