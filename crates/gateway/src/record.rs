//! The record of one call, from its arrival to the end of its answer: budget settled, audit event written.
//!
//! INVARIANT: every call is recorded exactly once - when its answer is about to end, when it is refused, or, when the caller goes
//! away in between, as it is dropped. Of many calls that were refused before a right was found, the number is recorded. An answer of
//! which a part may have left is recorded even when that takes until the log can be written again.

use std::sync::Arc;

use keyless_audit::{AuditEvent, AuditUnavailable, Category, DataDetail, DecisionRecord, Outcome};
use keyless_model::entity::Account;
use keyless_model::{Actor, OpContext, Scope};
use keyless_rbac::Permit;
use keyless_store::decision;
use keyless_web::{Caller, Platform, Refused, RefusedBy};
use tokio::time::Instant;

use crate::admit::Reservation;
use crate::plan::Plan;
use crate::refuse::Refusal;
use crate::route::{Operation, UNKNOWN};
use crate::shares::Seat;

mod entry;
mod recorder;
mod together;

use entry::{Entry, Unwritten};
pub(crate) use recorder::{Recorder, Writing};

/// The status that stands for "the caller went away" (nginx's).
const CLIENT_CLOSED: u16 = 499;

/// Tokens that a model server says it used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Usage {
    pub(crate) prompt: u64,
    pub(crate) completion: u64,
}

/// A call under way.
#[derive(Debug)]
pub(crate) struct Call {
    platform: Arc<Platform>,
    recorder: Arc<Recorder>,
    /// Its place among the calls under way; until its event is written or kept.
    seat: Option<Arc<Seat>>,
    pub(crate) ctx: OpContext,
    pub(crate) started: Instant,
    pub(crate) operation: &'static Operation,
    target: Option<Scope>,
    location: Option<Arc<str>>,
    decision: Option<DecisionRecord>,
    pub(crate) detail: DataDetail,
    reservation: Option<Reservation>,
    /// What the prompt alone was estimated at.
    prompt_estimate: u64,
    /// Pieces of the answer that each carry about one token; counts when no usage is reported.
    pieces: u64,
    usage: Option<Usage>,
    stage: Stage,
}

/// How far it got; decides what an unfinished call has cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Nothing was forwarded.
    Here,
    /// The model server may be working.
    Forwarded,
    /// The model server refused: nothing was used.
    TurnedDown,
    Recorded,
}

impl Call {
    pub(crate) fn begin(platform: &Arc<Platform>, recorder: &Arc<Recorder>, ctx: OpContext) -> Self {
        Self {
            platform: Arc::clone(platform),
            recorder: Arc::clone(recorder),
            seat: None,
            ctx,
            started: Instant::now(),
            operation: &UNKNOWN,
            target: None,
            location: None,
            decision: None,
            detail: DataDetail::default(),
            reservation: None,
            prompt_estimate: 0,
            pieces: 0,
            usage: None,
            stage: Stage::Here,
        }
    }

    pub(crate) fn platform(&self) -> &Platform {
        &self.platform
    }

    pub(crate) fn addressed(&mut self, account: &Account) {
        self.target = Some(account.scope.clone());
        self.location = Some(account.location.as_str().into());
    }

    pub(crate) fn called_by(&mut self, actor: Actor, caller: Option<&Caller>) {
        self.ctx.actor = actor;
        self.detail.token_id = caller.map(|caller| caller.token.token_id.as_str().into());
    }

    /// The policy is about to be asked at `scope`.
    pub(crate) fn judged_at(&mut self, scope: &Scope) {
        self.target = Some(scope.clone());
    }

    pub(crate) fn permitted(&mut self, permit: &Permit) {
        self.decision = Some(decision::of_permit(permit));
    }

    pub(crate) fn planned(&mut self, plan: &Plan) {
        self.detail.deployment = Some(Arc::clone(&plan.name));
        self.detail.model = Some(Arc::clone(&plan.answered_by));
        self.detail.model_version.clone_from(&plan.model_version);
    }

    pub(crate) fn admitted(&mut self, reservation: Reservation, prompt_estimate: u64) {
        self.reservation = Some(reservation);
        self.prompt_estimate = prompt_estimate;
    }

    pub(crate) fn seated(&mut self, seat: Arc<Seat>) {
        self.seat = Some(seat);
    }

    pub(crate) const fn reservation(&self) -> Option<&Reservation> {
        self.reservation.as_ref()
    }

    pub(crate) const fn forwarded(&mut self) {
        self.stage = Stage::Forwarded;
    }

    pub(crate) const fn turned_down(&mut self) {
        self.stage = Stage::TurnedDown;
    }

    pub(crate) const fn passed_on(&mut self, bytes: usize) {
        self.detail.response_bytes += bytes as u64;
    }

    pub(crate) const fn produced(&mut self, pieces: u64) {
        self.pieces += pieces;
    }

    pub(crate) const fn used(&mut self, usage: Usage) {
        self.usage = Some(usage);
    }

    /// An answer of which a part has left is about to end: writes the event. Only when that is done may the last bytes leave. On an error the
    /// answer must not end well; its event is kept until it can be written.
    pub(crate) fn end(&mut self, status: u16, outcome: Outcome) -> Writing {
        match self.event(status, outcome) {
            Some(event) => {
                let seat = self.seat.take();
                // Without a seat no model was asked, and nothing has left.
                let unwritten = if seat.is_some() { Unwritten::BrokenOff } else { Unwritten::Withheld };
                self.recorder.now(Entry { event, unwritten, seat })
            }
            None => Writing::Done(Ok(())),
        }
    }

