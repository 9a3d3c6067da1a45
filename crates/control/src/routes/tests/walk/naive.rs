//! Who may do what, worked out slowly and independently of `keyless-rbac`: from the documents alone.

use std::collections::BTreeSet;

use keyless_model::entity::{DenyAssignment, DenyPrincipal, FederatedOwner, Permissions, RoleAssignment, RoleDefinition};
use keyless_model::{CredentialId, ObjectId, Scope};
use keyless_store::Snapshot;

/// Questions asked at each place: (action, whether it is a data action).
const PROBES: [(&str, bool); 12] = [
    ("Microsoft.Authorization/roleAssignments/write", false),
    ("Microsoft.Authorization/roleDefinitions/write", false),
    ("Microsoft.Authorization/locks/delete", false),
    ("Microsoft.Management/managementGroups/write", false),
    ("Microsoft.Resources/subscriptions/resourceGroups/read", false),
    ("Microsoft.Resources/subscriptions/resourceGroups/delete", false),
    ("Microsoft.CognitiveServices/accounts/read", false),
    ("Microsoft.CognitiveServices/accounts/delete", false),
    ("Microsoft.CognitiveServices/accounts/listKeys/action", false),
    ("Microsoft.Storage/storageAccounts/write", false),
    ("Microsoft.CognitiveServices/accounts/OpenAI/deployments/chat/completions/action", true),
    ("Microsoft.CognitiveServices/accounts/OpenAI/deployments/write", true),
];
const ASSIGN: &str = "Microsoft.Authorization/roleAssignments/write";
const UNDENY: &str = "Microsoft.Authorization/denyAssignments/delete";
/// Whoever may do one of these to an identity can act as it.
const CONTROL: [&str; 2] = [
    "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action",
    "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials/write",
];

/// The documents that matter.
pub(super) struct Naive {
    principals: BTreeSet<ObjectId>,
    groups: Vec<(ObjectId, BTreeSet<ObjectId>)>,
    parents: Vec<(Scope, Option<Scope>)>,
    roles: Vec<RoleDefinition>,
    assignments: Vec<RoleAssignment>,
    denies: Vec<DenyAssignment>,
    identities: Vec<(Scope, ObjectId)>,
    /// Principals that act for a resource or have a credential: the principal, and the credential's id or the carrier's.
    hands: BTreeSet<(ObjectId, String)>,
    subscriptions: Vec<Scope>,
}

impl Naive {
    pub(super) fn of(snapshot: &Snapshot) -> Self {
        let group = |name: &str| Scope::management_group(name).unwrap();
        let above = |name: &Option<String>| name.as_deref().map(group);
        let subscriptions = snapshot.subscriptions().map(|row| (Scope::subscription(row.id), above(&row.management_group)));
        let groups = snapshot.management_groups().map(|row| (group(&row.name), above(&row.parent)));
        let identities: Vec<_> = snapshot.identities().map(|row| (row.scope.clone(), row.principal_id)).collect();
        Self {
            principals: snapshot.principals().filter(|row| row.enabled).map(|row| row.id).collect(),
            groups: snapshot.groups().map(|row| (row.id, row.members.clone())).collect(),
            parents: subscriptions.chain(groups).collect(),
            roles: snapshot.policy().roles().cloned().collect(),
            assignments: snapshot.policy().assignments().collect(),
            denies: snapshot.policy().deny_assignments().cloned().collect(),
            hands: hands(snapshot, &identities),
            identities,
            subscriptions: snapshot.subscriptions().map(|row| Scope::subscription(row.id)).collect(),
        }
    }

    fn chain(&self, scope: &Scope) -> Vec<Scope> {
        let text = scope.folded();
        let mut chain: Vec<Scope> =
            text.char_indices().filter(|(_, c)| *c == '/').filter_map(|(at, _)| text.get(..at)?.parse().ok()).collect();
        chain.push(scope.clone());
        let mut next = self.parents.iter().find(|(place, _)| chain.contains(place));
        while let Some((_, Some(parent))) = next {
            chain.push(parent.clone());
            next = self.parents.iter().find(|(place, _)| place == parent);
        }
        chain.push(Scope::root());
        chain
    }

