//! An answer passed on as it comes: nothing is read that the caller has not made room for, and when the caller goes away, the
//! connection to the model server goes with it.
//!
//! Who makes no room is not asked for more, so this alone would never notice a caller who stays and does not read; [`super::watchdog`]
//! does.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::Body as _;
use keyless_audit::{AuditUnavailable, Outcome};
use tokio::time::{Instant, Sleep};

use super::events::Events;
use super::tail::Tail;
use crate::forward::{Source, UpstreamFault};
use crate::pieces::BoxError;
use crate::record::{Call, Writing};
use crate::refuse::Refusal;
use crate::standing::Standing;

/// How an answer is read on its way.
#[derive(Debug)]
pub(crate) enum Mode {
    Events(Events),
    Whole(Tail),
}

/// How long an answer may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Between two pieces of the model server.
    pub(crate) idle: Duration,
    /// For a piece that the caller has room for and does not take.
    pub(crate) unread: Duration,
    /// The end of the call.
    pub(crate) ends: Instant,
}

/// An answer under way.
#[derive(Debug)]
pub(crate) struct Relay {
    source: Source,
    mode: Mode,
    call: Call,
    status: u16,
    /// Ready to leave.
    out: VecDeque<Bytes>,
    limits: Limits,
    /// Runs only while the model server is silent.
    silence: Option<Pin<Box<Sleep>>>,
    /// Since when it is the caller's turn to ask for more; none while it waits for the model server.
    offered: Option<Instant>,
    /// Whoever waits for the model server.
    waiter: Option<Waker>,
    right: Option<Standing>,
    state: State,
}

/// An answer that is ended in the middle, though the model server would go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
enum Overdue {
    #[error("the caller stopped reading the answer")]
    Unread,
    #[error("the call took longer than the gateway allows")]
    TooLong,
}

#[derive(Debug)]
enum State {
    Open,
    /// The call is being recorded; what is to leave after that, and what follows.
    Recording(Writing, VecDeque<Bytes>, After),
    /// The model server has said everything.
    Ended,
    /// What is ready is on its way; hyper throws away what it has not written yet when a body fails, so it gets a turn first.
    Breaking(BoxError),
    Broken(BoxError),
    Done,
}

/// What follows on the record of the call.
#[derive(Debug)]
enum After {
    /// The stream said its last event; the rest of it is passed on.
    Open,
    Ended,
    Breaking(BoxError),
}

impl Relay {
    pub(crate) fn new(source: Source, mode: Mode, call: Call, status: u16, limits: Limits, right: Option<Standing>) -> Self {
        Self {
            source,
            mode,
            call,
            status,
            out: VecDeque::new(),
            limits,
            silence: None,
            offered: Some(Instant::now()),
            waiter: None,
            right,
            state: State::Open,
        }
    }

    /// Puts pieces that were read already in front.
    pub(crate) fn preceded_by(mut self, pieces: Vec<Bytes>) -> Self {
        for piece in pieces {
            self.take(piece);
        }
        self
    }

    pub(crate) const fn is_done(&self) -> bool {
        matches!(self.state, State::Done)
    }

    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, BoxError>>> {
        self.cut_off_when_lost();
        let next = self.poll_next(cx);
        if next.is_ready() {
            self.offered = Some(Instant::now());
        } else {
            self.offered = None;
            if !self.waiter.as_ref().is_some_and(|waiter| waiter.will_wake(cx.waker())) {
                self.waiter = Some(cx.waker().clone());
            }
        }
        next
    }

