//! What the audit says of a decision. It does not decide.

use keyless_audit::DecisionRecord;
use keyless_rbac::{Because, Denial, Permit};

/// The record of what a permit rests on.
#[must_use]
pub fn of_permit(permit: &Permit) -> DecisionRecord {
    record(true, permit.because())
}

/// The record of a refusal by the policy.
#[must_use]
pub fn of_denial(denial: &Denial) -> DecisionRecord {
    record(false, &denial.because)
}

fn record(allowed: bool, because: &Because) -> DecisionRecord {
    let mut record = DecisionRecord { allowed, because: because.to_string().into(), ..DecisionRecord::default() };
    match because {
        Because::Assignment { id, role, via_group } => {
            (record.assignment, record.role, record.via_group) = (Some(*id), Some(*role), *via_group);
        }
        Because::ConditionNotMet { id } => record.assignment = Some(*id),
        Because::DenyAssignment { id } => record.deny = Some(*id),
        _ => {}
    }
    record
}
