//! The roads to more power than one was given, each of them closed.

use keyless_model::entity::{DenyAssignment, DenyPrincipal, Permissions};
use keyless_model::{DenyAssignmentId, Scope};
use keyless_rbac::builtin;
use serde_json::{Value, json};

use crate::support::{Plane, assignment, assignment_path};

const NAME: &str = "0f409a94-be60-4d1e-ba0a-48c48aa92a71";

#[tokio::test]
async fn a_contributor_does_not_assign_roles_n114() {
    let plane = Plane::new().await;
    let who = plane.holder("contributor", builtin::CONTRIBUTOR, &plane.subscription()).await;
    let answer = plane.assign(who, &plane.subscription(), builtin::OWNER, who).await;
    assert_eq!(answer.error(), (403, "AuthorizationFailed"));
    let event = plane.test.audit.last();
    assert_eq!(event.operation, "Microsoft.Authorization/roleAssignments/write");
    assert_eq!((event.outcome, event.status), (keyless_audit::Outcome::Denied, Some(403)));
    assert!(!event.decision.unwrap().allowed);
    let role = format!("{}/providers/Microsoft.Authorization/roleDefinitions/{NAME}", plane.subscription());
    assert_eq!(plane.put(who, &role, json!({ "properties": {} })).await.status, 403);
}

#[tokio::test]
async fn a_role_on_one_group_says_nothing_about_one_whose_name_starts_alike_n108() {
    let plane = Plane::new().await;
    let operator = plane.test.operator;
    for group in ["rg1", "rg10"] {
        plane.put(operator, &format!("{}/resourceGroups/{group}", plane.subscription()), json!({ "location": "local" })).await.expect(201);
    }
    let rg1 = plane.subscription().join("resourceGroups/rg1").unwrap();
    let who = plane.holder("reader", builtin::READER, &rg1).await;
    assert_eq!(plane.get(who, &format!("{}/resourceGroups/RG1", plane.subscription())).await.status, 200, "case does not matter (109)");
    assert_eq!(plane.get(who, &format!("{}/resourceGroups/rg10", plane.subscription())).await.error(), (403, "AuthorizationFailed"));
    let list = plane.get(who, &format!("{}/resourceGroups", plane.subscription())).await.expect(200);
    assert_eq!(list["value"].as_array().unwrap().iter().map(|row| &row["name"]).collect::<Vec<_>>(), ["rg1"]);
}

/// The condition that Azure's portal writes for "may assign any role but these".
fn no_privileged_roles() -> String {
    format!(
        "((!(ActionMatches{{'Microsoft.Authorization/roleAssignments/write'}})) OR \
         (@Request[Microsoft.Authorization/roleAssignments:RoleDefinitionId] ForAnyOfAllValues:GuidNotEquals {{{}, {}, {}}})) AND \
         ((!(ActionMatches{{'Microsoft.Authorization/roleAssignments/delete'}})) OR \
         (@Resource[Microsoft.Authorization/roleAssignments:RoleDefinitionId] ForAnyOfAllValues:GuidNotEquals {{{}}}))",
        builtin::OWNER,
        builtin::USER_ACCESS_ADMINISTRATOR,
        builtin::RBAC_ADMINISTRATOR,
        builtin::OWNER
    )
}

#[tokio::test]
async fn a_delegated_administrator_assigns_only_what_its_condition_allows_n115() {
    let plane = Plane::new().await;
    let (operator, app) = (plane.test.operator, plane.test.app);
    let (_, delegate) = plane.identity("delegate").await;
    let scope = plane.subscription();
    let mut body = assignment(&scope, builtin::RBAC_ADMINISTRATOR, delegate);
    body["properties"]["condition"] = no_privileged_roles().into();
    body["properties"]["conditionVersion"] = "2.0".into();
    let made = plane.put(operator, &assignment_path(&scope, NAME), body).await.expect(201);
    assert_eq!(made["properties"]["conditionVersion"], "2.0");
    for role in [builtin::OWNER, builtin::USER_ACCESS_ADMINISTRATOR, builtin::RBAC_ADMINISTRATOR] {
        assert_eq!(plane.assign(delegate, &scope, role, app).await.error(), (403, "AuthorizationFailed"));
        assert_eq!(plane.assign(delegate, &scope, role, delegate).await.error(), (403, "AuthorizationFailed"));
    }
    plane.assign(delegate, &plane.test.account, builtin::COGNITIVE_SERVICES_OPENAI_USER, app).await.expect(201);
    let owner = assignment_path(&scope, &plane.test.assignments[1].to_string());
    assert_eq!(plane.delete(delegate, &owner).await.error(), (403, "AuthorizationFailed"), "nor does it take what it could not give");
    // Nor does it reach the same through the directory: a secret for an Owner's application, a membership in an Owner's group.
    assert_eq!(
        plane.post(delegate, "/v1.0/applications", json!({ "displayName": "x" })).await.error(),
        (403, "Authorization_RequestDenied")
    );
}

