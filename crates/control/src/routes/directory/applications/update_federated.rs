//! `PATCH /v1.0/applications/{object id}/federatedIdentityCredentials/{name or id}`

use keyless_model::entity::{FederatedOwner, Mutation, SubjectMatch};

use super::federated;
use crate::answer::Reply;
use crate::call::{Call, Plan};
use crate::failure::Failure;
use crate::graph::{find, shape};
use crate::provision::Means;
use crate::provision::federation::{self, Wished};

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    let body: Wished = call.json()?;
    call.commit(|snapshot| {
        let application = find::application(call, snapshot, call.param("id"))?;
        let row = federated(snapshot, application, call.param("credential"))?;
        let subject = match &row.subject {
            SubjectMatch::Exact(subject) => Some(subject.clone()),
            SubjectMatch::Expression(_) => None,
        };
        let wished = Wished {
            issuer: body.issuer.clone().or_else(|| Some(row.issuer.clone())),
            subject: body.subject.clone().or(subject),
            audiences: if body.audiences.is_empty() { vec![row.audience.clone()] } else { body.audiences.clone() },
            description: body.description.clone().or_else(|| row.description.clone()),
            claims_matching_expression: body.claims_matching_expression.clone(),
        };
        let owner = FederatedOwner::Application(application.id);
        let (trusted, means) = (&call.control.config.trusted_issuers, Means::of(&call.control.platform, call.ctx.now));
        let next = federation::plan(snapshot, owner, &row.name, &wished, trusted, means)?;
        let (before, after) = (shape::federated(row), shape::federated(&next));
        Ok((Plan::new(vec![Mutation::put(next)], Some(before), Some(after)).unanswered(), ()))
    })
    .await?;
    Ok(Reply::no_content())
}
