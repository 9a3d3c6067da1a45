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