    fn circle(&self, principal: ObjectId) -> BTreeSet<ObjectId> {
        let mut circle = BTreeSet::from([principal]);
        loop {
            let more: Vec<_> =
                self.groups.iter().filter(|(id, members)| !circle.contains(id) && !members.is_disjoint(&circle)).map(|row| row.0).collect();
            if more.is_empty() {
                return circle;
            }
            circle.extend(more);
        }
    }

    /// Whether the principal holds the action at the scope without a condition, denies aside.
    fn granted(&self, principal: ObjectId, (action, data): (&str, bool), scope: &Scope) -> bool {
        let (circle, chain) = (self.circle(principal), self.chain(scope));
        let held = self.assignments.iter().filter(|row| circle.contains(&row.principal) && chain.contains(&row.scope));
        let blocks = held.filter(|row| row.condition.is_none()).filter_map(|row| self.role(row)).flat_map(|role| &role.permissions);
        self.principals.contains(&principal) && blocks.filter(|block| block.condition.is_none()).any(|block| names(block, action, data))
    }

    fn role(&self, row: &RoleAssignment) -> Option<&RoleDefinition> {
        self.roles.iter().find(|role| role.id == row.role)
    }

    fn denies<'a>(&'a self, (action, data): (&'a str, bool), scope: &Scope) -> impl Iterator<Item = &'a DenyAssignment> {
        let (chain, here) = (self.chain(scope), scope.clone());
        let reaches =
            move |deny: &&DenyAssignment| chain.contains(&deny.scope) && (!deny.do_not_apply_to_child_scopes || deny.scope == here);
        self.denies.iter().filter(reaches).filter(move |deny| deny.permissions.iter().any(|block| names(block, action, data)))
    }

    fn may(&self, principal: ObjectId, probe: (&str, bool), scope: &Scope) -> bool {
        let circle = self.circle(principal);
        let concerns = |deny: &DenyAssignment| {
            let named = deny.principals.iter().any(|who| match who {
                DenyPrincipal::Everyone => true,
                DenyPrincipal::Object(id) => circle.contains(id),
            });
            named && deny.exclude_principals.is_disjoint(&circle)
        };
        self.granted(principal, probe, scope) && !self.denies(probe, scope).any(concerns)
    }

    /// Everyone whom these can act as: the identities that they may attach or trust, and - for administrators of the whole
    /// directory - every principal. What an administrator can give itself counts as had.
    fn controlled(&self, mut by: BTreeSet<ObjectId>) -> BTreeSet<ObjectId> {
        loop {
            let before = by.len();
            for (scope, principal) in &self.identities {
                if CONTROL.iter().any(|action| self.could(&by, (action, false), scope)) {
                    by.insert(*principal);
                }
            }
            // Whoever administers every subscription changes the directory, but for those who hold a role above.
            if self.subscriptions.iter().all(|scope| self.administers(&by, scope)) || self.administers(&by, &Scope::root()) {
                let more: Vec<_> =
                    self.principals.iter().filter(|who| self.above(**who).iter().all(|scope| self.administers(&by, scope))).collect();
                by.extend(more);
            }
            if by.len() == before {
                return by;
            }
        }
    }

    /// The places above the subscriptions where the principal holds a role.
    fn above(&self, who: ObjectId) -> Vec<&Scope> {
        let circle = self.circle(who);
        let held = self.assignments.iter().filter(|row| circle.contains(&row.principal)).map(|row| &row.scope);
        held.filter(|scope| scope.subscription_id().is_none()).collect()
    }

    fn administers(&self, by: &BTreeSet<ObjectId>, scope: &Scope) -> bool {
        by.iter().any(|who| self.may(*who, (ASSIGN, false), scope))
    }

    /// Whether these may do it, or could make themselves able to.
    fn could(&self, by: &BTreeSet<ObjectId>, probe: (&str, bool), scope: &Scope) -> bool {
        if by.iter().any(|who| self.may(*who, probe, scope)) {
            return true;
        }
        // An administrator of the place, or of any above it, gives itself the role - but does not lift what is denied to all.
        let above = self.chain(scope).into_iter().any(|place| self.administers(by, &place));
        let lifts = |deny: &DenyAssignment| by.iter().any(|who| self.may(*who, (UNDENY, false), &deny.scope));
        (above && self.denies(probe, scope).all(lifts)) || self.delegated(by, probe, scope)
    }

    /// Rights of the roles that a role's own condition lets them give, at the places where they hold it.
    fn delegated(&self, by: &BTreeSet<ObjectId>, (action, data): (&str, bool), scope: &Scope) -> bool {
        let chain = self.chain(scope);
        let circles: BTreeSet<ObjectId> = by.iter().flat_map(|who| self.circle(*who)).collect();
        let held = self.assignments.iter().filter(|row| circles.contains(&row.principal) && chain.contains(&row.scope));
        let conditions =
            held.filter_map(|row| self.role(row)).flat_map(|role| &role.permissions).filter_map(|block| block.condition.as_deref());
        let mut given = conditions.flat_map(|text| self.roles.iter().filter(|role| text.contains(&role.id.to_string())));
        given.any(|role| role.permissions.iter().any(|block| names(block, action, data)))
    }
}

/// Who can be acted as through what: attached identities, secrets and trusts.
fn hands(snapshot: &Snapshot, identities: &[(Scope, ObjectId)]) -> BTreeSet<(ObjectId, String)> {
    let root = Scope::root();
    let principal_of = |scope: &Scope| identities.iter().find(|row| row.0 == *scope).map(|row| row.1);
    let carriers = snapshot.hosts_below(&root).map(|row| (&row.scope, &row.identity));
    let carriers = carriers.chain(snapshot.accounts_below(&root).map(|row| (&row.scope, &row.identity)));
    let mut hands: BTreeSet<(ObjectId, String)> = carriers
        .flat_map(|(scope, identity)| identity.user.iter().filter_map(move |id| Some((principal_of(id)?, scope.to_string()))))
        .collect();
    let mut credential = |principal: Option<ObjectId>, id: CredentialId| hands.extend(principal.map(|who| (who, id.to_string())));
    for application in snapshot.applications() {
        let principal = snapshot.service_principal(application.client_id).map(|row| row.id);
        application.secrets.iter().for_each(|secret| credential(principal, secret.id));
        snapshot.federated_of(&FederatedOwner::Application(application.id)).for_each(|row| credential(principal, row.id));
    }
    for (scope, principal) in identities {
        snapshot.federated_of(&FederatedOwner::Identity(scope.clone())).for_each(|row| credential(Some(*principal), row.id));
    }
    hands
}

fn names(block: &Permissions, action: &str, data: bool) -> bool {
    let (some, but) = if data { (&block.data_actions, &block.not_data_actions) } else { (&block.actions, &block.not_actions) };
    let any = |patterns: &[String]| patterns.iter().any(|pattern| glob(&pattern.to_ascii_lowercase(), &action.to_ascii_lowercase()));
    any(some) && !any(but)
}

fn glob(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((start, rest)) => {
            text.strip_prefix(start).is_some_and(|tail| (0..=tail.len()).any(|at| tail.get(at..).is_some_and(|end| glob(rest, end))))
        }
    }
}

