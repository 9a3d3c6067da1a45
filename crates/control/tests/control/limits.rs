//! Azure's limits.

use keyless_model::entity::{Mutation, RoleAssignment};
use keyless_model::{AssignmentId, ObjectId};
use keyless_rbac::builtin;

use crate::support::Plane;

#[tokio::test]
async fn the_four_thousand_and_first_assignment_is_refused_n119() {
    let plane = Plane::new().await;
    let (operator, account) = (plane.test.operator, plane.test.account.clone());
    let known = plane.test.snapshot().policy().assignments().next().unwrap();
    let others = (0..3997_u128).map(|number| {
        let id = AssignmentId::from_u128(0xffff_0000 + number);
        Mutation::put(RoleAssignment { id, principal: ObjectId::from_u128(0xeeee_0000 + number), scope: account.clone(), ..known.clone() })
    });
    plane.test.apply(others).await;
    let (_, last) = plane.identity("last").await;
    let (_, late) = plane.identity("late").await;
    plane.assign(operator, &plane.test.group, builtin::READER, last).await.expect(201);
    let refused = plane.assign(operator, &account, builtin::READER, late).await;
    assert_eq!(refused.error(), (400, "RoleAssignmentLimitExceeded"));
}

#[tokio::test]
async fn bodies_and_queries_have_a_size() {
    let plane = Plane::new().await;
    let path = format!("{}/resourceGroups/big", plane.subscription());
    let body = serde_json::json!({ "location": "local", "tags": { "a": "x".repeat(2 << 20) } });
    assert_eq!(plane.put(plane.test.operator, &path, body).await.status, 413);
    let body = serde_json::json!({ "location": "local", "tags": { "a": "x".repeat(300) } });
    assert_eq!(plane.put(plane.test.operator, &path, body).await.error(), (400, "InvalidTagNameOrValue"));
    let long = format!("{}/resourceGroups?$filter={}", plane.subscription(), "a".repeat(3000));
    assert_eq!(plane.get(plane.test.operator, &long).await.status, 400);
}
