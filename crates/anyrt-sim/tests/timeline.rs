//! Pictures and traces of runs.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::future::pending;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyrt_core::{
    CancelScope, GroupOptions, checkpoint, fail_after, finally, move_on_after, on_exit, run,
    scoped_group, shield, sleep, task_group, to_thread,
};
use anyrt_sim::{Sim, Timeline, explore};
use serde_json::Value;

const SECOND: Duration = Duration::from_secs(1);

fn timeline<F: Future>(seed: u64, main: F) -> Timeline {
    let timeline = Timeline::new();
    let sim = Sim::builder().seed(seed).timeline(&timeline).build();
    // A run that panics has a timeline, too.
    let _ = catch_unwind(AssertUnwindSafe(|| run(&sim, main)));
    timeline
}

/// Waits whose order is up to the seed, and whose end is up to the order.
async fn by_chance() {
    let group = GroupOptions::<Sim, u64>::new().limit(3).run(async |g| {
        for n in 0..8 {
            let siblings = g.scope().clone();
            g.spawn_named(n.to_string(), async move {
                for turn in 0..n {
                    checkpoint().await;
                    sleep::<Sim>(Duration::from_millis(turn % 3)).await;
                }
                match n {
                    5 => Err(n),
                    6 => {
                        siblings.cancel();
                        Ok(())
                    }
                    _ => Ok(()),
                }
            });
        }
        Ok(())
    });
    let _ = group.await;
}

/// Everything that a picture has a colour or a mark for.
async fn of_all_kinds() {
    let group = GroupOptions::<Sim, &str>::new().name("all").supervise();
    let group = group.run(async |g| {
        g.spawn_daemon(pending::<Result<(), _>>());
        g.spawn_named("value", async {
            sleep::<Sim>(SECOND).await;
            Ok(())
        });
        g.spawn_named("error", async { Err::<(), _>("no") });
        let single = g.spawn_named("single", pending::<Result<(), _>>());
        g.spawn_named("limits", async {
            let late = fail_after::<Sim, _>(SECOND, pending::<()>()).await;
            assert!(late.is_err());
            let kept = fail_after::<Sim, _>(SECOND + SECOND / 2, sleep::<Sim>(SECOND)).await;
            assert!(kept.is_ok());
            Ok(())
        });
        g.spawn_named("protected", async {
            let scope = CancelScope::<Sim>::new();
            let body = async {
                on_exit::<Sim>(async { sleep::<Sim>(SECOND).await });
                let saved = finally(pending::<()>(), async || sleep::<Sim>(SECOND).await);
                move_on_after::<Sim, _>(SECOND, saved).await;
                shield(sleep::<Sim>(SECOND)).await;
                scope.cancel_with("enough");
                checkpoint().await;
            };
            assert!(scope.run(body).await.is_err());
            Ok(())
        });
        g.spawn_named("thread", async {
            to_thread::<Sim, _, _>(|| ()).await;
            Ok(())
        });
        g.spawn_named("in one task", async {
            let group = scoped_group::<Sim, _, (), _, _>(async |g| {
                g.spawn_named("nested", async {
                    sleep::<Sim>(SECOND).await;
                    Ok(())
                });
                Ok(())
            });
            group.await.unwrap();
            Ok(())
        });
        sleep::<Sim>(2 * SECOND).await;
        single.cancel().await;
        Ok(())
    });
    assert!(group.await.is_err());
    let group = task_group::<Sim, _, (), _, _>(async |g| {
        g.spawn_named("cut by it", pending::<Result<(), _>>());
        g.spawn_named::<()>("panic", async {
            checkpoint().await;
            panic!("on purpose")
        });
        Ok(())
    });
    let _: Result<(), _> = group.await;
}

fn events(timeline: &Timeline) -> Vec<Value> {
    let trace: Value = serde_json::from_str(&timeline.to_perfetto_json()).expect("JSON");
    trace["traceEvents"].as_array().expect("a list").clone()
}

fn slices(timeline: &Timeline) -> Vec<Value> {
    let mut events = events(timeline);
    events.retain(|event| event["ph"] == "X");
    events
}

/// Of the slice with this name.
fn outcome(timeline: &Timeline, name: &str) -> String {
    let slices = slices(timeline);
    let slice = slices.iter().find(|slice| slice["name"] == name);
    let slice = slice.unwrap_or_else(|| panic!("{name} in {slices:#?}"));
    slice["args"]["outcome"].as_str().unwrap().to_owned()
}

#[test]
fn the_same_seed_has_the_same_timeline() {
    let mut all = BTreeSet::new();
    for seed in 0..100 {
        let [first, second] = [(), ()].map(|()| timeline(seed, by_chance()));
        assert_eq!(first.to_perfetto_json(), second.to_perfetto_json());
        assert_eq!(first.to_svg(), second.to_svg());
        all.insert(first.to_perfetto_json());
    }
    assert_eq!(all.len(), 100, "each says which seed it is");
}

