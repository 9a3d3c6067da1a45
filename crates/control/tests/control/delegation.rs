//! Delegating role assignment with the conditions that Azure's portal writes from its templates: `conditions/` holds their texts, laid
//! out as the portal lays them out.

use keyless_model::entity::{Group, Mutation, Principal, PrincipalKind};
use keyless_model::{ClientId, ObjectId, RoleId, Scope};
use keyless_rbac::builtin::{COGNITIVE_SERVICES_OPENAI_USER, OWNER, RBAC_ADMINISTRATOR, READER, USER_ACCESS_ADMINISTRATOR};
use keyless_testkit::{TENANT, Who};
use serde_json::json;

use crate::support::{Plane, assignment, assignment_path};

const ROLES: &str = include_str!("conditions/constrain_roles.txt");
const ROLES_AND_TYPES: &str = include_str!("conditions/constrain_roles_and_principal_types.txt");
const ROLES_AND_PRINCIPALS: &str = include_str!("conditions/constrain_roles_and_principals.txt");
const ALL_BUT: &str = include_str!("conditions/allow_all_except_specific_roles.txt");

struct Scene {
    plane: Plane,
    scope: Scope,
    /// Role Based Access Control Administrator, under the template's condition.
    delegate: Who,
}

impl Scene {
    async fn new(condition: &str) -> Self {
        let plane = Plane::new().await;
        let scope = plane.subscription();
        let (_, delegate) = plane.identity("delegate").await;
        let condition = condition.replace("PRINCIPAL-1", &plane.test.app.object_id.to_string());
        let condition = condition.replace("PRINCIPAL-2", &plane.test.host_identity.object_id.to_string());
        let mut body = assignment(&scope, RBAC_ADMINISTRATOR, delegate);
        body["properties"]["condition"] = condition.as_str().into();
        body["properties"]["conditionVersion"] = "2.0".into();
        let path = assignment_path(&scope, &plane.test.platform.entropy.uuid().to_string());
        let made = plane.put(plane.test.operator, &path, body).await.expect(201);
        assert_eq!(made["properties"]["condition"], condition, "the text is kept as it was written");
        Self { plane, scope, delegate }
    }

    /// Whether the delegate may assign the role, and may take it away again.
    async fn may(&self, role: RoleId, to: ObjectId) -> (bool, bool) {
        let to = Who { object_id: to, client_id: ClientId::from_u128(0) };
        let name = self.plane.test.platform.entropy.uuid().to_string();
        let path = assignment_path(&self.plane.test.account, &name);
        let mut body = assignment(&self.scope, role, to);
        body["properties"].as_object_mut().unwrap().remove("principalType");
        let given = self.plane.put(self.delegate, &path, body.clone()).await;
        assert!(given.status == 201 || given.error() == (403, "AuthorizationFailed"), "{}", given.body);
        if given.status != 201 {
            self.plane.put(self.plane.test.operator, &path, body).await.expect(201);
        }
        let taken = self.plane.delete(self.delegate, &path).await;
        assert!(taken.status == 200 || taken.error() == (403, "AuthorizationFailed"), "{}", taken.body);
        if taken.status != 200 {
            self.plane.delete(self.plane.test.operator, &path).await.expect(200);
        }
        (given.status == 201, taken.status == 200)
    }

    /// A group of people.
    async fn group(&self) -> ObjectId {
        let id = ObjectId::from_u128(0x9000);
        let created = self.plane.test.platform.clock.now();
        let kind = PrincipalKind::Group;
        let name = "people".to_owned();
        let principal = Principal {
            id,
            tenant: TENANT,
            kind,
            display_name: name.clone(),
            client_id: None,
            enabled: true,
            tokens_valid_from: None,
            home: None,
            created,
        };
        let group = Group { id, mail_nickname: name, description: None, members: Default::default() };
        self.plane.test.apply([Mutation::put(principal), Mutation::put(group)]).await;
        id
    }
}

const BOTH: (bool, bool) = (true, true);
const NEITHER: (bool, bool) = (false, false);

#[tokio::test]
async fn the_template_that_constrains_roles_holds_for_giving_and_taking_n115() {
    let scene = Scene::new(ROLES).await;
    let app = scene.plane.test.app.object_id;
    assert_eq!(scene.may(COGNITIVE_SERVICES_OPENAI_USER, app).await, BOTH);
    assert_eq!(scene.may(READER, app).await, BOTH);
    for role in [OWNER, USER_ACCESS_ADMINISTRATOR, RBAC_ADMINISTRATOR] {
        assert_eq!(scene.may(role, app).await, NEITHER, "{role}");
    }
}

#[tokio::test]
async fn the_template_that_constrains_roles_and_principal_types_holds() {
    let scene = Scene::new(ROLES_AND_TYPES).await;
    let people = scene.group().await;
    assert_eq!(scene.may(READER, people).await, BOTH);
    assert_eq!(scene.may(READER, scene.plane.test.app.object_id).await, NEITHER, "a program is neither a user nor a group");
    assert_eq!(scene.may(OWNER, people).await, NEITHER);
}

#[tokio::test]
async fn the_template_that_constrains_roles_and_principals_holds() {
    let scene = Scene::new(ROLES_AND_PRINCIPALS).await;
    assert_eq!(scene.may(READER, scene.plane.test.app.object_id).await, BOTH);
    assert_eq!(scene.may(READER, scene.plane.test.host_identity.object_id).await, BOTH);
    assert_eq!(scene.may(READER, scene.delegate.object_id).await, NEITHER, "nor to itself");
    assert_eq!(scene.may(OWNER, scene.plane.test.app.object_id).await, NEITHER);
}

#[tokio::test]
async fn the_template_that_excepts_the_privileged_roles_holds() {
    let scene = Scene::new(ALL_BUT).await;
    let app = scene.plane.test.app.object_id;
    assert_eq!(scene.may(READER, app).await, BOTH);
    for role in [OWNER, USER_ACCESS_ADMINISTRATOR, RBAC_ADMINISTRATOR] {
        assert_eq!(scene.may(role, app).await, NEITHER, "{role}");
    }
}

#[tokio::test]
async fn a_template_with_an_operator_that_is_not_enforced_here_is_refused_at_write_n118() {
    let plane = Plane::new().await;
    let (scope, app) = (plane.subscription(), plane.test.app);
    for (from, to) in [
        ("ForAnyOfAnyValues:GuidEquals", "ForAnyOfAnyValues:NumericEquals"),
        ("ForAnyOfAnyValues:GuidEquals", "ForAnyOfAnyValues:DateTimeEquals"),
        ("ForAnyOfAnyValues:", "ForSomeOfAnyValues:"),
        ("RoleDefinitionId]", "RoleName]"),
        ("@Request", "@Caller"),
        ("/write'}", "/write'} AND SubOperationMatches{'x'}"),
    ] {
        let mut body = assignment(&scope, RBAC_ADMINISTRATOR, app);
        body["properties"]["condition"] = ROLES.replace(from, to).into();
        body["properties"]["conditionVersion"] = json!("2.0");
        let path = assignment_path(&scope, &plane.test.platform.entropy.uuid().to_string());
        assert_eq!(plane.put(plane.test.operator, &path, body).await.error(), (400, "InvalidRoleAssignmentCondition"), "{to}");
    }
}