#[tokio::test]
async fn the_principals_type_is_what_the_directory_says() {
    let plane = Plane::new().await;
    let scope = plane.test.account.clone();
    let mut body = assignment(&scope, builtin::READER, plane.test.app);
    body["properties"]["principalType"] = "User".into();
    let refused = plane.put(plane.test.operator, &assignment_path(&scope, NAME), body.clone()).await;
    assert_eq!(refused.error(), (400, "UnmatchedPrincipalType"));
    body["properties"].as_object_mut().unwrap().remove("principalType");
    body["properties"]["createdBy"] = json!(plane.test.app.object_id);
    let made = plane.put(plane.test.operator, &assignment_path(&scope, NAME), body).await.expect(201);
    assert_eq!(made["properties"]["principalType"], "ServicePrincipal");
    assert_eq!(made["properties"]["createdBy"], json!(plane.test.operator.object_id));
}

#[tokio::test]
async fn a_custom_role_is_not_written_where_one_has_no_right() {
    let plane = Plane::new().await;
    let operator = plane.test.operator;
    plane.put(operator, &format!("{}/resourceGroups/mine", plane.subscription()), json!({ "location": "local" })).await.expect(201);
    let mine = plane.subscription().join("resourceGroups/mine").unwrap();
    let who = plane.holder("owner-of-mine", builtin::OWNER, &mine).await;
    let path = format!("{mine}/providers/Microsoft.Authorization/roleDefinitions/{NAME}");
    let role = |scopes: Value, actions: Value| json!({ "properties": { "roleName": "Mine", "permissions": [{ "actions": actions }], "assignableScopes": scopes } });
    let wide = role(json!([mine, plane.subscription()]), json!(["Microsoft.CognitiveServices/*/read"]));
    assert_eq!(plane.put(who, &path, wide).await.error(), (403, "AuthorizationFailed"));
    plane.put(who, &path, role(json!([mine]), json!(["Microsoft.CognitiveServices/*/read"]))).await.expect(201);
    // Someone else's role cannot be changed from where one has rights.
    let shared = "7d2d6a1c-5c4f-4d43-8e5d-0a1b2c3d4e5f";
    let at_subscription = format!("{}/providers/Microsoft.Authorization/roleDefinitions/{shared}", plane.subscription());
    let body = json!({ "properties": { "roleName": "Shared", "permissions": [{ "actions": ["Microsoft.CognitiveServices/*/read"] }], "assignableScopes": [plane.subscription()] } });
    plane.put(operator, &at_subscription, body).await.expect(201);
    let path = format!("{mine}/providers/Microsoft.Authorization/roleDefinitions/{shared}");
    assert_eq!(plane.put(who, &path, role(json!([mine]), json!(["*"]))).await.error(), (403, "AuthorizationFailed"));
    assert_eq!(plane.delete(who, &path).await.error(), (403, "AuthorizationFailed"));
}

