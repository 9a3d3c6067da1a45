use super::*;

fn served<'a>(method: &Method, path: &'a str, query: &'a str) -> Route<'a> {
    route_of(method, path, Some(query))
}

#[test]
fn every_known_route_and_its_data_action() {
    let mut table = String::new();
    for Operation { method, template, api, action, serve, .. } in table::OPERATIONS {
        let action = action.strip_prefix("Microsoft.CognitiveServices/accounts/OpenAI/").unwrap();
        let who = match serve {
            Serve::Model(shape) => format!("model server ({shape:?})"),
            Serve::ModelList | Serve::ModelItem => "the gateway".to_owned(),
            Serve::Nobody => "not served".to_owned(),
        };
        table.push_str(&format!("{method:6} {template:62} {api:34} {action:47} {who}\n"));
    }
    insta::assert_snapshot!("routes", table);
}

/// `crates/rbac/tests/matrix.txt` says for each built-in role which data actions it holds.
#[test]
fn the_matrix_of_roles_has_a_row_for_every_data_action_of_a_route() {
    use keyless_rbac::actions::{AI_DATA, AI_DATA_PREFIX};
    for operation in table::OPERATIONS {
        let action = operation.action.strip_prefix(AI_DATA_PREFIX).unwrap();
        assert!(AI_DATA.contains(&action), "{action} has no row; add it to keyless_rbac::actions");
    }
}

#[test]
fn every_template_leads_to_its_own_operation() {
    for operation in table::OPERATIONS {
        let path: Vec<&str> = operation.template.split('/').map(|part| if part.starts_with('{') { "x" } else { part }).collect();
        let method = Method::from_bytes(operation.method.as_bytes()).unwrap();
        assert_eq!(route_of(&method, &path.join("/"), None).operation, operation);
    }
}

#[test]
fn the_deployment_is_taken_from_the_path() {
    let route = served(&Method::POST, "/openai/deployments/chat/chat/completions", "api-version=2024-10-21");
    assert_eq!((route.operation.api, route.deployment), ("ChatCompletions_Create", Some("chat")));
    assert_eq!(route.version, Version::Served("2024-10-21".into()));
    let route = served(&Method::GET, "/openai/v1/models/chat", "");
    assert_eq!((route.operation.api, route.item), ("Models_Get", Some("chat")));
}

#[test]
fn path_tricks_lead_nowhere_n99() {
    for path in [
        "/openai//deployments/chat/chat/completions",
        "/openai/deployments//chat/completions",
        "/openai/deployments/chat/chat/completions/",
        "/openai/deployments/chat/../chat/completions",
        "/openai/deployments/chat/chat%2fcompletions",
        "/OpenAI/deployments/chat/chat/completions",
        "/openai/deployments/a/b/chat/completions",
        "/openai/v1/models/",
        "/openai/v1/deployments",
        "/openai",
        "/",
        "",
    ] {
        for method in [Method::POST, Method::GET] {
            assert_eq!(served(&method, path, "api-version=2024-10-21").operation.api, "Unknown", "{path}");
        }
    }
    for method in [Method::GET, Method::PUT, Method::HEAD, Method::OPTIONS, Method::DELETE] {
        assert_eq!(served(&method, "/openai/deployments/chat/embeddings", "").operation.api, "Unknown");
    }
}

#[test]
fn dated_routes_need_a_date_and_v1_routes_take_none() {
    let dated = |query| served(&Method::GET, "/openai/models", query).version;
    let v1 = |query| served(&Method::GET, "/openai/v1/models", query).version;
    for good in ["api-version=2024-02-15-preview", "Api-Version=2022-12-01", "x=1&api-version=2024%2D10-21"] {
        assert!(matches!(dated(good), Version::Served(_)), "{good}");
        assert_eq!(v1(good), Version::NotSupported, "{good}");
    }
    for bad in ["", "api-version=", "api-version=v1", "api-version=2024-1-1", "api-version=2024-10-21-beta"] {
        assert_eq!(dated(bad), Version::Missing, "{bad}");
    }
    assert_eq!(v1(""), Version::Served("v1".into()));
    assert_eq!(v1("api-version=preview"), Version::Served("preview".into()));
    assert_eq!(v1("api-version="), Version::NotSupported);
}

#[test]
fn an_api_version_given_twice_is_refused_n92() {
    for query in ["api-version=2024-10-21&api-version=2024-10-21", "api-version=2024-10-21&API-version=2023-05-15"] {
        assert_eq!(served(&Method::GET, "/openai/models", query).version, Version::NotSupported);
    }
}