    /// An answer of which nothing has left is recorded, with one write for all calls that end now.
    ///
    /// # Errors
    /// When the event could not be written; the answer must then not leave.
    pub(crate) async fn end_together(&mut self, status: u16, outcome: Outcome) -> Result<(), AuditUnavailable> {
        let Some(event) = self.event(status, outcome) else { return Ok(()) };
        let written = self.together(event).await;
        self.noticed(written)
    }

    /// The call is refused.
    ///
    /// # Errors
    /// When the event could not be written.
    pub(crate) async fn refused(&mut self, refusal: &Refusal, status: u16) -> Result<(), AuditUnavailable> {
        if self.decision.is_some() {
            self.judged(refusal);
            return self.end_together(status, refusal.outcome()).await;
        }
        // No right was found: of many such calls the number is recorded.
        self.judged(refusal);
        let Some(event) = self.event(status, refusal.outcome()) else { return Ok(()) };
        let refused = Refused::new(RefusedBy::Gateway, refusal.reason()).of(self.operation.api);
        let written = match self.platform.admit_refusal(refused, event) {
            Some(event) => self.together(event).await,
            None => self.platform.audit.ready(),
        };
        self.noticed(written)
    }

    /// The right to the answer ended while it was under way, and so does the answer.
    pub(crate) fn cut_off(&mut self, refusal: &Refusal, status: u16) -> Writing {
        self.judged(refusal);
        if let Some(decision) = &mut self.decision {
            decision.because = format!("the answer was cut off: {}", decision.because).into();
        }
        self.end(status, refusal.outcome())
    }

    fn judged(&mut self, refusal: &Refusal) {
        if refusal.outcome() == Outcome::Denied {
            self.decision = Some(match refusal {
                Refusal::Denied { denial, .. } => decision::of_denial(denial),
                // What was permitted and refused all the same - over budget, say - keeps the assignment that permitted it.
                _ => {
                    let assignment = self.decision.take().and_then(|decision| decision.assignment);
                    DecisionRecord { assignment, ..DecisionRecord::refused(refusal.because()) }
                }
            });
        } else {
            self.failed(refusal);
        }
    }

    /// The call was allowed and comes to nothing all the same: the record says why, beside what allowed it.
    pub(crate) fn failed(&mut self, cause: &impl std::fmt::Display) {
        if let Some(decision) = &mut self.decision {
            decision.because = format!("{cause} (allowed: {})", decision.because).into();
        }
    }

    pub(crate) fn is_recorded(&self) -> bool {
        self.stage == Stage::Recorded
    }

    /// What is recorded of the call; none when that was done.
    fn event(&mut self, status: u16, outcome: Outcome) -> Option<AuditEvent> {
        if self.stage == Stage::Recorded {
            return None;
        }
        self.settle();
        self.stage = Stage::Recorded;
        let operation = if self.operation.api.is_empty() { UNKNOWN.api } else { self.operation.api };
        let mut event = AuditEvent::new(&self.ctx, Category::Data, operation, outcome);
        let mut detail = std::mem::take(&mut self.detail);
        detail.api = operation.into();
        detail.action = (!self.operation.action.is_empty()).then_some(self.operation.action.into());
        detail.latency_micros = u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX);
        detail.prompt_tokens = self.usage.map(|usage| usage.prompt);
        detail.completion_tokens = self.usage.map(|usage| usage.completion);
        event.target = self.target.take();
        event.location = self.location.take();
        event.decision = self.decision.take();
        event.status = Some(status);
        event.data = Some(detail);
        Some(event)
    }

    async fn together(&mut self, event: AuditEvent) -> Result<(), AuditUnavailable> {
        let seat = self.seat.take();
        self.recorder.together(Entry { event, unwritten: Unwritten::Withheld, seat }).await
    }

    fn noticed(&self, written: Result<(), AuditUnavailable>) -> Result<(), AuditUnavailable> {
        written.inspect_err(|error| {
            // The log itself raises the alarm, and says how many there are.
            tracing::debug!(%error, request_id = %self.ctx.request_id, "a call was not audited and its answer is withheld");
        })
    }

    /// Corrects the reservation to what was used, or to the best that is known of it.
    fn settle(&mut self) {
        let Some(reservation) = self.reservation.take() else { return };
        match (self.stage, self.usage) {
            (_, Some(usage)) => reservation.settle(usage.prompt.saturating_add(usage.completion)),
            (Stage::Here | Stage::TurnedDown, None) => reservation.settle(0),
            // A stream without usage: every event carries about one token.
            (_, None) if self.pieces > 0 => reservation.settle(self.prompt_estimate.saturating_add(self.pieces)),
            // Nobody said what it cost: the estimate stands.
            (_, None) => drop(reservation),
        }
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        if self.stage != Stage::Recorded {
            self.detail.cancelled = true;
            if self.decision.is_some() {
                drop(self.end(CLIENT_CLOSED, Outcome::Failed));
            } else if let Some(event) = self.event(CLIENT_CLOSED, Outcome::Failed)
                // Whoever hangs up before a right was found must not write more than whoever waits for the refusal.
                && let Some(event) = self.platform.admit_refusal(Refused::new(RefusedBy::Gateway, "the caller went away"), event)
            {
                drop(self.recorder.now(Entry { event, unwritten: Unwritten::Withheld, seat: None }));
            }
        }
    }
}
