//! A program without async: plain threads ask for prices, and what waits for them runs on a thread of its own.
//!
//! `main` starts a portal, and with it a runtime. Through it a server is started, which says when it is ready; then
//! threads ask it, and block until they have their answers. One price takes an hour, and whoever asks for it has set
//! a limit. In the end the last portal is dropped: that cancels the server, and waits until it has cleaned up.
//!
//! ```text
//! cargo run --example sync_program -- --backend sim
//! cargo run --example sync_program -- --backend all
//! ```

use std::io::{self, Write};
use std::thread;
use std::time::Duration;

use anyrt::{
    Backend, Current, GroupError, PortalClosed, Started, UnknownBackend, available, fail_after,
    finally, sleep, start_portal, task_group,
};
use async_channel::{Receiver, Sender, bounded};
use clap::Parser;

/// Threads that ask a server, without async
#[derive(Parser)]
struct Args {
    /// What to run on: tokio, async-std, smol or sim; `all` for one after the other
    #[arg(long, value_name = "NAME", default_value = "tokio", value_parser = backends)]
    backend: std::vec::Vec<Current>,
}

fn backends(name: &str) -> Result<Vec<Current>, UnknownBackend> {
    match name {
        "all" => available().iter().map(|name| name.parse()).collect(),
        name => Ok(vec![name.parse()?]),
    }
}

fn main() -> Result<(), PortalClosed> {
    for backend in Args::parse().backend {
        say(&format!("on {}", backend.name()));
        shop(backend)?;
        say("the runtime has ended");
    }
    Ok(())
}

/// Everything in here blocks, and nothing of it is async.
fn shop(backend: Current) -> Result<(), PortalClosed> {
    let portal = start_portal(backend);
    let (questions, server) = portal.start(serve)?;
    say("the server is ready");

    let (patient, hasty) = (Duration::from_secs(60), Duration::from_millis(100));
    let customers = [("apples", patient), ("pears", patient), ("plums", hasty)];
    let threads = customers.map(|(what, limit)| {
        let (portal, questions) = (portal.clone(), questions.clone());
        thread::spawn(move || portal.call(fail_after(limit, ask(questions, what))))
    });
    for (thread, (what, _)) in threads.into_iter().zip(customers) {
        match thread.join().expect("it does not panic")? {
            Ok(price) => say(&format!("{what}: {price}")),
            Err(_elapsed) => say(&format!("{what}: it takes too long")),
        }
    }

    // It serves until it is cancelled; here it is by the drop of the portal.
    match server.wait_timeout(Duration::ZERO) {
        Ok(end) => say(&format!("the server has ended too early: {end:?}")),
        Err(_server) => say("enough"),
    }
    Ok(())
}

struct Question {
    what: &'static str,
    answer: Sender<usize>,
}

async fn ask(questions: Sender<Question>, what: &'static str) -> usize {
    let (answer, answered) = bounded(1);
    let sent = questions.send(Question { what, answer }).await;
    sent.expect("the server is there");
    answered.recv().await.expect("the server answers")
}

async fn serve(started: Started<Sender<Question>>) {
    let (questions, asked) = bounded(10);
    started.set(questions);
    finally(answer_all(asked), async || {
        sleep(Duration::from_millis(10)).await;
        say("the server has cleaned up");
    })
    .await;
}

async fn answer_all(asked: Receiver<Question>) {
    let group = task_group(async |g| {
        while let Ok(question) = asked.recv().await {
            g.spawn(answer(question));
        }
        Ok(())
    });
    match group.await {
        Ok(()) => {}
        Err(GroupError { first, .. }) => match first {},
    }
}

async fn answer(question: Question) -> Result<(), std::convert::Infallible> {
    let looking_it_up = match question.what {
        "plums" => Duration::from_secs(3600),
        _ => Duration::from_millis(10),
    };
    sleep(looking_it_up).await;
    // Whoever has asked may be gone.
    question.answer.send(question.what.len()).await.ok();
    Ok(())
}

/// Prints a line; a closed pipe is nobody's concern here.
fn say(line: &str) {
    writeln!(io::stdout(), "{line}").ok();
}
