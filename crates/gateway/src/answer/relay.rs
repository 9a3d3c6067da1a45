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
use keyless_audit::Outcome;
use tokio::time::{Instant, Sleep};

use super::events::Events;
use super::tail::Tail;
use crate::body::BoxError;
use crate::forward::{Source, UpstreamFault};
use crate::record::Call;
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
    /// The model server has said everything.
    Ended,
    /// What is ready is on its way; hyper throws away what it has not written yet when a body fails, so it gets a turn first.
    Breaking(BoxError),
    Broken(BoxError),
    Done,
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
        if !matches!(self.state, State::Open) {
            return None;
        }
        self.cut_off_when_lost();
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
        if self.record(Outcome::Failed) {
            if overdue == Overdue::TooLong && matches!(self.mode, Mode::Events(_)) {
                let error = keyless_wire::ai::AiError::wrapped(504, "GatewayTimeout", "The call took longer than the gateway allows.");
                self.out.push_back(error.event().into());
            }
            self.state = State::Breaking(overdue.into());
        }
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
                if let Some(mut last) = last
                    && self.record(Outcome::Allowed)
                {
                    self.out.append(&mut last);
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
        if self.record(Outcome::Allowed) {
            self.out.extend(rest);
            self.state = State::Ended;
        }
    }

    /// The model server let us down in the middle. A stream gets an event that says so, which the SDKs raise as an error; then, as
    /// every answer, it breaks off instead of ending.
    fn fail(&mut self, fault: UpstreamFault) {
        tracing::warn!(%fault, request_id = %self.call.ctx.request_id, "an answer broke off");
        self.call.failed(&fault);
        if self.record(Outcome::Failed) {
            if matches!(self.mode, Mode::Events(_)) {
                let text = format!(r#"data: {{"error":{{"code":"{}","message":"{}"}}}}"#, fault.code(), fault.public_message());
                self.out.push_back(format!("{text}\n\n").into());
            }
            self.state = State::Breaking(fault.into());
        }
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
        let recorded = self.call.cut_off(&refusal, self.status);
        if recorded.is_ok() && matches!(self.mode, Mode::Events(_)) {
            self.out.push_back(refusal.answer().error.event().into());
        }
        self.state = State::Breaking(recorded.map_or_else(Into::into, |()| Box::new(refusal).into()));
    }

    /// Records the call; when that fails, the answer breaks off before its end.
    fn record(&mut self, outcome: Outcome) -> bool {
        let recorded = self.call.end(self.status, outcome);
        recorded.map_err(|error| self.state = State::Breaking(error.into())).is_ok()
    }
}
