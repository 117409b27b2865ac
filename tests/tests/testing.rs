//! The test kit through the facade, on every backend that is compiled in; and the same program on sockets.
#![cfg(any(
    feature = "tokio",
    feature = "async-std",
    feature = "smol",
    feature = "sim"
))]

use std::io::{self, ErrorKind};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyrt::testing::{
    Faults, HostStream, Listener, Net, Network, Sequencer, StreamOptions, assert_pending,
    assert_ready, memory_stream_pair, poll_once, wait_all_blocked,
};
use anyrt::{GroupError, Started, available, fail_after, run_on, sleep, task_group};
use anyrt_tests::backend;
use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, FutureExt, join};

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn everywhere<F: Future>(main: impl Fn() -> F) -> Vec<F::Output> {
    let run = |name: &&str| run_on(backend(name), main());
    available().iter().map(run).collect()
}

#[test]
fn only_the_simulator_knows_when_all_are_blocked_and_the_others_say_so() {
    for name in available() {
        let wait = std::panic::AssertUnwindSafe(async { wait_all_blocked().await });
        let waited = run_on(backend(name), wait.catch_unwind());
        match (*name, waited) {
            ("sim", Ok(())) => {}
            (_, Err(payload)) => {
                let message = payload.downcast::<String>().expect("a message");
                for part in [name, concat!(file!(), ":"), "on the simulator"] {
                    assert!(message.contains(part), "{message}");
                }
            }
            (name, Ok(())) => panic!("{name} cannot know"),
        }
    }
}

#[test]
fn a_sequence_holds_between_parallel_tasks() {
    everywhere(async || {
        let seq = Sequencer::new();
        let log = Arc::new(Mutex::new(Vec::new()));
        let group = task_group(async |g| {
            for task in 0..10 {
                let (seq, log) = (seq.clone(), log.clone());
                g.spawn(async move {
                    for round in 0..20 {
                        let number = 10 * round + (task + round) % 10;
                        let _turn = seq.at(number).await;
                        log.lock().unwrap().push(number);
                    }
                    Ok::<_, ()>(())
                });
            }
            Ok(())
        });
        group.await.unwrap();
        assert!(log.lock().unwrap().iter().copied().eq(0..200));
    });
}

#[test]
fn polls_and_streams_need_no_runtime() {
    let (mut a, mut b) = memory_stream_pair();
    let mut buf = [0; 8];
    let mut read = b.read(&mut buf);
    assert_pending!(read);
    assert_eq!(assert_ready!(a.write(b"data")).unwrap(), 4);
    assert_eq!(assert_ready!(read).unwrap(), 4);
    everywhere(async || assert_eq!(poll_once(std::future::ready(7)).await, Some(7)));
}

/// Sends so many bytes through a narrow pair from one task to another, and gives how many came.
async fn send_across(
    bytes: usize,
    mut from: impl AsyncWrite + Unpin + Send + 'static,
    mut to: impl AsyncRead + Unpin + Send + 'static,
) -> usize {
    let sent: Vec<u8> = (0..bytes).map(|n| n as u8).collect();
    let expected = sent.clone();
    let group = task_group(async |g| {
        g.spawn(async move {
            from.write_all(&sent).await?;
            from.close().await
        });
        let mut read = Vec::new();
        to.read_to_end(&mut read).await?;
        assert!(read == expected);
        Ok::<_, io::Error>(read.len())
    });
    group.await.unwrap()
}

#[test]
fn a_stream_in_memory_carries_all_between_parallel_tasks() {
    let sent = everywhere(async || {
        let (from, to) = StreamOptions::new().buffer(7).chunk(5).pair();
        let quick = send_across(2000, from, to).await;
        let (from, to) = StreamOptions::new().buffer(200).delay(ms(1)).pair();
        quick + send_across(500, from, to).await
    });
    assert!(sent.iter().all(|sent| *sent == 2500));
}

#[test]
fn a_seed_means_the_same_faults_on_every_backend() {
    let histories = everywhere(async || {
        let (faulty, mut sound) = memory_stream_pair();
        let faults = Faults::new(7)
            .short_reads(0.5)
            .short_writes(0.5)
            .spurious_pending(0.3)
            .delays(0.1, ms(0)..=ms(1))
            .resets(0.02);
        let mut faulty = faults.wrap(faulty);
        sound.write_all(&[0; 10_000]).await.unwrap();
        let mut history = Vec::new();
        for _ in 0..100 {
            let mut buf = [0; 50];
            let (mut read, mut write) = (&mut faulty).split();
            let both = join!(read.read(&mut buf), write.write(&[0; 50]));
            history.push((both.0.ok(), both.1.ok()));
        }
        history
    });
    assert!(histories.windows(2).all(|two| two[0] == two[1]));
    let last = histories[0].last();
    assert_eq!(last, Some(&(None, None)), "a reset within 100 operations");

    let sent = everywhere(async || {
        let faults = Faults::new(7)
            .short_reads(0.5)
            .short_writes(0.5)
            .spurious_pending(0.5);
        let (from, to) = memory_stream_pair();
        send_across(2000, faults.wrap(from), faults.wrap(to)).await
    });
    assert!(sent.iter().all(|sent| *sent == 2000));
}

