//! Our decision over the drawn directory.

use keyless_model::entity::Mutation;
use keyless_rbac::{Attributes, Policy, Request, builtin};

use crate::drawn::{Drawn, Question};

/// The product's evaluator.
pub(crate) struct Ours(Policy);

impl Ours {
    pub(crate) fn load(drawn: Drawn) -> Self {
        let mut policy = Policy::default();
        builtin::roles().into_iter().for_each(|role| policy.apply(&Mutation::put(role)));
        drawn.principals().for_each(|principal| policy.apply(&Mutation::put(principal)));
        drawn.groups().for_each(|group| policy.apply(&Mutation::put(group)));
        (0..drawn.assignments).for_each(|number| policy.apply(&Mutation::put(drawn.assignment(number))));
        Self(policy)
    }

    pub(crate) fn allows(&self, question: &Question) -> bool {
        let Question { principal, action, plane, ref scope } = *question;
        self.0.decide(&Request { principal, action, plane, scope, attributes: Attributes::NONE }).is_allowed()
    }
}