/// The rights that the directory explains for the walker: its own, and those of whoever it can act as.
pub(super) fn explained(before: &Naive, walker: ObjectId, places: &[Scope]) -> Vec<Vec<bool>> {
    let by = before.controlled(BTreeSet::from([walker]));
    places.iter().map(|place| PROBES.map(|probe| before.could(&by, probe, place)).to_vec()).collect()
}

/// A right that the walker has after, by itself or through whom it controls, and that the directory before does not explain.
pub(super) fn gained(before: &Naive, explained: &[Vec<bool>], after: &Naive, walker: ObjectId, places: &[Scope]) -> Option<String> {
    let new = after.principals.iter().filter(|id| !before.principals.contains(id)).copied();
    let taken = after.hands.difference(&before.hands).map(|hand| hand.0);
    let mut controlled: BTreeSet<ObjectId> = new.chain(taken).chain([walker]).collect();
    for (scope, principal) in &after.identities {
        let can = CONTROL.iter().any(|action| controlled.iter().any(|who| after.may(*who, (action, false), scope)));
        can.then(|| controlled.insert(*principal));
    }
    let open =
        places.iter().zip(explained).flat_map(|(place, known)| PROBES.iter().zip(known).map(move |(probe, known)| (place, probe, known)));
    open.filter(|(.., known)| !**known).find_map(|(place, probe, _)| {
        let who = controlled.iter().find(|who| after.may(**who, *probe, place))?;
        Some(format!("{who} may {} at {place}", probe.0))
    })
}
