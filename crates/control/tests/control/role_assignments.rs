//! Role assignments as `az role assignment` reads and writes them.

use keyless_rbac::builtin;
use serde_json::{Value, json};

use crate::support::{Plane, assignment, assignment_path};

const NAME: &str = "0f409a94-be60-4d1e-ba0a-48c48aa92a71";

#[tokio::test]
async fn an_assignment_opens_what_it_names_from_the_next_request_on() {
    let plane = Plane::new().await;
    let (operator, app, account) = (plane.test.operator, plane.test.app, plane.test.account.clone());
    assert_eq!(plane.get(app, account.as_str()).await.status, 403);
    let made =
        plane.put(operator, &assignment_path(&account, NAME), assignment(&account, builtin::COGNITIVE_SERVICES_OPENAI_USER, app)).await;
    let made = made.expect(201);
    assert_eq!(made["id"], assignment_path(&account, NAME));
    assert_eq!(made["properties"]["scope"], json!(account));
    assert_eq!(plane.get(app, account.as_str()).await.status, 200);
    assert_eq!(plane.get(operator, &assignment_path(&account, NAME)).await.expect(200), made);
    assert_eq!(plane.delete(operator, &assignment_path(&account, NAME)).await.expect(200), made);
    assert_eq!(plane.get(app, account.as_str()).await.status, 403);
    assert_eq!(plane.delete(operator, &assignment_path(&account, NAME)).await.status, 204);
    assert_eq!(plane.get(operator, &assignment_path(&account, NAME)).await.error(), (404, "RoleAssignmentNotFound"));
}

#[tokio::test]
async fn lists_show_what_is_at_above_and_below_as_asked() {
    let plane = Plane::new().await;
    let (operator, account, subscription) = (plane.test.operator, plane.test.account.clone(), plane.subscription());
    let names = async |scope: &str, filter: &str| {
        let path = format!("{scope}/providers/Microsoft.Authorization/roleAssignments{filter}");
        let list = plane.get(operator, &path).await.expect(200);
        list["value"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row["name"].as_str().unwrap().parse().unwrap())
            .collect::<Vec<keyless_model::AssignmentId>>()
    };
    let [user, owner] = plane.test.assignments;
    assert_eq!(names(account.as_str(), "?$filter=atScope()").await, [owner, user], "from the outermost scope in");
    assert_eq!(names(subscription.as_str(), "?$filter=atScope()").await, [owner], "never what is below");
    assert_eq!(names(subscription.as_str(), "").await, [owner, user]);
    let id = plane.test.demo_app.object_id;
    assert_eq!(names(subscription.as_str(), &format!("?$filter=principalId eq '{id}'")).await, [user]);
    assert_eq!(names(subscription.as_str(), &format!("?$filter=assignedTo('{id}')")).await, [user]);
    assert_eq!(names(subscription.as_str(), &format!("?$filter=atScope() and assignedTo('{id}')")).await, []);
}

#[tokio::test]
async fn ids_of_roles_are_the_same_text_in_both_lists() {
    let plane = Plane::new().await;
    let base = format!("{}/providers/Microsoft.Authorization", plane.test.account);
    let assigned = plane.get(plane.test.operator, &format!("{base}/roleAssignments?$filter=atScope()")).await.expect(200);
    let roles = plane.get(plane.test.operator, &format!("{base}/roleDefinitions")).await.expect(200);
    let known: Vec<&Value> = roles["value"].as_array().unwrap().iter().map(|row| &row["id"]).collect();
    for row in assigned["value"].as_array().unwrap() {
        assert!(known.contains(&&row["properties"]["roleDefinitionId"]), "{row}");
    }
}

#[tokio::test]
async fn a_name_stands_for_one_grant_n120() {
    let plane = Plane::new().await;
    let (operator, account) = (plane.test.operator, plane.test.account.clone());
    let path = assignment_path(&account, NAME);
    plane.put(operator, &path, assignment(&account, builtin::READER, plane.test.app)).await.expect(201);
    let mut again = assignment(&account, builtin::READER, plane.test.app);
    again["properties"]["description"] = "why".into();
    assert_eq!(plane.put(operator, &path, again).await.expect(200)["properties"]["description"], "why");
    for body in [assignment(&account, builtin::CONTRIBUTOR, plane.test.app), assignment(&account, builtin::READER, plane.test.demo_app)] {
        assert_eq!(plane.put(operator, &path, body).await.error(), (400, "RoleAssignmentUpdateNotPermitted"));
    }
    let elsewhere = assignment_path(&plane.test.group, NAME);
    let body = assignment(&account, builtin::READER, plane.test.app);
    assert_eq!(plane.put(operator, &elsewhere, body).await.error(), (400, "RoleAssignmentUpdateNotPermitted"));
    let twice = plane.assign(operator, &account, builtin::READER, plane.test.app).await;
    assert_eq!(twice.error(), (409, "RoleAssignmentExists"));
}