/// Answers every connection with what comes in, as long as it comes.
async fn echo(net: impl Net, port: u16, started: Started<u16>) -> io::Result<()> {
    let listener = net.listen(port).await?;
    started.set(listener.port());
    let group = task_group(async |g| {
        loop {
            let (mut stream, peer) = listener.accept().await?;
            assert!(peer.contains(':'));
            g.spawn(async move {
                let mut buf = [0; 100];
                loop {
                    let count = stream.read(&mut buf).await?;
                    if count == 0 {
                        return stream.close().await;
                    }
                    stream.write_all(&buf[..count]).await?;
                }
            });
        }
    });
    group.await.map_err(GroupError::into_first)
}

/// Sends a text, and gives what comes back.
async fn ask(net: impl Net, address: String, text: String) -> io::Result<String> {
    let mut stream = net.connect(&address).await?;
    stream.write_all(text.as_bytes()).await?;
    stream.close().await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}

/// A server at `there`, and ten clients at `here` that know it by the name `name`.
async fn served(here: impl Net, there: impl Net, name: &str) -> io::Result<()> {
    let group = task_group(async |g| {
        let server = g.start(|started| echo(there, 0, started)).await;
        let (port, _) = server.map_err(io::Error::other)?;
        let address = format!("{name}:{port}");
        let clients: Vec<_> = (0..10)
            .map(|n| g.spawn(ask(here.clone(), address.clone(), format!("text {n}"))))
            .collect();
        for (n, client) in clients.into_iter().enumerate() {
            assert_eq!(client.await, format!("text {n}"));
        }
        g.cancel();
        Ok(())
    });
    group.await.map_err(GroupError::into_first)
}

#[test]
fn client_and_server_meet_in_memory() {
    everywhere(async || {
        let network = Network::new(7).latency(ms(0)..=ms(2));
        let (here, there) = (network.host("here"), network.host("there"));
        served(here, there, "there").await.unwrap();
    });
}

#[cfg(feature = "smol")]
mod sockets {
    use smol::net::{TcpListener, TcpStream};

    use super::*;

    #[derive(Clone)]
    struct Loopback;

    struct Port(TcpListener);

    impl Net for Loopback {
        type Stream = TcpStream;
        type Listener = Port;

        async fn connect(&self, address: &str) -> io::Result<TcpStream> {
            TcpStream::connect(address).await
        }

        async fn listen(&self, port: u16) -> io::Result<Port> {
            Ok(Port(TcpListener::bind(("127.0.0.1", port)).await?))
        }
    }

    impl Listener for Port {
        type Stream = TcpStream;

        async fn accept(&self) -> io::Result<(TcpStream, String)> {
            let (stream, peer) = self.0.accept().await?;
            Ok((stream, peer.to_string()))
        }

        fn port(&self) -> u16 {
            self.0.local_addr().map_or(0, |address| address.port())
        }
    }

    #[test]
    fn the_same_client_and_server_meet_on_sockets() {
        run_on(backend("smol"), served(Loopback, Loopback, "127.0.0.1")).unwrap();
    }
}

#[test]
fn a_partition_holds_what_is_sent_until_it_is_healed() {
    everywhere(async || {
        let network = Network::new(7).connect_timeout(ms(5));
        let (here, there) = (network.host("here"), network.host("there"));
        let listener = there.listen(80).await.unwrap();
        let (near, far) = join!(here.connect("there:80"), listener.accept());
        let (mut near, mut far): (HostStream, HostStream) = (near.unwrap(), far.unwrap().0);

        network.partition("here", "there");
        near.write_all(b"data").await.unwrap();
        let mut buf = [0; 4];
        assert!(fail_after(ms(5), far.read_exact(&mut buf)).await.is_err());
        let refused = here.connect("there:80").await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::TimedOut);

        let healed = network.clone();
        let heals = async {
            sleep(ms(2)).await;
            healed.heal("here", "there");
        };
        let (read, ()) = join!(far.read_exact(&mut buf), heals);
        assert_eq!((read.unwrap(), &buf), ((), b"data"));
    });
}