#[test]
fn each_kind_of_end_is_told() {
    let timeline = timeline(0, of_all_kinds());
    for (name, how) in [
        ("value", "done"),
        ("error", "failed"),
        ("panic", "panicked"),
        ("single", "cancelled: cancelled on request"),
        ("daemon", "cancelled: the rest of the group is done"),
        ("cut by it", "cancelled: task `panic` of the group failed"),
        ("all", "failed"),
        ("shield", "done"),
        ("cleanup", "done"),
        ("thread", "done"),
        ("nested", "done"),
        ("time limit of 1s", "cancelled: deadline passed"),
        ("time limit of 1.5s", "done"),
        ("run", "panicked"),
    ] {
        assert_eq!(outcome(&timeline, name), how, "{name}");
    }
}

#[test]
fn each_kind_of_mark_is_drawn() {
    let svg = timeline(0, of_all_kinds()).to_svg();
    for shape in ["cancel", "deadline", "limit", "error", "panic"] {
        // Once in the legend.
        let count = svg.matches(&format!("href=\"#{shape}\"")).count();
        assert!(count > 1, "{shape}");
    }
    for look in ["done", "failed", "panicked", "cancelled"] {
        assert!(svg.matches(&format!("bar {look}")).count() > 1, "{look}");
    }
}

#[test]
fn what_the_run_has_left_is_open() {
    let timeline = timeline(0, async {
        let group = task_group::<Sim, _, (), _, _>(async |g| {
            g.spawn_named("for ever", pending::<Result<(), ()>>());
            Ok(())
        });
        group.await
    });
    assert_eq!(
        outcome(&timeline, "for ever"),
        "dropped at the end of the run"
    );
    assert!(timeline.to_svg().matches("bar open").count() > 1);
}

#[test]
fn on_one_track_slices_are_nested() {
    for seed in 0..20 {
        let slices = slices(&timeline(seed, of_all_kinds()));
        let mut tracks: BTreeMap<u64, Vec<(f64, f64)>> = BTreeMap::new();
        for slice in &slices {
            let (from, length) = (
                slice["ts"].as_f64().unwrap(),
                slice["dur"].as_f64().unwrap(),
            );
            let track = slice["tid"].as_u64().unwrap();
            tracks.entry(track).or_default().push((from, from + length));
        }
        assert!(tracks.values().any(|slices| slices.len() > 2));
        for track in tracks.values() {
            for (a, b) in track.iter().flat_map(|a| track.iter().map(move |b| (a, b))) {
                let apart = a.1 <= b.0 || b.1 <= a.0;
                let within = (a.0 <= b.0 && b.1 <= a.1) || (b.0 <= a.0 && a.1 <= b.1);
                assert!(apart || within, "{a:?} and {b:?}");
            }
        }
    }
}

#[test]
fn a_wait_for_a_turn_is_drawn_apart() {
    let svg = timeline(0, async {
        let one = GroupOptions::<Sim, ()>::new().limit(1).run(async |g| {
            g.spawn_named("first", async {
                sleep::<Sim>(SECOND).await;
                Ok(())
            });
            g.spawn_named("second", async {
                sleep::<Sim>(SECOND).await;
                Ok(())
            });
            Ok(())
        });
        one.await
    })
    .to_svg();
    // One, and that in the legend.
    assert_eq!(
        svg.matches("queued ").count() + svg.matches("queued\"").count(),
        2
    );
}

#[test]
fn any_name_gives_a_picture_that_is_well_formed() {
    let name = "<b> & \"quotes\" \u{7} \\ ünï 日本";
    let timeline = timeline(0, async {
        let group = GroupOptions::<Sim, ()>::new().name(name);
        group
            .run(async |_| {
                sleep::<Sim>(SECOND).await;
                Ok(())
            })
            .await
    });
    assert_eq!(outcome(&timeline, name), "done");
    let svg = timeline.to_svg();
    assert!(svg.contains("&lt;b&gt; &amp; &quot;quotes&quot; \u{FFFD} \\ ünï 日本"));
    assert_well_formed(&svg);
}

/// Every element is closed in its turn, and there is no character that has to be escaped.
fn assert_well_formed(svg: &str) {
    let mut open = Vec::new();
    for part in svg.split('<').skip(1) {
        let (tag, text) = part.split_once('>').expect("a closed tag");
        assert!(!text.contains('>'), "{part}");
        let name = tag.trim_start_matches('/').split(' ').next().unwrap();
        match (tag.starts_with('/'), tag.ends_with('/')) {
            (true, _) => assert_eq!(open.pop(), Some(name)),
            (false, true) => {}
            (false, false) => open.push(name),
        }
        for entity in part.split('&').skip(1) {
            let known = ["amp;", "lt;", "gt;", "quot;"];
            assert!(
                known.iter().any(|known| entity.starts_with(known)),
                "{part}"
            );
        }
    }
    assert!(open.is_empty(), "{open:?}");
}

