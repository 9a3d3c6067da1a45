//! A small world in which random changes and questions collide often: few names, many spellings, every feature.
//!
//! Everything is read off a number, so that a generator of numbers - a seeded one for the differential test, proptest's shrinking
//! one for the properties - is a generator of worlds.

use keyless_model::entity::{
    DenyAssignment, DenyPrincipal, Entity, Group, ManagementGroup, Mutation, Permissions, Principal, PrincipalKind, RoleAssignment,
    RoleDefinition, RoleKind, Subscription,
};
use keyless_model::{AssignmentId, DenyAssignmentId, ObjectId, RoleId, Scope, SubscriptionId, TenantId, Timestamp};
use keyless_rbac::{AttributeSource, Attributes, Plane, Request};

const OBJECTS: u64 = 8;
const ROLES: u64 = 8;
const EPOCH: Timestamp = Timestamp::from_unix_secs(0);

const SCOPES: &[&str] = &[
    "/",
    "/providers/Microsoft.Management/managementGroups/top",
    "/providers/Microsoft.Management/managementGroups/mid",
    "/providers/microsoft.management/managementgroups/MID",
    "/providers/Microsoft.Management/managementGroups/low",
    "/providers/Microsoft.Management/managementGroups/mid/providers/Microsoft.Authorization/policyDefinitions/p",
    "/subscriptions/00000000-0000-0000-0000-000000000000",
    "/subscriptions/00000000-0000-0000-0000-000000000001",
    "/subscriptions/00000000-0000-0000-0000-000000000002",
    "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg1",
    "/SUBSCRIPTIONS/00000000-0000-0000-0000-000000000000/resourcegroups/RG1",
    "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg10",
    "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg1",
    "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg1/providers/Microsoft.CognitiveServices/accounts/ai",
    "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/Rg1/providers/microsoft.cognitiveservices/Accounts/AI",
    "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg1/providers/Microsoft.CognitiveServices/accounts/ai2",
    "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg1/providers/Microsoft.CognitiveServices/accounts/ai/deployments/chat",
    "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg1/providers/Microsoft.CognitiveServices/accounts/ai/deployments/chat2",
    "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg1/providers/Microsoft.CognitiveServices/accounts/ai/providers/Microsoft.Authorization/locks/l",
    "/subscriptions/00000000-0000-0000-0000-000000000002/providers/Microsoft.X/ys/z",
    "/providers/Microsoft.Capacity/reservations/r",
];

const ACTIONS: &[&str] = &[
    "Microsoft.CognitiveServices/accounts/read",
    "microsoft.cognitiveservices/ACCOUNTS/write",
    "Microsoft.CognitiveServices/accounts/listKeys/action",
    "Microsoft.CognitiveServices/accounts/deployments/read",
    "Microsoft.CognitiveServices/accounts/OpenAI/deployments/chat/completions/action",
    "Microsoft.CognitiveServices/accounts/OpenAI/stored-completions/read",
    "Microsoft.CognitiveServices/accounts/OpenAI/models/read",
    "Microsoft.Authorization/roleAssignments/write",
    "Microsoft.Authorization/roleAssignments/delete",
    "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action",
    "Microsoft.Resources/subscriptions/resourceGroups/read",
    "Microsoft.CognitiveServices/*",
    "",
];

const PATTERNS: &[&str] = &[
    "*",
    "*/read",
    "*/write",
    "Microsoft.CognitiveServices/*",
    "Microsoft.CognitiveServices/*/read",
    "microsoft.cognitiveservices/accounts/*",
    "Microsoft.CognitiveServices/accounts/OpenAI/*",
    "Microsoft.CognitiveServices/accounts/*/read",
    "Microsoft.CognitiveServices/accounts/read",
    "Microsoft.CognitiveServices/accounts/OpenAI/deployments/chat/completions/action",
    "Microsoft.CognitiveServices/accounts/OpenAI/*/*/action",
    "Microsoft.CognitiveServices/accounts/*/chat/*/action",
    "Microsoft.Authorization/*/Write",
    "Microsoft.Authorization/roleAssignments/*",
    "Microsoft.ManagedIdentity/userAssignedIdentities/*/assign/action",
    "*/accounts/*",
    "*keys/act*",
    "**/completions/**",
    "Microsoft.*/*/*/read",
    "",
];

