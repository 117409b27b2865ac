//! The thread of a signal handler cancels and stops, on every backend. The signals are raised by this very process.
#![cfg(unix)]

use std::future::pending;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyrt::{CancelScope, Reason, stopping, to_thread};
use futures::future::join;
use signal_hook::consts::{SIGUSR1, SIGUSR2};
use signal_hook::iterator::{Handle, Signals};
use signal_hook::low_level::raise;

const HOUR: Duration = Duration::from_secs(3600);

/// A thread that hears a signal and does something about it.
struct Handler {
    signal: i32,
    handle: Handle,
    thread: JoinHandle<()>,
    done: Arc<Mutex<Receiver<()>>>,
}

impl Handler {
    fn new(signal: i32, on_signal: impl Fn(usize) + Send + 'static) -> Self {
        let mut signals = Signals::new([signal]).unwrap();
        let handle = signals.handle();
        let (send, done) = channel();
        let thread = thread::spawn(move || {
            for (nth, _) in signals.forever().enumerate() {
                on_signal(nth);
                send.send(()).unwrap();
            }
        });
        Self {
            signal,
            handle,
            thread,
            done: Arc::new(Mutex::new(done)),
        }
    }

    /// Raises the signal, and waits until the thread has done its part.
    async fn raise(&self) {
        // A call stands for that thread, of which a simulator could not know.
        let (signal, done) = (self.signal, self.done.clone());
        let call = to_thread(move || {
            raise(signal).unwrap();
            done.lock().unwrap().recv().unwrap();
        });
        call.await;
    }

    fn close(self) {
        self.handle.close();
        self.thread.join().unwrap();
    }
}

#[test]
fn the_thread_of_a_signal_handler_may_cancel() {
    for name in anyrt::available() {
        let scope = CancelScope::new();
        let cancel = scope.clone();
        let handler = Handler::new(SIGUSR1, move |_| cancel.cancel_with("SIGUSR1"));
        let main = join(scope.run(pending::<()>()), handler.raise());
        let (cut, ()) = anyrt::run_on(anyrt_tests::backend(name), main);
        let reason = Reason::Explicit(Some("SIGUSR1".into()));
        assert_eq!(cut.unwrap_err().reason(), &reason, "{name}");
        handler.close();
    }
}

#[test]
fn the_thread_of_a_signal_handler_may_stop_first_and_cancel_then() {
    for name in anyrt::available() {
        let scope = CancelScope::new();
        let stop = scope.clone();
        let handler = Handler::new(SIGUSR2, move |nth| match nth {
            0 => stop.stop(HOUR),
            _ => stop.cancel_with("the second one"),
        });
        anyrt::run_on(anyrt_tests::backend(name), async {
            let polite = async {
                stopping().await;
                "put away"
            };
            let (polite, ()) = join(scope.run(polite), handler.raise()).await;
            assert_eq!(polite, Ok("put away"), "{name}");
            let (deaf, ()) = join(scope.run(pending::<()>()), handler.raise()).await;
            let reason = Reason::Explicit(Some("the second one".into()));
            assert_eq!(deaf.unwrap_err().reason(), &reason, "{name}");
        });
        handler.close();
    }
}
