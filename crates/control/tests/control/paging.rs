//! Lists in pages.

use keyless_control::Config;
use keyless_rbac::builtin;
use serde_json::{Value, json};

use crate::support::{Answer, Plane};

async fn follow(plane: &Plane, who: keyless_testkit::Who, first: &str, next: &str) -> (Vec<Value>, usize) {
    let (mut rows, mut pages) = (Vec::new(), 0);
    let mut path = first.to_owned();
    loop {
        let answer: Answer = plane.get(who, &path).await;
        let body = answer.expect(200);
        rows.extend(body["value"].as_array().unwrap().clone());
        pages += 1;
        let Some(link) = body[next].as_str() else { return (rows, pages) };
        path = link.strip_prefix("https://localhost:8443").expect("the link is absolute").to_owned();
    }
}

#[tokio::test]
async fn pages_hold_every_row_once() {
    let plane = Plane::with(Config { page_size: 3, ..Config::default() }).await;
    for number in 0..7 {
        plane.identity(&format!("app-{number}")).await;
    }
    let path = format!("{}/providers/Microsoft.ManagedIdentity/userAssignedIdentities", plane.subscription());
    let (rows, pages) = follow(&plane, plane.test.operator, &path, "nextLink").await;
    let mut names: Vec<&str> = rows.iter().map(|row| row["name"].as_str().unwrap()).collect();
    assert_eq!((names.len(), pages), (9, 3));
    names.dedup();
    assert_eq!(names.len(), 9);
    let (rows, pages) = follow(&plane, plane.test.operator, &format!("{path}?$top=2"), "nextLink").await;
    assert_eq!((rows.len(), pages), (9, 5));
    let filter = format!("{}/providers/Microsoft.Authorization/roleDefinitions?$filter=type eq 'BuiltInRole'&$top=2", plane.subscription());
    let (rows, _) = follow(&plane, plane.test.operator, &filter, "nextLink").await;
    assert_eq!(rows.len(), builtin::roles().len(), "the filter survives the link");
    let (rows, _) = follow(&plane, plane.test.operator, "/v1.0/servicePrincipals", "@odata.nextLink").await;
    assert_eq!(rows.len(), 11);
}

#[tokio::test]
async fn a_page_shows_only_what_its_reader_may_see() {
    let plane = Plane::with(Config { page_size: 1, ..Config::default() }).await;
    let (first, _) = plane.identity("seen-1").await;
    let (second, _) = plane.identity("seen-2").await;
    plane.identity("hidden").await;
    let who = plane.holder("narrow", builtin::READER, &first).await;
    plane.test.assign(builtin::READER, who.object_id, &second).await;
    let path = format!("{}/providers/Microsoft.ManagedIdentity/userAssignedIdentities", plane.subscription());
    let (rows, pages) = follow(&plane, who, &path, "nextLink").await;
    assert_eq!(pages, 2);
    assert_eq!(rows.iter().map(|row| row["name"].as_str().unwrap()).collect::<Vec<_>>(), ["seen-1", "seen-2"]);
}

#[tokio::test]
async fn a_forged_page_is_refused() {
    let plane = Plane::new().await;
    let path = format!("{}/resourceGroups", plane.subscription());
    for (query, code) in [
        ("$top=0", "InvalidTopParameter"),
        ("$top=-1", "InvalidTopParameter"),
        ("$top=x", "InvalidTopParameter"),
        ("$skiptoken=%25%25", "InvalidSkipToken"),
    ] {
        assert_eq!(plane.get(plane.test.operator, &format!("{path}?{query}")).await.error(), (400, code), "{query}");
    }
    assert_eq!(plane.get(plane.test.operator, &format!("{path}?$top=5000")).await.expect(200)["nextLink"], json!(null));
}