/// Conditions, with what each means for an action in lower case and the value of `@Request[role]`; none is unknown.
pub(crate) type Meaning = fn(&str, Option<&str>) -> Option<bool>;
pub(crate) const CONDITIONS: &[(&str, Meaning)] = &[
    ("ActionMatches{'*/read'}", |action, _| Some(action.ends_with("/read"))),
    ("!(ActionMatches{'*/write'})", |action, _| Some(!action.ends_with("/write"))),
    ("@Request[Role] StringEquals 'reader'", |_, role| role.map(|role| role == "reader")),
    ("!(@Request[role] StringEqualsIgnoreCase 'READER')", |_, role| role.map(|role| role != "reader")),
    ("!(ActionMatches{'*/write'}) OR (@Request[role] ForAnyOfAnyValues:StringEquals {'reader', 'user'})", |action, role| {
        match (action.ends_with("/write"), role) {
            (false, _) => Some(true),
            (true, None) => None,
            (true, Some(role)) => Some(role == "reader" || role == "user"),
        }
    }),
    ("@Request[role] NumericEquals 5", |_, _| None),
    ("(", |_, _| None),
];

const VALUES: &[Option<&str>] = &[None, Some("reader"), Some("owner")];

/// Digits of a number, least significant first: each choice takes what it needs and leaves the rest.
struct Digits(u64);

impl Digits {
    fn below(&mut self, count: u64) -> u64 {
        let digit = self.0 % count;
        self.0 /= count;
        digit
    }

    fn of<T: Copy>(&mut self, items: &[T]) -> T {
        items[usize::try_from(self.below(items.len() as u64)).expect("the list is short")]
    }

    /// Up to `most` items.
    fn some<T: Copy>(&mut self, most: u64, items: &[T]) -> Vec<T> {
        (0..self.below(most + 1)).map(|_| self.of(items)).collect()
    }
}

pub(crate) fn object(index: u64) -> ObjectId {
    ObjectId::from_u128(0x0b1e_c700 + u128::from(index))
}

fn objects() -> Vec<ObjectId> {
    (0..OBJECTS).map(object).collect()
}

fn tenant(index: u64) -> TenantId {
    TenantId::from_u128(u128::from(index))
}

pub(crate) fn scope(text: &str) -> Scope {
    text.parse().expect("the scopes above are well-formed")
}

fn patterns(digits: &mut Digits, most: u64) -> Vec<String> {
    digits.some(most, PATTERNS).into_iter().map(str::to_owned).collect()
}

fn condition(digits: &mut Digits) -> Option<String> {
    let conditional = digits.below(3) == 0;
    let (text, _) = digits.of(CONDITIONS);
    conditional.then(|| text.to_owned())
}

/// One change.
pub(crate) fn mutation(number: u64) -> Mutation {
    let mut digits = Digits(number);
    let delete = digits.below(8) == 0;
    let kind = digits.below(16);
    let put: Entity = match kind {
        0..=5 => assignment(digits).into(),
        6..=8 => role(digits).into(),
        9 => group(digits).into(),
        10..=12 => principal(digits).into(),
        13 => deny(digits).into(),
        14 => Subscription {
            id: SubscriptionId::from_u128(u128::from(digits.below(3))),
            tenant: tenant(u64::from(digits.below(5) == 0)),
            display_name: String::new(),
            management_group: digits.of(&[None, Some("top"), Some("mid"), Some("Mid"), Some("low"), Some("a/b")]).map(str::to_owned),
        }
        .into(),
        _ => ManagementGroup {
            name: digits.of(&["top", "MID", "low", "mid"]).to_owned(),
            tenant: tenant(u64::from(digits.below(5) == 0)),
            display_name: String::new(),
            parent: digits.of(&[None, Some("top"), Some("mid"), Some("low")]).map(str::to_owned),
        }
        .into(),
    };
    if delete { Mutation::Delete(put.key()) } else { Mutation::put(put) }
}