#[test]
fn every_picture_is_well_formed() {
    assert_well_formed(&Timeline::new().to_svg());
    for seed in 0..20 {
        assert_well_formed(&timeline(seed, of_all_kinds()).to_svg());
        assert_well_formed(&timeline(seed, by_chance()).to_svg());
    }
}

#[test]
fn without_virtual_time_a_run_is_drawn_by_its_events() {
    let svg = timeline(0, async {
        let group = task_group::<Sim, _, (), _, _>(async |g| {
            g.spawn_named("at once", async { Ok(()) });
            Ok(())
        });
        group.await
    })
    .to_svg();
    assert!(svg.contains("no virtual time went by"), "{svg}");
}

#[test]
fn the_axis_has_round_numbers_for_any_length() {
    let nano = Duration::from_nanos(1);
    let day = 86_400 * SECOND;
    for (length, ticks) in [
        (7 * nano, &["1ns", "7ns"][..]),
        (20 * SECOND, &["2s", "20s"]),
        (45 * SECOND, &["5s", "45s"]),
        (600 * SECOND, &["1m", "10m"]),
        (day, &["6h", "1d"]),
        (30 * day, &["5d", "30d"]),
        (40_000 * day, &["5000d", "40000d"]),
    ] {
        let svg = timeline(0, sleep_in_group(length)).to_svg();
        let count = svg.matches("class=\"tick\"").count();
        assert!((3..=12).contains(&count), "{length:?}: {count}");
        for tick in ticks {
            assert!(
                svg.contains(&format!(">{tick}</text>")),
                "{tick} of {length:?}"
            );
        }
    }
}

async fn sleep_in_group(length: Duration) {
    let group = task_group::<Sim, _, (), _, _>(async |_| {
        sleep::<Sim>(length).await;
        Ok(())
    });
    group.await.unwrap();
}

#[test]
fn a_very_large_run_has_a_picture_of_a_part() {
    let svg = timeline(0, async {
        let group = task_group::<Sim, _, (), _, _>(async |g| {
            for _ in 0..10_000 {
                g.spawn(async {
                    sleep::<Sim>(SECOND).await;
                    Ok(())
                });
            }
            Ok(())
        });
        group.await
    })
    .to_svg();
    assert!(svg.contains(".. and 9502 more"));
    assert!(svg.len() < 500_000, "{}", svg.len());
}

#[test]
fn a_timeline_is_of_the_latest_run() {
    let timeline = Timeline::new();
    let sim = Sim::builder().seed(3).timeline(&timeline).build();
    for name in ["earlier", "later"] {
        run(&sim, async {
            let group = GroupOptions::<Sim, ()>::new().name(name);
            group.run(async |_| Ok(())).await.unwrap();
        });
    }
    let svg = timeline.to_svg();
    assert!(svg.contains("later") && !svg.contains("earlier"));
}

#[test]
fn a_run_that_fails_names_its_timeline() {
    // This test runs itself as another program, since the variable is for a whole process.
    if env::var_os("ANYRT_TRACE").is_some() {
        let deadlock = catch_unwind(|| run(&Sim::with_seed(11), pending::<()>()));
        assert!(deadlock.is_err());
        run(&Sim::with_seed(12), sleep_in_group(SECOND));
        // Of all the runs of a search only the one that is reported.
        let search = || explore::<Sim, _, _>(pending::<()>).seeds(5..10);
        assert!(catch_unwind(search).is_err());
        return;
    }
    let directory: PathBuf = env!("CARGO_TARGET_TMPDIR").into();
    let directory = directory.join("timelines");
    let _ = std::fs::remove_dir_all(&directory);
    let output = Command::new(env::current_exe().unwrap())
        .args([
            "--exact",
            "--nocapture",
            "a_run_that_fails_names_its_timeline",
        ])
        .env("ANYRT_TRACE", &directory)
        .output()
        .unwrap();
    assert!(output.status.success());
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let name = "a_run_that_fails_names_its_timeline-seed11";
    let picture = directory.join(format!("{name}.svg"));
    assert!(said.contains(picture.to_str().unwrap()), "{said}");
    assert!(
        std::fs::read_to_string(&picture)
            .unwrap()
            .starts_with("<svg")
    );
    let mut files: Vec<_> = std::fs::read_dir(&directory)
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    let searched = name.replace("11", "5");
    let names = [name, &searched];
    let expected = names.map(|name| [format!("{name}.json"), format!("{name}.svg")]);
    assert_eq!(files, expected.concat());
    assert_eq!(said.matches("the timeline of this run is in").count(), 2);
}
