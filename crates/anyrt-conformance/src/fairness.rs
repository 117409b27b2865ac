//! Groups in one task: who is polled, how often, and that nobody starves.

use std::cell::Cell;
use std::future::{Future, pending, poll_fn};
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;

use anyrt_core::{Backend, GroupError, ScopedGroup};
use futures::FutureExt;
use futures::future::{BoxFuture, join};
use futures::task::AtomicWaker;

use crate::probe::{
    Latch, Sleeper, counted, on_a_fresh_thread, on_drop, panic_of, passes_of, polls,
};
use crate::rt::Rt;

/// Same-task groups: each poll of the group polls each child that is ready once, and no child twice.
pub async fn a_poll_of_a_group_is_one_pass_over_those_that_are_ready<B: Backend>(rt: Rt<B>) {
    let polls = AtomicUsize::new(0);
    let group = rt.scoped_group(async |g| {
        for _ in 0..100 {
            g.spawn(counted(&polls, async {
                rt.yields(10).await;
                Ok::<_, ()>(())
            }));
        }
        Ok(())
    });
    let (ended, passes) = passes_of(group).await;
    assert_eq!(ended, Ok(()));
    assert_eq!(polls.into_inner(), 100 * 11);
    assert!((11..=13).contains(&passes), "{passes} passes");
}

/// The same for children that wait for different times: a pass is for those alone that are ready.
pub async fn the_longest_child_decides_how_many_passes_there_are<B: Backend>(rt: Rt<B>) {
    let polls = AtomicUsize::new(0);
    let group = rt.scoped_group(async |g| {
        let polls = &polls;
        for n in 0..50 {
            g.spawn(counted(polls, async move {
                rt.yields(n).await;
                Ok::<_, ()>(())
            }));
        }
        Ok(())
    });
    let (ended, passes) = passes_of(group).await;
    assert_eq!(ended, Ok(()));
    assert_eq!(polls.into_inner(), (1..=50).sum());
    assert!((50..=52).contains(&passes), "{passes} passes");
}