fn assignment(mut digits: Digits) -> RoleAssignment {
    RoleAssignment {
        id: AssignmentId::from_u128(u128::from(digits.below(64))),
        scope: scope(digits.of(SCOPES)),
        role: RoleId::from_u128(u128::from(digits.below(ROLES))),
        principal: object(digits.below(OBJECTS)),
        principal_type: digits.of(&["User", "Group", "ServicePrincipal", "ForeignGroup"]).to_owned(),
        condition: condition(&mut digits),
        description: (digits.below(8) == 0).then(|| "for a test".to_owned()),
        created: EPOCH,
        updated: EPOCH,
        created_by: None,
    }
}

fn permissions(digits: &mut Digits) -> Permissions {
    Permissions {
        actions: patterns(digits, 2),
        not_actions: patterns(digits, 1),
        data_actions: patterns(digits, 2),
        not_data_actions: patterns(digits, 1),
        condition: condition(digits),
    }
}

fn role(mut digits: Digits) -> RoleDefinition {
    RoleDefinition {
        id: RoleId::from_u128(u128::from(digits.below(ROLES))),
        role_name: String::new(),
        description: String::new(),
        role_kind: RoleKind::CustomRole,
        permissions: (0..=digits.below(2)).map(|_| permissions(&mut digits)).collect(),
        assignable_scopes: Vec::new(),
        created: EPOCH,
        updated: EPOCH,
        updated_by: None,
    }
}

fn group(mut digits: Digits) -> Group {
    let id = object(digits.below(OBJECTS));
    Group { id, mail_nickname: String::new(), description: None, members: digits.some(3, &objects()).into_iter().collect() }
}

fn principal(mut digits: Digits) -> Principal {
    Principal {
        id: object(digits.below(OBJECTS)),
        tenant: tenant(u64::from(digits.below(8) == 0)),
        kind: PrincipalKind::ServicePrincipal,
        display_name: String::new(),
        client_id: None,
        enabled: digits.below(8) != 0,
        home: None,
        tokens_valid_from: None,
        created: EPOCH,
    }
}

fn deny(mut digits: Digits) -> DenyAssignment {
    let everyone = digits.below(3) == 0;
    let named = digits.some(2, &objects()).into_iter().map(DenyPrincipal::Object);
    DenyAssignment {
        id: DenyAssignmentId::from_u128(u128::from(digits.below(6))),
        name: String::new(),
        description: String::new(),
        scope: scope(digits.of(SCOPES)),
        do_not_apply_to_child_scopes: digits.below(2) == 0,
        principals: named.chain(everyone.then_some(DenyPrincipal::Everyone)).collect(),
        exclude_principals: digits.some(2, &objects()).into_iter().collect(),
        permissions: vec![permissions(&mut digits)],
        created: EPOCH,
    }
}

/// One question, owning what it asks about.
#[derive(Debug, Clone)]
pub(crate) struct Question {
    pub(crate) principal: ObjectId,
    pub(crate) action: &'static str,
    pub(crate) plane: Plane,
    pub(crate) scope: Scope,
    pub(crate) role: Option<&'static str>,
    attributes: Attributes,
}

pub(crate) fn question(number: u64) -> Question {
    let mut digits = Digits(number);
    let role = digits.of(VALUES);
    Question {
        principal: object(digits.below(OBJECTS)),
        action: digits.of(ACTIONS),
        plane: digits.of(&[Plane::Control, Plane::Data]),
        scope: scope(digits.of(SCOPES)),
        role,
        attributes: role.map_or_else(Attributes::default, |role| Attributes::default().with(AttributeSource::Request, "role", [role])),
    }
}

impl Question {
    pub(crate) fn request(&self) -> Request<'_> {
        Request { principal: self.principal, action: self.action, plane: self.plane, scope: &self.scope, attributes: &self.attributes }
    }
}
