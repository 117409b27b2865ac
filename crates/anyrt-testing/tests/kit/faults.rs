//! Faults on purpose.

use std::io::ErrorKind::ConnectionReset;

use anyrt_core::sleep;
use anyrt_sim::Sim;
use anyrt_testing::{
    Faults, Faulty, MemoryStream, StreamOptions, assert_pending, memory_stream_pair,
};
use futures::{AsyncReadExt, AsyncWriteExt, join};

use crate::support::{SEEDS, kind, ms, panic_of, rest, run, run_with, timed};

/// A faulty end and a sound one.
fn pair(faults: &Faults<Sim>) -> (Faulty<MemoryStream>, MemoryStream) {
    let (faulty, sound) = memory_stream_pair::<Sim>();
    (faults.wrap(faulty), sound)
}

#[test]
fn without_faults_it_is_the_stream_inside() {
    run(async {
        let (mut a, mut b) = pair(&Faults::new(7));
        a.write_all(b"there").await.unwrap();
        a.close().await.unwrap();
        assert_eq!(rest(&mut b).await.unwrap(), "there");
        b.write_all(b"back").await.unwrap();
        let mut buf = [0; 8];
        assert_eq!(kind(a.read(&mut buf).await), Ok(4));
        assert!(a.get_ref().is_some());
        assert!(a.into_inner().is_some());
    });
}

#[test]
fn all_gets_across_whatever_goes_wrong_without_breaking() {
    for seed in SEEDS {
        run_with(seed, async {
            let faults = Faults::<Sim>::new(seed)
                .short_reads(0.7)
                .short_writes(0.7)
                .spurious_pending(0.5)
                .delays(0.2, ms(1)..=ms(9));
            let (a, b) = StreamOptions::<Sim>::new().buffer(10).pair();
            let (mut a, mut b) = (faults.wrap(a), faults.wrap(b));
            let sent: Vec<u8> = (0..2000).map(|n| n as u8).collect();
            let write = async {
                a.write_all(&sent).await.unwrap();
                a.close().await.unwrap();
            };
            let mut read = Vec::new();
            let (_, ()) = join!(b.read_to_end(&mut read), write);
            assert_eq!(read, sent);
        });
    }
}

#[test]
fn short_means_fewer_than_could_be_but_at_least_one() {
    run(async {
        let mut counts = Vec::new();
        for seed in SEEDS {
            let (mut a, mut b) = pair(&Faults::new(seed).short_reads(1.0).short_writes(1.0));
            b.write_all(&[0; 100]).await.unwrap();
            let mut buf = [0; 100];
            counts.push(a.read(&mut buf).await.unwrap());
            counts.push(a.write(&buf).await.unwrap());
            assert_eq!(kind(a.write(&[0]).await), Ok(1));
            assert_eq!(kind(a.write(&[]).await), Ok(0));
        }
        assert!(
            counts.iter().all(|count| (1..100).contains(count)),
            "{counts:?}"
        );
        // Few and many both occur.
        assert!(counts.iter().any(|count| *count < 8) && counts.iter().any(|count| *count > 50));
    });
}

#[test]
fn a_spurious_pending_comes_once_and_wakes() {
    run(async {
        let (mut a, mut b) = pair(&Faults::new(7).spurious_pending(1.0));
        b.write_all(b"1").await.unwrap();
        let mut buf = [0];
        assert_pending!(a.read(&mut buf));
        // The next read goes on with that one.
        assert_eq!(kind(a.read(&mut buf).await), Ok(1));
        a.flush().await.unwrap();
        a.close().await.unwrap();
    });
}

#[test]
fn a_delay_passes_before_the_operation_begins() {
    run(async {
        let (mut a, mut b) = pair(&Faults::new(7).delays(1.0, ms(10)));
        b.write_all(b"12").await.unwrap();
        let mut buf = [0];
        assert_eq!(
            timed(async { kind(a.read(&mut buf).await) }).await,
            (Ok(1), ms(10))
        );
        let write = timed(async { kind(a.write(b"34").await) });
        let (written, nothing) = join!(write, async {
            sleep::<Sim>(ms(9)).await;
            assert_pending!(b.read(&mut [0]));
        });
        assert_eq!((written, nothing), ((Ok(2), ms(10)), ()));
    });
}

#[test]
fn a_reset_is_for_good_and_the_other_end_hears_of_it() {
    run(async {
        let (mut a, mut b) = pair(&Faults::new(7).resets(1.0));
        let mut buf = [0];
        for _ in 0..2 {
            assert_eq!(kind(a.read(&mut buf).await), Err(ConnectionReset));
            assert_eq!(kind(a.write(b"1").await), Err(ConnectionReset));
            assert_eq!(kind(a.flush().await), Err(ConnectionReset));
            assert_eq!(kind(a.close().await), Err(ConnectionReset));
        }
        assert!(a.get_ref().is_none());
        assert_eq!(kind(b.read(&mut buf).await), Ok(0));
    });
}

/// What reads and writes come to, in lengths, and as what kind of error.
async fn history(seed: u64) -> Vec<Result<usize, std::io::ErrorKind>> {
    let faults = Faults::new(seed)
        .short_reads(0.5)
        .short_writes(0.5)
        .spurious_pending(0.5)
        .delays(0.3, ms(1)..=ms(5))
        .resets(0.01);
    let (mut a, mut b) = pair(&faults);
    let mut history = Vec::new();
    let mut buf = [0; 64];
    for _ in 0..50 {
        b.write_all(&[0; 64]).await.ok();
        history.push(kind(a.read(&mut buf).await));
        history.push(kind(a.write(&buf).await));
    }
    history
}

#[test]
fn the_seed_decides_all() {
    let play = |seed| run(history(seed));
    let all: Vec<_> = SEEDS.map(play).collect();
    assert_eq!(all, SEEDS.map(play).collect::<Vec<_>>());
    assert!(all.windows(2).all(|two| two[0] != two[1]));
    assert!(all.iter().flatten().any(Result::is_err));
}

#[test]
fn how_often_one_polls_changes_nothing() {
    async fn reads(seed: u64, polls_before: usize) -> Vec<usize> {
        let faults = Faults::new(seed)
            .short_reads(0.5)
            .spurious_pending(0.5)
            .delays(0.5, ms(1));
        let (mut a, mut b) = pair(&faults);
        b.write_all(&[0; 4096]).await.unwrap();
        let mut counts = Vec::new();
        let mut buf = [0; 64];
        for _ in 0..20 {
            let mut read = a.read(&mut buf);
            let mut early = None;
            for _ in 0..polls_before {
                early = early.or(anyrt_testing::poll_once(&mut read).await);
                if early.is_some() {
                    break;
                }
            }
            let read = match early {
                Some(read) => read,
                None => read.await,
            };
            counts.push(read.unwrap());
        }
        counts
    }
    for seed in SEEDS {
        let expected = run(reads(seed, 0));
        for polls in 1..4 {
            assert_eq!(run(reads(seed, polls)), expected);
        }
    }
}

#[test]
fn what_is_no_chance_is_refused() {
    for chance in [-0.1, 1.1, f64::NAN] {
        for message in [
            panic_of(|| Faults::<Sim>::new(7).resets(chance)),
            panic_of(|| Faults::<Sim>::new(7).delays(chance, ms(1))),
        ] {
            assert!(message.contains("is no chance"), "{message}");
        }
    }
}