#[tokio::test]
async fn what_makes_no_sense_is_refused() {
    let plane = Plane::new().await;
    let (operator, account) = (plane.test.operator, plane.test.account.clone());
    let path = assignment_path(&account, NAME);
    let change = |property: &str, value: Value| {
        let mut body = assignment(&account, builtin::READER, plane.test.app);
        body["properties"][property] = value;
        body
    };
    let unknown_role = "/providers/Microsoft.Authorization/roleDefinitions/99999999-9999-9999-9999-999999999999";
    let cases = [
        (change("principalId", "99999999-9999-9999-9999-999999999999".into()), 400, "PrincipalNotFound"),
        (change("principalId", json!(plane.test.foreign_app.object_id)), 400, "PrincipalNotFound"),
        (change("principalId", "me".into()), 400, "InvalidPrincipalId"),
        (change("roleDefinitionId", unknown_role.into()), 404, "RoleDefinitionDoesNotExist"),
        (change("roleDefinitionId", builtin::READER.to_string().into()), 400, "InvalidRoleDefinitionId"),
        (change("description", "x".repeat(2049).into()), 400, "InvalidRoleAssignmentDescription"),
        (json!({ "properties": {} }), 400, "InvalidRequestContent"),
    ];
    for (body, status, code) in cases {
        assert_eq!(plane.put(operator, &path, body.clone()).await.error(), (status, code), "{body}");
    }
    let named = assignment_path(&account, "my-assignment");
    assert_eq!(
        plane.put(operator, &named, assignment(&account, builtin::READER, plane.test.app)).await.error(),
        (400, "InvalidRoleAssignmentId")
    );
}

#[tokio::test]
async fn a_condition_that_is_not_understood_is_refused_never_ignored_n118() {
    let plane = Plane::new().await;
    let (operator, account) = (plane.test.operator, plane.test.account.clone());
    let path = assignment_path(&account, NAME);
    let long = format!("(ActionMatches{{'{}'}})", "a".repeat(9000));
    for condition in [
        "garbage",
        "(@Request[x] StringEquals 'y'",
        "@Request[Microsoft.Storage/x:y] StringEquals 'z'",
        "@Environment[UtcNow] DateTimeGreaterThan '2020-01-01T00:00:00Z'",
        long.as_str(),
    ] {
        let mut body = assignment(&account, builtin::READER, plane.test.app);
        body["properties"]["condition"] = condition.into();
        body["properties"]["conditionVersion"] = "2.0".into();
        assert_eq!(plane.put(operator, &path, body).await.error(), (400, "InvalidRoleAssignmentCondition"), "{condition}");
    }
    assert_eq!(plane.get(plane.test.app, account.as_str()).await.status, 403, "nothing was granted");
}

#[tokio::test]
async fn the_last_administrator_stays_n122() {
    let plane = Plane::new().await;
    let (operator, subscription) = (plane.test.operator, plane.subscription());
    let owner = assignment_path(&subscription, &plane.test.assignments[1].to_string());
    let refused = plane.delete(operator, &owner).await;
    assert_eq!(refused.error(), (400, "LastRbacAdminAssignmentCannotBeDeleted"));
    assert!(refused.message().starts_with("Cannot delete the last RBAC admin assignment"));
    // Nor by deleting the identity, or the group that holds it.
    let identity = format!("{}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/operator", plane.test.group);
    for path in [identity.as_str(), plane.test.group.as_str()] {
        assert_eq!(plane.delete(operator, path).await.error(), (400, "LastRbacAdminAssignmentCannotBeDeleted"), "{path}");
    }
    let disable =
        plane.ask(operator, "PATCH", &format!("/v1.0/servicePrincipals/{}", operator.object_id), json!({ "accountEnabled": false })).await;
    assert_eq!(disable.error(), (400, "LastRbacAdminAssignmentCannotBeDeleted"));
    let second = plane.holder("second", builtin::OWNER, &subscription).await;
    plane.delete(operator, &owner).await.expect(200);
    let row = plane.test.snapshot().policy().assignments_of(second.object_id).next().unwrap();
    assert_eq!(plane.delete(second, &assignment_path(&row.scope, &row.id.to_string())).await.error().0, 400);
}

#[tokio::test]
async fn a_change_is_recorded_with_what_was_and_what_is() {
    let plane = Plane::new().await;
    let account = plane.test.account.clone();
    plane
        .put(plane.test.operator, &assignment_path(&account, NAME), assignment(&account, builtin::READER, plane.test.app))
        .await
        .expect(201);
    let event = plane.test.audit.last();
    assert_eq!((event.operation.as_ref(), event.target.as_ref()), ("Microsoft.Authorization/roleAssignments/write", Some(&account)));
    assert_eq!(event.decision.unwrap().assignment, Some(plane.test.assignments[1]), "the deciding assignment is named");
    let control = event.control.unwrap();
    assert_eq!((control.before, control.after.unwrap()["name"].as_str()), (None, Some(NAME)));
}
