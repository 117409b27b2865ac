//! Streams in memory.

use std::io::ErrorKind::{self, BrokenPipe, ConnectionReset, TimedOut};
use std::num::NonZeroU64;
use std::time::Duration;

use anyrt_core::{move_on_after, sleep};
use anyrt_sim::Sim;
use anyrt_testing::{
    MemoryStream, StreamOptions, assert_pending, assert_ready, memory_stream_pair,
};
use futures::{AsyncReadExt, AsyncWriteExt, join};

use crate::support::{SEEDS, kind, ms, panic_of, rest, run, timed};

fn pair() -> (MemoryStream, MemoryStream) {
    memory_stream_pair::<Sim>()
}

fn options() -> StreamOptions<Sim> {
    StreamOptions::new()
}

/// `count` bytes that are not all the same.
fn pattern(count: usize) -> Vec<u8> {
    (0..count).map(|n| (n % 251) as u8).collect()
}

#[test]
fn what_is_written_at_one_end_is_read_at_the_other_without_a_runtime() {
    let (mut a, mut b) = pair();
    let mut buf = [0; 8];
    for (text, from, to) in [("there", true, true), ("back", false, false)] {
        let (from, to) = match (from, to) {
            (true, _) => (&mut a, &mut b),
            _ => (&mut b, &mut a),
        };
        assert_eq!(
            assert_ready!(from.write(text.as_bytes())).unwrap(),
            text.len()
        );
        let count = assert_ready!(to.read(&mut buf)).unwrap();
        assert_eq!(&buf[..count], text.as_bytes());
        assert_pending!(to.read(&mut buf));
    }
}

#[test]
fn a_full_buffer_makes_the_writer_wait_and_each_read_gives_room() {
    run(async {
        let (mut a, mut b) = options().buffer(3).pair();
        assert_eq!(kind(a.write(b"12345").await), Ok(3));
        assert_pending!(a.write(b"45"));
        let sent = pattern(10_000);
        let write = async {
            a.write_all(&sent).await.unwrap();
            drop(a);
        };
        let read = async {
            let mut all = Vec::new();
            b.read_to_end(&mut all).await.unwrap();
            all
        };
        let ((), all) = join!(write, read);
        assert_eq!(all, [b"123", sent.as_slice()].concat());
        let (mut a, mut b) = options().buffer(3).pair();
        for _ in 0..3 {
            assert_eq!(kind(a.write(b"12345").await), Ok(3));
            assert_eq!(kind(b.read(&mut [0; 8]).await), Ok(3));
        }
    });
}

#[test]
fn a_read_gives_a_chunk_at_most() {
    run(async {
        let (mut a, mut b) = options().chunk(3).pair();
        a.write_all(b"12345678").await.unwrap();
        let mut buf = [0; 100];
        assert_eq!(kind(b.read(&mut buf).await), Ok(3));
        b.control().set_chunk(4);
        assert_eq!(kind(b.read(&mut buf).await), Ok(4));
        assert_eq!(kind(b.read(&mut buf).await), Ok(1));
        assert_eq!(kind(b.read(&mut []).await), Ok(0));
        b.write_all(b"12345678").await.unwrap();
        assert_eq!(kind(a.read(&mut buf).await), Ok(3));
    });
}

#[test]
fn bytes_take_the_delay_and_never_overtake() {
    run(async {
        let (mut a, mut b) = options().delay(ms(100)).pair();
        let mut buf = [0; 1];
        a.write_all(b"1").await.unwrap();
        sleep::<Sim>(ms(30)).await;
        a.write_all(b"2").await.unwrap();
        a.control().set_delay(ms(1));
        a.write_all(b"3").await.unwrap();
        for (byte, later) in [(b'1', 70), (b'2', 30), (b'3', 0)] {
            let (read, time) = timed(b.read(&mut buf)).await;
            assert_eq!((kind(read), buf[0], time), (Ok(1), byte, ms(later)));
        }
        // The way back is as slow.
        b.write_all(b"4").await.unwrap();
        assert_eq!(timed(a.read(&mut buf)).await.1, ms(100));
    });
}

#[test]
fn a_drawn_delay_is_in_its_range_and_the_seed_decides() {
    let times = |seed| {
        run(async move {
            let (mut a, mut b) = options().delay(ms(10)..=ms(20)).seed(seed).pair();
            let mut times = Vec::new();
            for _ in 0..10 {
                a.write_all(b"1").await.unwrap();
                times.push(timed(b.read(&mut [0])).await.1);
            }
            times
        })
    };
    let all: Vec<_> = SEEDS.map(times).collect();
    assert!(
        all.iter()
            .flatten()
            .all(|time| (ms(10)..=ms(20)).contains(time))
    );
    assert_eq!(all, SEEDS.map(times).collect::<Vec<_>>());
    assert!(all.windows(2).all(|two| two[0] != two[1]));
}

#[test]
fn a_narrow_stream_gives_what_has_arrived_packet_by_packet() {
    run(async {
        let rate = NonZeroU64::new(1460).unwrap();
        let (mut a, mut b) = options().bytes_per_second(rate).delay(ms(100)).pair();
        let mut buf = [0; 10_000];
        a.write_all(&pattern(1460 * 2 + 730)).await.unwrap();
        for (bytes, time) in [(1460, 1100), (1460, 1000), (730, 500)] {
            assert_eq!(
                timed(async { kind(b.read(&mut buf).await) }).await,
                (Ok(bytes), ms(time))
            );
        }
    });
}

