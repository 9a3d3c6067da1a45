//! The decision. Azure's order: deny assignments first, then any one role assignment that holds the action, then its condition.

use keyless_model::AssignmentId;

use super::Policy;
use super::chain::Chain;
use super::grant::Grant;
use super::subject::{Member, Standing};
use crate::condition::Truth;
use crate::pattern::Action;
use crate::role::Holds;
use crate::{Because, Decision, Effect, Request};

/// How many assignments a refusal names.
const NEAREST: usize = 4;

impl Policy {
    /// Decides. A yes allocates nothing while the principal is in at most fifteen groups.
    #[must_use]
    pub fn decide(&self, request: &Request<'_>) -> Decision {
        match self.grounds(request) {
            Ok(because) => Decision::new(Effect::Allow, because, request),
            Err(because) => Decision::new(Effect::Deny, because, request),
        }
    }

    /// The ground of a yes, or that of a no.
    fn grounds(&self, request: &Request<'_>) -> Result<Because, Because> {
        let action = Action::parse(request.action).ok_or(Because::InvalidAction)?;
        let subject = self.subject(request.principal).ok_or(Because::PrincipalUnknown)?;
        let standing = subject.standing.ok_or(Because::PrincipalUnknown)?;
        if !standing.enabled {
            return Err(Because::PrincipalDisabled);
        }
        let chain = Chain::of(request.scope, &self.tree);
        check_tenant(&chain, standing)?;
        let circle = self.circle(Member { id: request.principal, subject: Some(subject) });
        let asked = (request.plane, &action, request.attributes);
        if let Some(id) = self.denies.forbidding(&chain, &circle, asked) {
            return Err(Because::DenyAssignment { id });
        }

        let mut refusal = Refusal::default();
        for member in circle.iter() {
            let Some(subject) = member.subject.filter(|subject| !subject.grants.is_empty()) else { continue };
            for grant in chain.iter().flat_map(|link| subject.grants.at(link)) {
                match self.holds(grant, request, &action) {
                    Holds::Yes => {
                        let via_group = (member.id != request.principal).then_some(member.id);
                        return Ok(Because::Assignment { id: grant.id, role: grant.role, via_group });
                    }
                    Holds::Conditionally => refusal.condition(grant.id),
                    Holds::No => refusal.role(grant.id),
                }
            }
        }
        Err(refusal.because())
    }

    /// Whether the assignment grants the action: its role holds it, and its own condition and the role's are met. A role that
    /// is not there holds nothing.
    fn holds(&self, grant: &Grant, request: &Request<'_>, action: &Action) -> Holds {
        let Some(role) = self.compiled(grant.role) else { return Holds::No };
        match (role.holds(request.plane, action, request.attributes), grant.guard()) {
            (Holds::Yes, Some(guard)) if guard.truth(action, request.attributes) != Truth::True => Holds::Conditionally,
            (held, _) => held,
        }
    }
}

/// SECURITY: an assignment at the root or at a management group reaches no subscription of another tenant.
fn check_tenant(chain: &Chain<'_>, standing: Standing) -> Result<(), Because> {
    match chain.tenant {
        Some(tenant) if tenant != standing.tenant => Err(Because::OtherTenant),
        _ => Ok(()),
    }
}

/// What the refusal will say: the most specific reason found.
#[derive(Default)]
struct Refusal {
    condition: Option<AssignmentId>,
    nearest: [Option<AssignmentId>; NEAREST],
}

impl Refusal {
    fn condition(&mut self, id: AssignmentId) {
        self.condition.get_or_insert(id);
    }

    fn role(&mut self, id: AssignmentId) {
        if let Some(place) = self.nearest.iter_mut().find(|place| place.is_none()) {
            *place = Some(id);
        }
    }

    fn because(self) -> Because {
        match (self.condition, self.nearest) {
            (Some(id), _) => Because::ConditionNotMet { id },
            (None, [None, ..]) => Because::NoAssignment,
            (None, nearest) => Because::ActionNotGranted { nearest: nearest.into_iter().flatten().collect() },
        }
    }
}