#[tokio::test]
async fn assignments_come_page_by_page_once_each_from_every_scope() {
    let plane = Plane::with(Config { page_size: 2, ..Config::default() }).await;
    let operator = plane.test.operator;
    plane.test.assign(builtin::OWNER, operator.object_id, &keyless_model::Scope::root()).await;
    let group = "/providers/Microsoft.Management/managementGroups/all";
    plane.put(operator, group, json!({ "properties": { "displayName": "All" } })).await;
    let (_, who) = plane.identity("holder").await;
    let scopes =
        [group.parse().unwrap(), plane.subscription(), plane.test.group.clone(), plane.test.account.clone(), plane.test.host.clone()];
    for scope in &scopes {
        for role in [builtin::READER, builtin::COGNITIVE_SERVICES_OPENAI_USER] {
            plane.test.assign(role, who.object_id, scope).await;
        }
    }
    plane.put(operator, &format!("{group}/subscriptions/{}", keyless_testkit::SUBSCRIPTION), Value::Null).await;
    let policy = |plane: &Plane| plane.test.snapshot().policy().assignments().count();
    for (at, filter, expected) in [
        (group.to_owned(), "", policy(&plane)),
        (plane.subscription().to_string(), "", policy(&plane)),
        (plane.test.group.to_string(), "", policy(&plane)),
        (plane.test.account.to_string(), "?$filter=atScope()", policy(&plane) - 2),
        (plane.test.account.to_string(), &format!("?$filter=principalId eq '{}'", who.object_id), 8),
    ] {
        let path = format!("{at}/providers/Microsoft.Authorization/roleAssignments{filter}");
        let (rows, pages) = follow(&plane, operator, &path, "nextLink").await;
        let mut names: Vec<&str> = rows.iter().map(|row| row["name"].as_str().unwrap()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!((names.len(), rows.len(), pages), (expected, expected, expected.div_ceil(2)), "{path}");
    }
}

#[tokio::test]
async fn a_continuation_shows_nothing_that_its_bearer_may_not_see() {
    let plane = Plane::with(Config { page_size: 1, ..Config::default() }).await;
    for name in ["app-1", "app-2", "app-3"] {
        plane.identity(name).await;
    }
    let (seen, _) = plane.identity("seen").await;
    let narrow = plane.holder("zz-narrow", builtin::READER, &seen).await;
    let path = format!("{}/providers/Microsoft.ManagedIdentity/userAssignedIdentities", plane.subscription());
    let first = plane.get(plane.test.operator, &path).await.expect(200);
    let stolen = first["nextLink"].as_str().unwrap().strip_prefix("https://localhost:8443").unwrap().to_owned();
    let (rows, _) = follow(&plane, narrow, &stolen, "nextLink").await;
    assert_eq!(rows.iter().map(|row| row["name"].as_str().unwrap()).collect::<Vec<_>>(), ["seen"]);
    // A place that no list ever gave out, and one of another list.
    for key in ["/", "/subscriptions", "zzz", "\u{10ffff}", "/subscriptions/\n/\nx", seen.as_str()] {
        use base64::Engine as _;
        let token = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(key);
        let answer = plane.get(narrow, &format!("{path}?$skiptoken={token}")).await.expect(200);
        assert!(answer["value"].as_array().unwrap().iter().all(|row| row["name"] == "seen"), "{key}: {answer}");
        let assignments = format!("{}/providers/Microsoft.Authorization/roleAssignments?$skiptoken={token}", plane.test.account);
        assert_eq!(plane.get(narrow, &assignments).await.error(), (403, "AuthorizationFailed"));
        assert_eq!(plane.get(plane.test.operator, &assignments).await.error(), (400, "InvalidSkipToken"), "{key}");
        let graph = plane.get(plane.test.operator, &format!("/v1.0/servicePrincipals?$skiptoken={token}")).await;
        assert_eq!(graph.error(), (400, "Request_UnsupportedQuery"), "{key}");
    }
}

#[tokio::test]
async fn a_list_shows_what_the_caller_may_read_and_possibly_nothing() {
    let plane = Plane::new().await;
    let narrow = plane.holder("narrow", builtin::READER, &plane.test.group).await;
    let list = format!("{}/resourceGroups", plane.subscription());
    plane.put(plane.test.operator, &format!("{list}/hidden"), json!({ "location": "local" })).await.expect(201);
    let seen = plane.get(narrow, &list).await.expect(200);
    assert_eq!(seen["value"].as_array().unwrap().iter().map(|row| &row["name"]).collect::<Vec<_>>(), ["demo"]);
    assert_eq!(plane.get(plane.test.app, &list).await.expect(200), json!({ "value": [] }));
    assert_eq!(plane.get(plane.test.app, &format!("{}/deployments", plane.test.account)).await.error(), (403, "AuthorizationFailed"));
}