    /// Ends the answer when its right or its time is over, whether or not anybody asks for more of it. Returns when to look again; none
    /// when there is nothing left to watch.
    pub(super) fn look(&mut self, now: Instant) -> Option<Instant> {
        match self.state {
            State::Open => self.cut_off_when_lost(),
            State::Recording(..) => return Some(now + self.limits.unread),
            _ => return None,
        }
        let unread = self.offered.unwrap_or(now) + self.limits.unread;
        if now >= self.limits.ends {
            self.overdue(Overdue::TooLong);
        } else if now >= unread {
            self.overdue(Overdue::Unread);
        }
        if matches!(self.state, State::Open) {
            return Some(unread.min(self.limits.ends));
        }
        if let Some(waiter) = self.waiter.take() {
            waiter.wake();
        }
        None
    }

    fn overdue(&mut self, overdue: Overdue) {
        if !matches!(self.state, State::Open) {
            return;
        }
        // The connection to the model server goes with it.
        self.source = Source::BuiltIn(VecDeque::new());
        if self.call.is_recorded() {
            self.state = State::Ended;
            return;
        }
        tracing::warn!(%overdue, request_id = %self.call.ctx.request_id, "an answer was ended");
        self.out.clear();
        self.call.failed(&overdue);
        self.call.detail.cancelled = overdue == Overdue::Unread;
        let last = (overdue == Overdue::TooLong && matches!(self.mode, Mode::Events(_)))
            .then(|| keyless_wire::ai::AiError::wrapped(504, "GatewayTimeout", "The call took longer than the gateway allows.").event());
        self.record(Outcome::Failed, last.map(Bytes::from).into_iter().collect(), After::Breaking(overdue.into()));
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, BoxError>>> {
        loop {
            if let Some(piece) = self.out.pop_front() {
                if piece.is_empty() {
                    continue;
                }
                return Poll::Ready(Some(Ok(piece)));
            }
            match std::mem::replace(&mut self.state, State::Done) {
                State::Open => self.state = State::Open,
                State::Recording(mut writing, last, after) => match Pin::new(&mut writing).poll(cx) {
                    Poll::Ready(recorded) => {
                        self.recorded(recorded, last, after);
                        continue;
                    }
                    Poll::Pending => {
                        self.state = State::Recording(writing, last, after);
                        return Poll::Pending;
                    }
                },
                State::Ended | State::Done => return Poll::Ready(None),
                State::Breaking(error) => {
                    self.state = State::Broken(error);
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                State::Broken(error) => return Poll::Ready(Some(Err(error))),
            }
            match self.poll_source(cx) {
                Poll::Ready(Some(Ok(chunk))) => self.take(chunk),
                Poll::Ready(Some(Err(fault))) => self.fail(fault),
                Poll::Ready(None) => self.end(),
                Poll::Pending => return Poll::Pending,
            }
        }
    }

    fn poll_source(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, UpstreamFault>>> {
        let body = match &mut self.source {
            Source::BuiltIn(pieces) => return Poll::Ready(pieces.pop_front().map(Ok)),
            Source::Server(body) => body,
        };
        loop {
            match Pin::new(&mut *body).poll_frame(cx) {
                Poll::Ready(next) => {
                    self.silence = None;
                    match next {
                        None => return Poll::Ready(None),
                        Some(Err(error)) => return Poll::Ready(Some(Err(UpstreamFault::Broken(error.to_string())))),
                        Some(Ok(frame)) => {
                            if let Ok(chunk) = frame.into_data() {
                                return Poll::Ready(Some(Ok(chunk)));
                            }
                        }
                    }
                }
                Poll::Pending => {
                    let silence = self.silence.get_or_insert_with(|| Box::pin(tokio::time::sleep(self.limits.idle)));
                    return silence.as_mut().poll(cx).map(|()| Some(Err(UpstreamFault::Idle)));
                }
            }
        }
    }

    fn take(&mut self, chunk: Bytes) {
        match &mut self.mode {
            Mode::Events(events) => {
                let mut fresh = VecDeque::new();
                let Ok(noticed) = events.push(chunk, &mut fresh) else {
                    return self.fail(UpstreamFault::Form("an endless event".to_owned()));
                };
                self.call.produced(noticed.pieces);
                if let Some(usage) = noticed.usage {
                    self.call.used(usage);
                }
                fresh.iter().for_each(|piece| self.call.passed_on(piece.len()));
                let last = noticed.last_at.map(|at| fresh.split_off(at));
                self.out.append(&mut fresh);
                // INVARIANT: the event that ends the stream leaves after the call was recorded, not before.
                if let Some(last) = last {
                    self.record(Outcome::Allowed, last, After::Open);
                }
            }
            Mode::Whole(tail) => {
                self.call.passed_on(chunk.len());
                let passed = tail.push(chunk);
                self.out.extend(passed);
            }
        }
        if matches!(self.state, State::Open) && self.is_source_empty() {
            self.end();
        }
    }

    fn is_source_empty(&self) -> bool {
        match &self.source {
            Source::Server(body) => body.is_end_stream(),
            Source::BuiltIn(pieces) => pieces.is_empty(),
        }
    }

    fn end(&mut self) {
        let rest = match &mut self.mode {
            Mode::Events(events) => Some(events.finish()),
            Mode::Whole(tail) => {
                if let Some(usage) = tail.usage() {
                    self.call.used(usage);
                }
                tail.release()
            }
        };
        self.record(Outcome::Allowed, rest.into_iter().collect(), After::Ended);
    }

    /// The model server let us down in the middle. A stream gets an event that says so, which the SDKs raise as an error; then, as
    /// every answer, it breaks off instead of ending.
    fn fail(&mut self, fault: UpstreamFault) {
        tracing::warn!(%fault, request_id = %self.call.ctx.request_id, "an answer broke off");
        self.call.failed(&fault);
        let last = matches!(self.mode, Mode::Events(_)).then(|| {
            let text = format!(r#"data: {{"error":{{"code":"{}","message":"{}"}}}}"#, fault.code(), fault.public_message());
            Bytes::from(format!("{text}\n\n"))
        });
        self.record(Outcome::Failed, last.into_iter().collect(), After::Breaking(fault.into()));
    }

    /// SECURITY: an answer under way must not outlive a revocation. What was not passed on yet is dropped, and so is the connection to the
    /// model server. A stream gets an event that says why.
    fn cut_off_when_lost(&mut self) {
        if !matches!(self.state, State::Open) || self.call.is_recorded() {
            return;
        }
        let Some(Err(refusal)) = self.right.as_mut().map(Standing::check) else { return };
        self.cut_off(refusal);
    }

    fn cut_off(&mut self, refusal: Refusal) {
        self.out.clear();
        self.source = Source::BuiltIn(VecDeque::new());
        let last = matches!(self.mode, Mode::Events(_)).then(|| Bytes::from(refusal.answer().error.event()));
        let writing = self.call.cut_off(&refusal, self.status);
        self.after(writing, last.into_iter().collect(), After::Breaking(Box::new(refusal)));
    }

    /// Records the call; only then does `last` leave.
    fn record(&mut self, outcome: Outcome, last: VecDeque<Bytes>, after: After) {
        let writing = self.call.end(self.status, outcome);
        self.after(writing, last, after);
    }

    fn after(&mut self, writing: Writing, last: VecDeque<Bytes>, after: After) {
        match writing {
            Writing::Done(recorded) => self.recorded(recorded, last, after),
            writing @ Writing::OnDisk(_) => self.state = State::Recording(writing, last, after),
        }
    }

    /// Without a record, the answer breaks off before its end.
    fn recorded(&mut self, recorded: Result<(), AuditUnavailable>, mut last: VecDeque<Bytes>, after: After) {
        self.state = match recorded {
            Err(error) => State::Breaking(error.into()),
            Ok(()) => {
                self.out.append(&mut last);
                match after {
                    After::Open => State::Open,
                    After::Ended => State::Ended,
                    After::Breaking(error) => State::Breaking(error),
                }
            }
        };
    }
}