#[test]
fn closing_is_half_of_it() {
    run(async {
        let (mut a, mut b) = options().delay(ms(5)).pair();
        a.write_all(b"question").await.unwrap();
        a.close().await.unwrap();
        a.close().await.unwrap();
        assert_eq!(kind(a.write(b"more").await), Err(BrokenPipe));
        let (question, time) = timed(rest(&mut b)).await;
        assert_eq!((question.unwrap().as_str(), time), ("question", ms(5)));
        assert_eq!(kind(b.read(&mut [0]).await), Ok(0));

        b.write_all(b"answer").await.unwrap();
        drop(b);
        assert_eq!(rest(&mut a).await.unwrap(), "answer");
    });
}

#[test]
fn who_writes_to_a_dropped_end_is_told() {
    run(async {
        let (mut a, b) = options().buffer(1).pair();
        a.write_all(b"1").await.unwrap();
        let full = async { kind(a.write(b"2").await) };
        let drops = async {
            sleep::<Sim>(ms(1)).await;
            drop(b);
        };
        assert_eq!(join!(full, drops).0, Err(BrokenPipe));
        assert_eq!(kind(a.write(b"2").await), Err(BrokenPipe));
    });
}

#[test]
fn an_end_may_outlive_its_run() {
    let (_a, mut b) = run(async {
        let (mut a, b) = options().delay(ms(5)).pair();
        a.write_all(b"1").await.unwrap();
        (a, b)
    });
    let read = run(async { b.read(&mut [0]).await.unwrap() });
    assert_eq!(read, 1);
}

#[test]
fn an_operation_that_is_cancelled_has_moved_nothing() {
    run(async {
        let (mut a, mut b) = options().buffer(4).delay(ms(10)).pair();
        a.write_all(b"1234").await.unwrap();
        let mut buf = [0; 8];
        assert!(
            move_on_after::<Sim, _>(ms(5), b.read(&mut buf))
                .await
                .is_none()
        );
        assert!(
            move_on_after::<Sim, _>(ms(4), a.write(b"567"))
                .await
                .is_none()
        );
        assert_eq!(
            timed(async { kind(b.read(&mut buf).await) }).await,
            (Ok(4), ms(1))
        );
        a.write_all(b"8").await.unwrap();
        drop(a);
        assert_eq!(rest(&mut b).await.unwrap(), "8");
    });
}

#[test]
fn an_end_fails_after_so_many_bytes_and_goes_on_failing() {
    run(async {
        let (mut a, mut b) = pair();
        let mut buf = [0; 8];
        a.write_all(b"12345").await.unwrap();
        b.control().fail_reads(2, TimedOut);
        for expected in [Ok(2), Err(TimedOut), Err(TimedOut)] {
            assert_eq!(kind(b.read(&mut buf).await), expected);
        }
        a.control().fail_writes(1, ErrorKind::Other);
        for expected in [Ok(1), Err(ErrorKind::Other), Err(ErrorKind::Other)] {
            assert_eq!(kind(a.write(b"67").await), expected);
        }
        assert_eq!(kind(a.flush().await), Err(ErrorKind::Other));
        // The other direction is as it was.
        b.write_all(b"8").await.unwrap();
        assert_eq!(kind(a.read(&mut buf).await), Ok(1));
    });
}

#[test]
fn a_failure_wakes_who_waits() {
    run(async {
        let (mut a, mut b) = options().buffer(1).pair();
        a.write_all(b"1").await.unwrap();
        let (writer, reader) = (a.control(), a.control());
        let (mut read, mut write) = a.split();
        let fails = async {
            sleep::<Sim>(ms(1)).await;
            writer.fail_writes(0, TimedOut);
            sleep::<Sim>(ms(1)).await;
            reader.fail_reads(0, ErrorKind::Other);
        };
        let mut buf = [0];
        let (written, read, ()) = join!(write.write(b"2"), read.read(&mut buf), fails);
        assert_eq!(
            (kind(written), kind(read)),
            (Err(TimedOut), Err(ErrorKind::Other))
        );
        assert_eq!(kind(b.read(&mut buf).await), Ok(1));
    });
}

#[test]
fn a_reset_breaks_both_ends_at_once_and_loses_what_is_under_way() {
    run(async {
        let (mut a, mut b) = options().delay(ms(5)).pair();
        a.write_all(b"lost").await.unwrap();
        let control = a.control();
        let mut buf = [0; 8];
        let reset = async {
            sleep::<Sim>(ms(1)).await;
            control.reset();
        };
        let (read, ()) = join!(b.read(&mut buf), reset);
        assert_eq!(kind(read), Err(ConnectionReset));
        assert_eq!(kind(a.read(&mut buf).await), Err(ConnectionReset));
        for end in [&mut a, &mut b] {
            assert_eq!(kind(end.write(b"1").await), Err(ConnectionReset));
        }
    });
}

#[test]
fn bad_options_are_refused_where_they_are_given() {
    for message in [
        panic_of(|| options().buffer(0)),
        panic_of(|| options().chunk(0)),
        panic_of(|| pair().0.control().set_chunk(0)),
        panic_of(|| options().delay(ms(2)..=ms(1))),
    ] {
        assert!(message.starts_with("anyrt: "), "{message}");
    }
    // A delay that the clock cannot reach is for ever.
    run(async {
        let (mut a, mut b) = options().delay(Duration::MAX).pair();
        a.write_all(b"1").await.unwrap();
        assert!(
            move_on_after::<Sim, _>(ms(1_000_000), b.read(&mut [0]))
                .await
                .is_none()
        );
    });
}