/// Same-task groups: a child that always wakes itself is polled as often as the body and its siblings, not more.
pub async fn a_greedy_child_starves_nobody<B: Backend>(rt: Rt<B>) {
    let is_over = AtomicBool::new(false);
    let greed = AtomicUsize::new(0);
    let group = rt.scoped_group(async |g| {
        g.spawn(counted(&greed, async {
            while !is_over.load(Ordering::SeqCst) {
                rt.yields(1).await;
            }
            Ok::<_, ()>(())
        }));
        let sibling = g.spawn(async {
            rt.yields(100).await;
            Ok(())
        });
        rt.yields(100).await;
        sibling.await;
        is_over.store(true, Ordering::SeqCst);
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
    let greed = greed.into_inner();
    assert!((100..=105).contains(&greed), "{greed} polls");
}

/// Same-task groups: neither does a body that always wakes itself.
pub async fn a_greedy_body_starves_no_child<B: Backend>(rt: Rt<B>) {
    let mut greed = 0;
    let group = rt.scoped_group(async |g| {
        let children = [100, 50].map(|n| {
            g.spawn(async move {
                rt.yields(n).await;
                Ok::<_, ()>(())
            })
        });
        while !children.iter().all(|child| child.is_finished()) {
            greed += 1;
            rt.yields(1).await;
        }
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
    assert!((100..=105).contains(&greed), "{greed} polls");
}

/// Same-task groups: the body has a waker of its own, and is not polled because a child is ready.
pub async fn a_body_that_waits_is_not_polled_for_its_children<B: Backend>(rt: Rt<B>) {
    let count = AtomicUsize::new(0);
    let group = rt.scoped_group(async |g| {
        let busy = g.spawn(async {
            rt.yields(100).await;
            Ok::<_, ()>(7)
        });
        counted(&count, busy).await;
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
    assert_eq!(count.into_inner(), 2);
}

/// Same-task groups: a body that a child calls has its turn in the same poll, and so the group may end in it.
pub async fn a_body_that_children_call_is_polled_after_them<B: Backend>(rt: Rt<B>) {
    let sleepers = Sleeper::dormitory(3);
    let mut group = pin!(rt.scoped_group(async |g| {
        let children: Vec<_> = sleepers.iter().map(|one| g.spawn(one.sleep())).collect();
        for child in children {
            child.await;
        }
        Ok::<_, ()>(())
    }));
    for sleeper in &sleepers {
        assert_eq!(group.as_mut().now_or_never(), None);
        sleeper.end();
    }
    assert_eq!(group.now_or_never(), Some(Ok(())));
}

/// Same-task groups: a child that is woken costs one poll of it, and its siblings and the body none.
pub async fn a_child_that_is_woken_costs_one_poll<B: Backend>(rt: Rt<B>) {
    let sleepers = Sleeper::dormitory(10);
    let body = Sleeper::default();
    let group = rt.scoped_group(async |g| {
        for sleeper in &sleepers {
            g.spawn(sleeper.sleep());
        }
        body.sleep().await
    });
    let disturb = async {
        rt.yields(1).await;
        for n in 0..50 {
            sleepers[n % 5].disturb();
            rt.yields(2).await;
        }
        for (n, sleeper) in sleepers.iter().enumerate() {
            assert_eq!(sleeper.polls(), if n < 5 { 11 } else { 1 }, "child {n}");
            sleeper.end();
        }
        assert_eq!(body.polls(), 1);
        body.end();
    };
    assert_eq!(join(group, disturb).await.0, Ok(()));
}

/// Same-task groups: the same with very many that sleep.
pub async fn ten_thousand_idle_children_cost_nothing<B: Backend>(rt: Rt<B>) {
    let sleepers = Sleeper::dormitory(10_000);
    let count = || sleepers.iter().map(Sleeper::polls).sum::<usize>();
    let group = rt.scoped_group(async |g| {
        for sleeper in &sleepers {
            g.spawn(sleeper.sleep());
        }
        rt.yields(1).await;
        for _ in 0..100 {
            sleepers[5_000].disturb();
            rt.yields(1).await;
        }
        // The last one may be under way.
        assert!((10_099..=10_100).contains(&count()), "{} polls", count());
        g.cancel();
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
    assert_eq!(count(), 20_100);
}

/// Same-task groups: who is woken several times before its turn is polled once.
pub async fn a_child_that_is_woken_twice_is_polled_once<B: Backend>(rt: Rt<B>) {
    let sleeper = Sleeper::default();
    let group = rt.scoped_group(async |g| {
        g.spawn(sleeper.sleep());
        rt.yields(2).await;
        for _ in 0..3 {
            sleeper.disturb();
            sleeper.waker().wake_by_ref();
        }
        rt.yields(5).await;
        assert_eq!(sleeper.polls(), 2);
        sleeper.end();
        sleeper.end();
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
    assert_eq!(sleeper.polls(), 3);
}

/// Same-task groups: to be polled for nothing costs the children and the body nothing.
pub async fn a_group_that_is_polled_for_nothing_polls_nobody<B: Backend>(rt: Rt<B>) {
    let sleepers = Sleeper::dormitory(3);
    let group = rt.scoped_group(async |g| {
        g.spawn(sleepers[0].sleep());
        g.spawn(sleepers[1].sleep());
        sleepers[2].sleep().await
    });
    // `join` polls both each time.
    let (group, group_polls) = polls(group);
    let busy = async {
        rt.yields(50).await;
        assert!(group_polls.load(Ordering::SeqCst) >= 50);
        for sleeper in &sleepers {
            assert_eq!(sleeper.polls(), 1);
            sleeper.end();
        }
    };
    assert_eq!(join(group, busy).await.0, Ok(()));
}

/// The contract of `Future`: of several wakers the last one counts, for the body and for children.
pub async fn a_child_wakes_whoever_has_polled_the_group_last<B: Backend>(rt: Rt<B>) {
    let sleepers = Sleeper::dormitory(2);
    let mut group = pin!(rt.scoped_group(async |g| {
        g.spawn(sleepers[0].sleep());
        sleepers[1].sleep().await
    }));
    let mut is_pending = |bell: &Arc<Bell>| {
        let waker = bell.clone().into();
        let polled = group.as_mut().poll(&mut Context::from_waker(&waker));
        polled.is_pending()
    };
    let [first, last] = [(); 2].map(|()| Arc::<Bell>::default());
    // As often as it wants, until it sleeps.
    while is_pending(&first) && first.take_rings() > 0 {}
    assert!(is_pending(&last));
    last.take_rings();
    for sleeper in &sleepers {
        sleeper.disturb();
        assert_eq!((first.take_rings(), last.take_rings()), (0, 1));
        assert!(is_pending(&last));
        assert_eq!(sleeper.polls(), 2);
        last.take_rings();
    }
    sleepers.iter().for_each(Sleeper::end);
    assert!(!is_pending(&last));
}

/// Same-task groups: what goes on far below costs one poll for each level.
pub async fn ten_nested_groups_cost_ten_polls<B: Backend>(rt: Rt<B>) {
    for depth in [1, 5, 10] {
        let polls = AtomicUsize::new(0);
        assert_eq!(nested(rt, depth, &polls, rt.yields(20)).await, Ok(()));
        let (polls, levels) = (polls.into_inner(), depth + 1);
        let expected = levels * 21..=levels * 23;
        assert!(expected.contains(&polls), "{polls} polls at depth {depth}");
    }
}

/// The same when they are cancelled from the outside, and when they fail from the inside.
pub async fn nested_groups_end_with_a_few_polls_for_each_level<B: Backend>(rt: Rt<B>) {
    for depth in [1, 5, 10] {
        let polls = AtomicUsize::new(0);
        let group = rt.scoped_group(async |g| {
            g.spawn(nested(rt, depth, &polls, pending()));
            rt.yields(2).await;
            g.cancel();
            Ok(())
        });
        assert_eq!(group.await, Ok(()));
        let (polls, levels) = (polls.into_inner(), depth + 1);
        assert!(polls <= levels * 4, "{polls} polls at depth {depth}");
    }
    for depth in [1, 5, 10] {
        let polls = AtomicUsize::new(0);
        let innermost = async {
            rt.yields(1).await;
            panic!("from the inside");
        };
        let group = panic_of(nested(rt, depth, &polls, innermost));
        assert_eq!(group.await, Err("from the inside".to_owned()));
        let (polls, levels) = (polls.into_inner(), depth + 1);
        assert!(polls <= levels * 4, "{polls} polls at depth {depth}");
    }
}

/// Groups within groups.
fn nested<'env, B: Backend>(
    rt: Rt<B>,
    depth: usize,
    polls: &'env AtomicUsize,
    innermost: impl Future<Output = ()> + Send + 'env,
) -> BoxFuture<'env, Result<(), ()>> {
    let innermost: BoxFuture<'env, ()> = Box::pin(innermost);
    Box::pin(counted(polls, async move {
        if depth == 0 {
            innermost.await;
            return Ok(());
        }
        let group = rt.scoped_group(async |g| {
            g.spawn(nested(rt, depth - 1, polls, innermost));
            Ok(())
        });
        group.await.map_err(GroupError::into_first)
    }))
}

/// `spawn`: what a child spawns is polled in the next pass.
pub async fn what_a_child_spawns_is_polled_in_the_next_pass<B: Backend>(rt: Rt<B>) {
    fn generation<B: Backend>(
        g: ScopedGroup<'_, B, ()>,
        left: usize,
    ) -> BoxFuture<'_, Result<(), ()>> {
        Box::pin(async move {
            if left > 0 {
                g.spawn(generation(g.clone(), left - 1));
            }
            Ok(())
        })
    }
    let group = rt.scoped_group(async |g| {
        g.spawn(generation(g.clone(), 100));
        Ok(())
    });
    let (ended, passes) = passes_of(group).await;
    assert_eq!(ended, Ok(()));
    assert!((100..=103).contains(&passes), "{passes} passes");
}

/// The same when it is spawned by a destructor, in a child or in the last poll of the body.
pub async fn what_a_destructor_spawns_is_polled_as_well<B: Backend>(rt: Rt<B>) {
    fn spawns_late<'env, B: Backend>(
        g: &ScopedGroup<'env, B, ()>,
        polls: &'env AtomicUsize,
    ) -> impl Drop + Send + use<'env, B> {
        let g = g.clone();
        on_drop(move || drop(g.spawn(counted(polls, async { Ok(()) }))))
    }
    let polls = AtomicUsize::new(0);
    let group = rt.scoped_group(async |g| {
        let by_a_child = spawns_late(&g, &polls);
        g.spawn(async {
            rt.yields(1).await;
            drop(by_a_child);
            Ok(())
        });
        let _by_the_body = spawns_late(&g, &polls);
        rt.yields(2).await;
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
    assert_eq!(polls.into_inner(), 2);
}

/// Same-task groups: children that spawn one another for ever starve nobody.
pub async fn an_endless_row_of_children_starves_nobody<B: Backend>(rt: Rt<B>) {
    fn endless<'env, B: Backend>(
        g: ScopedGroup<'env, B, ()>,
        born: &'env AtomicUsize,
        is_over: &'env AtomicBool,
    ) -> BoxFuture<'env, Result<(), ()>> {
        Box::pin(async move {
            born.fetch_add(1, Ordering::SeqCst);
            if !is_over.load(Ordering::SeqCst) {
                g.spawn(endless(g.clone(), born, is_over));
            }
            Ok(())
        })
    }
    let (born, is_over) = (AtomicUsize::new(0), AtomicBool::new(false));
    let group = rt.scoped_group(async |g| {
        g.spawn(endless(g.clone(), &born, &is_over));
        let sibling = g.spawn(async {
            rt.yields(50).await;
            Ok(())
        });
        rt.yields(50).await;
        sibling.await;
        is_over.store(true, Ordering::SeqCst);
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
    let born = born.into_inner();
    assert!((50..=55).contains(&born), "{born} children");
}

/// Same-task groups: a wake from within the pass counts, of those that had their turn and of those that have it yet.
pub async fn children_may_wake_each_other_in_a_ring<B: Backend>(rt: Rt<B>) {
    let (children, laps) = (10, 50);
    for step in [1, children - 1, 3] {
        let polls = AtomicUsize::new(0);
        let turn = AtomicUsize::new(0);
        let wakers: Vec<_> = (0..children).map(|_| AtomicWaker::new()).collect();
        let group = rt.scoped_group(async |g| {
            let (turn, wakers) = (&turn, &wakers);
            for place in 0..children {
                g.spawn(counted(&polls, async move {
                    for _ in 0..laps {
                        poll_fn(|cx| {
                            wakers[place].register(cx.waker());
                            match turn.load(Ordering::SeqCst) == place {
                                true => Poll::Ready(()),
                                false => Poll::Pending,
                            }
                        })
                        .await;
                        let next = (place + step) % children;
                        turn.store(next, Ordering::SeqCst);
                        wakers[next].wake();
                    }
                    Ok::<_, ()>(())
                }));
            }
            Ok(())
        });
        assert_eq!(group.await, Ok(()));
        let polls = polls.into_inner();
        let least = children * laps;
        assert!((least..=least + children).contains(&polls), "{polls} polls");
    }
}

/// No wake is lost: other threads may wake at any moment of a poll or between two.
pub async fn wakes_from_other_threads_are_not_lost<B: Backend>(rt: Rt<B>) {
    const ROUNDS: usize = 500;
    #[derive(Default)]
    struct Pair {
        asked: AtomicUsize,
        answered: AtomicUsize,
        waker: AtomicWaker,
    }
    let pairs: Vec<_> = (0..4).map(|_| Arc::<Pair>::default()).collect();
    let group = rt.scoped_group(async |g| {
        for pair in &pairs {
            let there = pair.clone();
            let answer = move || {
                for round in 1..=ROUNDS {
                    while there.asked.load(Ordering::SeqCst) < round {
                        thread::yield_now();
                    }
                    there.answered.store(round, Ordering::SeqCst);
                    there.waker.wake();
                }
                Ok::<_, ()>(())
            };
            // Really at the same time.
            g.spawn(rt.to_thread(|| B::wait_outside(answer)));
            g.spawn(async move {
                for round in 1..=ROUNDS {
                    pair.asked.store(round, Ordering::SeqCst);
                    poll_fn(|cx| {
                        pair.waker.register(cx.waker());
                        match pair.answered.load(Ordering::SeqCst) == round {
                            true => Poll::Ready(()),
                            false => Poll::Pending,
                        }
                    })
                    .await;
                }
                Ok(())
            });
        }
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
}

/// No child is lost: other threads may spawn into a group that sleeps, or that is just being polled.
pub async fn children_from_other_threads_are_not_lost<B: Backend>(rt: Rt<B>) {
    let group = rt.scoped_group(async |g| {
        let threads = [0, 1, 2].map(|_| {
            let other = g.clone();
            g.spawn(rt.to_thread(move || {
                for _ in 0..200 {
                    let has_run = Latch::default();
                    let child = has_run.clone();
                    other.spawn(async move {
                        child.open();
                        Ok::<_, ()>(())
                    });
                    has_run.wait::<B>();
                }
                Ok(())
            }))
        });
        for thread in threads {
            thread.await;
        }
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
}

/// A waker may be kept: that of a child that has ended wakes nobody who has come after it.
pub async fn wakers_of_children_that_have_ended_wake_nobody<B: Backend>(rt: Rt<B>) {
    let sleepers = Sleeper::dormitory(20);
    let (early, late) = sleepers.split_at(10);
    let group = rt.scoped_group(async |g| {
        let spawn_and_wait = async |sleepers| {
            for sleeper in sleepers {
                g.spawn(Sleeper::sleep(sleeper));
            }
            rt.yields(2).await;
        };
        spawn_and_wait(early).await;
        early.iter().for_each(Sleeper::end);
        rt.yields(2).await;
        assert_eq!(g.len(), 0);
        spawn_and_wait(late).await;
        for _ in 0..3 {
            early.iter().for_each(Sleeper::disturb);
            rt.yields(2).await;
        }
        for sleeper in early {
            assert_eq!(sleeper.polls(), 2);
        }
        for sleeper in late {
            assert_eq!(sleeper.polls(), 1);
            sleeper.end();
        }
        rt.yields(2).await;
        assert_eq!(g.len(), 0);
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
}

/// A waker may be kept: after the end of its group it wakes nobody, and may be used and dropped anywhere.
pub async fn wakers_that_outlive_their_group_wake_nobody<B: Backend>(rt: Rt<B>) {
    let sleepers = Sleeper::dormitory(3);
    let mut group = pin!(rt.scoped_group(async |g| {
        g.spawn(sleepers[0].sleep());
        g.spawn(sleepers[1].sleep());
        sleepers[2].sleep().await
    }));
    let bell = Arc::<Bell>::default();
    let waker = bell.clone().into();
    let mut poll = || group.as_mut().poll(&mut Context::from_waker(&waker));
    assert!(poll().is_pending());
    let wakers: Vec<_> = sleepers.iter().map(Sleeper::waker).collect();
    sleepers.iter().for_each(Sleeper::end);
    assert!(poll().is_ready());
    bell.take_rings();
    wakers.iter().for_each(Waker::wake_by_ref);
    sleepers.iter().for_each(Sleeper::disturb);
    on_a_fresh_thread(move || wakers.into_iter().for_each(Waker::wake));
    assert_eq!(bell.take_rings(), 0);
}

/// The same after a group was dropped: in the middle of that its wakers may be called.
pub async fn wakers_may_be_called_while_their_group_is_dropped<B: Backend>(rt: Rt<B>) {
    let sleepers = Sleeper::dormitory(5);
    let wake_all = || {
        let slept = sleepers.iter().filter(|sleeper| sleeper.polls() > 0);
        slept.for_each(Sleeper::disturb);
    };
    let group = rt.scoped_group(async |g| {
        for sleeper in &sleepers[1..] {
            g.spawn(async {
                let _wakes = on_drop(&wake_all);
                sleeper.sleep().await
            });
        }
        let _wakes = on_drop(&wake_all);
        sleepers[0].sleep().await
    });
    assert!(group.now_or_never().is_none());
    for sleeper in &sleepers {
        assert_eq!(sleeper.polls(), 1);
        sleeper.disturb();
    }
}

/// The same for who has polled the group: it is not woken any more.
pub async fn wakers_that_outlive_a_dropped_group_wake_nobody<B: Backend>(rt: Rt<B>) {
    let sleepers = Sleeper::dormitory(2);
    let mut group = Box::pin(rt.scoped_group(async |g| {
        g.spawn(sleepers[0].sleep());
        sleepers[1].sleep().await
    }));
    let bell = Arc::<Bell>::default();
    let waker = bell.clone().into();
    let mut context = Context::from_waker(&waker);
    while group.as_mut().poll(&mut context).is_pending() && bell.take_rings() > 0 {}
    drop(group);
    bell.take_rings();
    sleepers.iter().for_each(Sleeper::disturb);
    assert_eq!(bell.take_rings(), 0);
}

/// The same where children are cancelled: what they wake is not polled after its end.
pub async fn wakers_may_be_called_while_children_are_cancelled<B: Backend>(rt: Rt<B>) {
    let sleepers = Sleeper::dormitory(5);
    let wake_all = || sleepers.iter().for_each(Sleeper::disturb);
    let group = rt.scoped_group(async |g| {
        for sleeper in &sleepers {
            g.spawn(async {
                let _wakes = on_drop(&wake_all);
                sleeper.sleep().await
            });
        }
        rt.yields(1).await;
        g.cancel();
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
    for sleeper in &sleepers {
        assert_eq!(sleeper.polls(), 2);
    }
}

/// A waker that counts.
#[derive(Debug, Default)]
struct Bell(AtomicUsize);

impl Bell {
    fn take_rings(&self) -> usize {
        self.0.swap(0, Ordering::SeqCst)
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// The same for children that are not `Send`: one pass for each poll, and nobody starves.
pub async fn the_children_of_a_local_group_take_turns<B: Backend>(rt: Rt<B>) {
    let (polls, is_over) = (Cell::new(0), Cell::new(false));
    let group = rt.local_group(async |g| {
        g.spawn(async {
            while !is_over.get() {
                polls.set(polls.get() + 1);
                rt.yields(1).await;
            }
            Ok::<_, ()>(())
        });
        let sibling = g.spawn(async {
            rt.yields(50).await;
            Ok(Rc::new(()))
        });
        rt.yields(50).await;
        sibling.await;
        is_over.set(true);
        Ok(())
    });
    let (ended, passes) = passes_of(group).await;
    assert_eq!(ended, Ok(()));
    assert!((50..=55).contains(&polls.get()), "{} polls", polls.get());
    assert!((51..=56).contains(&passes), "{passes} passes");
}

/// The same for who is woken: one poll of it, and none of the others.
pub async fn a_child_of_a_local_group_that_is_woken_costs_one_poll<B: Backend>(rt: Rt<B>) {
    let sleepers = Sleeper::dormitory(1000);
    let group = rt.local_group(async |g| {
        for sleeper in &sleepers {
            let stays = Rc::new(());
            g.spawn(async move {
                let slept = sleeper.sleep().await;
                drop(stays);
                slept
            });
        }
        rt.yields(1).await;
        for _ in 0..10 {
            sleepers[500].disturb();
            rt.yields(2).await;
        }
        for (n, sleeper) in sleepers.iter().enumerate() {
            assert_eq!(sleeper.polls(), if n == 500 { 11 } else { 1 }, "child {n}");
        }
        g.cancel();
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
}