#[tokio::test]
async fn a_deny_assignment_beats_owner_and_spares_the_excluded_n117() {
    let plane = Plane::new().await;
    let test = &plane.test;
    let excluded = plane.holder("excluded", builtin::OWNER, &plane.subscription()).await;
    let permissions = Permissions { actions: vec!["Microsoft.CognitiveServices/accounts/write".into()], ..Permissions::default() };
    test.put(DenyAssignment {
        id: DenyAssignmentId::from_u128(0xd),
        name: "freeze".into(),
        description: String::new(),
        scope: test.group.clone(),
        do_not_apply_to_child_scopes: false,
        permissions: vec![permissions],
        principals: [DenyPrincipal::Everyone].into(),
        exclude_principals: [excluded.object_id].into(),
        created: keyless_model::Timestamp::from_unix_secs(0),
    })
    .await;
    let tag = json!({ "tags": { "a": "b" } });
    assert_eq!(plane.ask(test.operator, "PATCH", test.account.as_str(), tag.clone()).await.error(), (403, "AuthorizationFailed"));
    plane.ask(excluded, "PATCH", test.account.as_str(), tag).await.expect(200);
    let listed = plane.get(test.operator, &format!("{}/providers/Microsoft.Authorization/denyAssignments", test.account)).await.expect(200);
    assert_eq!(listed["value"][0]["properties"]["principals"][0]["type"], "SystemDefined");
    let id = listed["value"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(plane.get(test.operator, &id).await.expect(200), listed["value"][0]);
    assert_eq!(plane.delete(test.operator, &id).await.status, 405, "deny assignments are made by the system only");
}

#[tokio::test]
async fn an_owner_of_one_subscription_among_several_does_not_change_the_directory() {
    let plane = Plane::new().await;
    let test = &plane.test;
    let create = json!({ "displayName": "x" });
    plane.post(test.operator, "/v1.0/applications", create.clone()).await.expect(201);
    let second = keyless_model::SubscriptionId::from_u128(0x5c);
    test.put(keyless_model::entity::Subscription {
        id: second,
        tenant: keyless_testkit::TENANT,
        display_name: "Second".into(),
        management_group: None,
    })
    .await;
    assert_eq!(plane.post(test.operator, "/v1.0/applications", create.clone()).await.error(), (403, "Authorization_RequestDenied"));
    assert_eq!(plane.get(test.operator, "/v1.0/applications").await.status, 200, "reading needs less");
    test.assign(builtin::OWNER, test.operator.object_id, &Scope::subscription(second)).await;
    plane.post(test.operator, "/v1.0/applications", create).await.expect(201);
}

#[tokio::test]
async fn a_right_that_was_withdrawn_meanwhile_is_not_used() {
    let plane = Plane::new().await;
    let test = &plane.test;
    let who = plane.holder("second-owner", builtin::OWNER, &plane.subscription()).await;
    // The operator removes the second owner; both changes race for the directory.
    let row = test.snapshot().policy().assignments_of(who.object_id).next().unwrap();
    let remove = assignment_path(&row.scope, &row.id.to_string());
    let path = format!("{}/resourceGroups/late", plane.subscription());
    let (removed, late) = tokio::join!(plane.delete(test.operator, &remove), plane.put(who, &path, json!({ "location": "local" })));
    assert_eq!(removed.status, 200);
    let made = test.snapshot().resource_group(&path.parse().unwrap()).is_some();
    assert_eq!(made, late.status == 201, "the answer says what happened");
    assert_eq!(plane.put(who, &path, json!({ "location": "local" })).await.status, 403);
}

#[tokio::test]
async fn an_owner_of_every_subscription_does_not_join_a_group_that_holds_a_role_above_them_d16() {
    let plane = Plane::new().await;
    let operator = plane.test.operator;
    let create = |name: &str| json!({ "displayName": name, "mailEnabled": false, "mailNickname": name, "securityEnabled": true });
    let group = plane.post(operator, "/v1.0/groups", create("admins")).await.expect(201);
    let group: keyless_model::ObjectId = group["id"].as_str().unwrap().parse().unwrap();
    plane
        .test
        .put(keyless_model::entity::ManagementGroup {
            name: "top".into(),
            tenant: keyless_testkit::TENANT,
            display_name: "Top".into(),
            parent: None,
        })
        .await;
    let join = format!("/v1.0/groups/{group}/members/$ref");
    let member = json!({ "@odata.id": format!("https://graph.microsoft.com/v1.0/directoryObjects/{}", operator.object_id) });
    for scope in [Scope::root(), Scope::management_group("top").unwrap()] {
        let row = plane.test.assign(builtin::OWNER, group, &scope).await;
        assert_eq!(plane.post(operator, &join, member.clone()).await.error(), (403, "Authorization_RequestDenied"), "{scope}");
        assert_eq!(plane.get(operator, "/v1.0/groups").await.status, 200, "reading needs less");
        plane.test.delete(row).await;
    }
    plane.test.assign(builtin::READER, plane.test.foreign_app.object_id, &Scope::root()).await;
    plane.post(operator, &join, member).await.expect(204);
}

#[tokio::test]
async fn nobody_steps_out_of_a_deny_assignment_through_the_directory_i16() {
    let plane = Plane::new().await;
    let (test, operator) = (&plane.test, plane.test.operator);
    let group = async |name: &str| {
        let body = json!({ "displayName": name, "mailEnabled": false, "mailNickname": name, "securityEnabled": true });
        let made = plane.post(operator, "/v1.0/groups", body).await.expect(201);
        made["id"].as_str().unwrap().parse::<keyless_model::ObjectId>().unwrap()
    };
    let (spared, held, free) = (group("spared").await, group("held").await, group("free").await);
    let join = async |group| {
        let member = json!({ "@odata.id": format!("https://graph.microsoft.com/v1.0/directoryObjects/{}", operator.object_id) });
        plane.post(operator, &format!("/v1.0/groups/{group}/members/$ref"), member).await
    };
    let leave = async |group| plane.delete(operator, &format!("/v1.0/groups/{group}/members/{}/$ref", operator.object_id)).await;
    let application = test.snapshot().application_of(test.app.client_id).unwrap().id;
    let secret = async || plane.post(operator, &format!("/v1.0/applications/{application}/addPassword"), json!({})).await;
    join(held).await.expect(204);
    let permissions = Permissions { actions: vec!["Microsoft.CognitiveServices/accounts/write".into()], ..Permissions::default() };
    let deny = DenyAssignment {
        id: DenyAssignmentId::from_u128(0xd),
        name: "freeze".into(),
        description: String::new(),
        scope: test.group.clone(),
        do_not_apply_to_child_scopes: false,
        permissions: vec![permissions],
        principals: [DenyPrincipal::Object(held)].into(),
        exclude_principals: [spared, test.app.object_id].into(),
        created: keyless_model::Timestamp::from_unix_secs(0),
    };
    test.put(deny.clone()).await;
    let gone = plane.delete(operator, &format!("/v1.0/groups/{held}")).await;
    for answer in [join(spared).await, leave(held).await, secret().await, gone] {
        assert_eq!(answer.error(), (403, "Authorization_RequestDenied"));
        assert!(answer.message().contains("deny assignment"), "{}", answer.message());
    }
    join(free).await.expect(204);
    leave(free).await.expect(204);
    test.delete(deny).await;
    for (answer, status) in [(join(spared).await, 204), (leave(held).await, 204), (secret().await, 200)] {
        answer.expect(status);
    }
}
