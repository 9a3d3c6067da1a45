//! `PATCH /v1.0/applications/{object id}/federatedIdentityCredentials/{name or id}`

use keyless_directory::plan::federation::{self, ClaimsMatchingExpression, Wished};
use keyless_model::entity::{FederatedOwner, Mutation, SubjectMatch};

use super::federated;
use crate::answer::Reply;
use crate::call::{Call, Plan};
use crate::failure::Failure;
use crate::graph::{find, shape};

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    let body: Wished = call.json()?;
    call.commit(|snapshot| {
        let application = find::application(call, snapshot, call.param("id"))?;
        let row = federated(snapshot, application, call.param("credential"))?;
        // One kind of subject takes the place of the other.
        let (subject, expression) = match (&body.subject, &body.claims_matching_expression, &row.subject) {
            (None, None, SubjectMatch::Exact(subject)) => (Some(subject.clone()), None),
            (None, None, SubjectMatch::Expression(value)) => (None, Some(ClaimsMatchingExpression::stored(value))),
            (subject, expression, _) => (subject.clone(), expression.clone()),
        };
        let wished = Wished {
            issuer: body.issuer.clone().or_else(|| Some(row.issuer.clone())),
            subject,
            audiences: if body.audiences.is_empty() { vec![row.audience.clone()] } else { body.audiences.clone() },
            description: body.description.clone().or_else(|| row.description.clone()),
            claims_matching_expression: expression,
            signing_algorithms: body.signing_algorithms.clone().or_else(|| Some(row.algorithms.clone())),
        };
        let owner = FederatedOwner::Application(application.id);
        let (trusted, means) = (&call.control.config.trusted_issuers, call.means());
        let next = federation::plan(snapshot, owner, &row.name, &wished, trusted, means)?;
        let (before, after) = (shape::federated(row), shape::federated(&next));
        Ok((Plan::new(vec![Mutation::put(next)], Some(before), Some(after)).unanswered(), ()))
    })
    .await?;
    Ok(Reply::no_content())
}
