//! The drawn directory for Cedar, in the two ways its users write roles.
//!
//! The table of what each role grants is written out here, not taken from our roles: agreement then says something.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use anyhow::Result;
use cedar_policy::{
    Authorizer, Context, Decision, Entities, Entity, EntityId, EntityTypeName, EntityUid, PolicyId, PolicySet, Request,
    RestrictedExpression, SlotId, Template,
};
use keyless_model::entity::RoleAssignment;
use keyless_model::{RoleId, Scope};
use keyless_rbac::builtin;

use crate::drawn::{ACTIONS, Drawn, Question, ROLES};

/// Which of the asked actions a role grants, by Microsoft's definitions.
pub(crate) fn grants(role: RoleId) -> Vec<&'static str> {
    let [chat, fine_tune, read, list_keys] = ACTIONS.map(|(action, _)| action);
    match role {
        builtin::COGNITIVE_SERVICES_OPENAI_USER => vec![chat, read],
        builtin::COGNITIVE_SERVICES_USER => vec![chat, fine_tune, read, list_keys],
        _ => vec![read],
    }
}

/// An authorizer with its policies and entities.
pub(crate) struct Cedar {
    authorizer: Authorizer,
    policies: PolicySet,
    entities: Entities,
}

impl Cedar {
    /// One policy per assignment, linked to its role's template: whom, what, where.
    pub(crate) fn with_policies(drawn: Drawn) -> Result<Self> {
        let mut policies = PolicySet::new();
        for (number, role) in ROLES.into_iter().enumerate() {
            let text = format!("permit(principal in ?principal, action in [{}], resource in ?resource);", actions(role)?);
            policies.add_template(Template::parse(Some(PolicyId::new(format!("role-{number}"))), text)?)?;
        }
        for number in 0..drawn.assignments {
            let assignment = drawn.assignment(number);
            let role = ROLES.iter().position(|role| *role == assignment.role).unwrap_or_default();
            let slots = HashMap::from([
                (SlotId::principal(), uid("Holder", &assignment.principal.to_string())?),
                (SlotId::resource(), uid("Scope", assignment.scope.folded())?),
            ]);
            policies.link(PolicyId::new(format!("role-{role}")), PolicyId::new(format!("assignment-{number}")), slots)?;
        }
        let mut entities = Vec::new();
        for (holder, parents) in memberships(drawn)? {
            entities.push(Entity::new_no_attrs(holder, parents));
        }
        for scope in scopes(drawn) {
            let parents = scope.parent().map(|parent| uid("Scope", parent.folded())).transpose()?;
            entities.push(Entity::new_no_attrs(uid("Scope", scope.folded())?, parents.into_iter().collect()));
        }
        Ok(Self { authorizer: Authorizer::new(), policies, entities: Entities::from_entities(entities, None)? })
    }

    /// One policy per role, and the assignments as relations between entities: who holds a role somewhere belongs to that place's
    /// entity for the role, and each place names those entities of itself and of what it lies in.
    pub(crate) fn with_relations(drawn: Drawn) -> Result<Self> {
        let mut text = String::new();
        for (number, role) in ROLES.into_iter().enumerate() {
            let actions = actions(role)?;
            text += &format!("permit(principal, action in [{actions}], resource) when {{ principal in resource.role{number} }};\n");
        }
        let granted = |role: usize, scope: &str| uid("Granted", &format!("{role}@{scope}"));
        let mut held: HashMap<EntityUid, HashSet<EntityUid>> = memberships(drawn)?.into_iter().collect();
        let mut known = HashSet::new();
        for number in 0..drawn.assignments {
            let RoleAssignment { principal, role, scope, .. } = drawn.assignment(number);
            let role = ROLES.iter().position(|known| *known == role).unwrap_or_default();
            let place = granted(role, scope.folded())?;
            known.insert(place.clone());
            held.entry(uid("Holder", &principal.to_string())?).or_default().insert(place);
        }
        let mut entities: Vec<Entity> = known.iter().map(|place| Entity::new_no_attrs(place.clone(), HashSet::new())).collect();
        entities.extend(held.into_iter().map(|(holder, parents)| Entity::new_no_attrs(holder, parents)));
        for scope in scopes(drawn) {
            let mut attributes = HashMap::new();
            for role in 0..ROLES.len() {
                let mut places = Vec::new();
                for above in std::iter::successors(Some(scope.clone()), Scope::parent) {
                    let place = granted(role, above.folded())?;
                    if known.contains(&place) {
                        places.push(RestrictedExpression::new_entity_uid(place));
                    }
                }
                attributes.insert(format!("role{role}"), RestrictedExpression::new_set(places));
            }
            entities.push(Entity::new(uid("Scope", scope.folded())?, attributes, HashSet::new())?);
        }
        Ok(Self { authorizer: Authorizer::new(), policies: text.parse()?, entities: Entities::from_entities(entities, None)? })
    }

    pub(crate) fn request(&self, question: &Question) -> Result<Request> {
        let (principal, action) = (uid("Holder", &question.principal.to_string())?, uid("Action", question.action)?);
        Ok(Request::new(principal, action, uid("Scope", question.scope.folded())?, Context::empty(), None)?)
    }

    /// The answer; an error inside a policy is an error here, not a refusal.
    pub(crate) fn allows(&self, request: &Request) -> Result<bool> {
        let response = self.authorizer.is_authorized(request, &self.policies, &self.entities);
        if let Some(error) = response.diagnostics().errors().next() {
            anyhow::bail!("Cedar: {error}");
        }
        Ok(response.decision() == Decision::Allow)
    }
}

fn uid(kind: &str, id: &str) -> Result<EntityUid> {
    Ok(EntityUid::from_type_name_and_id(kind.parse::<EntityTypeName>()?, EntityId::new(id)))
}

fn actions(role: RoleId) -> Result<String> {
    let names: Vec<String> = grants(role).into_iter().map(|action| Ok(uid("Action", action)?.to_string())).collect::<Result<_>>()?;
    Ok(names.join(", "))
}

/// Every holder with the groups it is in.
fn memberships(drawn: Drawn) -> Result<Vec<(EntityUid, HashSet<EntityUid>)>> {
    let mut groups: BTreeMap<_, HashSet<EntityUid>> = drawn.principals().map(|holder| (holder.id, HashSet::new())).collect();
    for group in drawn.groups() {
        for member in group.members {
            groups.entry(member).or_default().insert(uid("Holder", &group.id.to_string())?);
        }
    }
    groups.into_iter().map(|(holder, groups)| Ok((uid("Holder", &holder.to_string())?, groups))).collect()
}

/// Every place that is assigned or asked about, with what it lies in.
fn scopes(drawn: Drawn) -> BTreeSet<Scope> {
    let assigned = (0..drawn.assignments).map(|number| drawn.assignment(number).scope);
    let asked = crate::questions(drawn.assignments, crate::QUESTIONS).into_iter().map(|question| question.scope);
    assigned.chain(asked).flat_map(|scope| std::iter::successors(Some(scope), Scope::parent)).collect()
}
