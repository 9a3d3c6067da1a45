use super::*;
use crate::{FLAGS, FirstStart, TimeSpan};

fn given(text: &str) -> Given {
    let file = File { name: "keyless.toml".to_owned(), folder: "/etc/keyless".into(), text: text.to_owned() };
    Given { purpose: Purpose::Serve, file: Some(file), environment: Vec::new(), flags: Vec::new() }
}

fn told(text: &str) -> Vec<String> {
    load(given(text)).problems.iter().map(ToString::to_string).collect()
}

fn flag(long: &str, values: &[&str]) -> (&'static Flag, Vec<String>) {
    let flag = FLAGS.iter().find(|flag| flag.long == long).expect("a flag");
    (flag, values.iter().map(|value| (*value).to_owned()).collect())
}

/// Each mistake gives one sentence with its place and what to do.
#[test]
fn every_mistake_is_told_with_its_place_and_what_to_do() {
    let table = [
        ("[listen\n", "keyless.toml:1:8: this is no TOML: unclosed table, expected `]`; look at the quotes and brackets there"),
        ("lisen = 1", "keyless.toml:1:1: lisen: there is no such setting; did you mean `listen`?"),
        ("[listen]\nhttp = 1", "keyless.toml:2:1: listen.http: there is no such setting; did you mean `https`?"),
        (
            "[keys]\nzzzzzzzzzzz = 1",
            "keyless.toml:2:1: keys.zzzzzzzzzzz: there is no such setting; here one of these can stand: publish_ahead, rotate_every",
        ),
        ("listen = 3", "keyless.toml:1:1: listen: the value does not fit; write a table, [listen]"),
        (
            "[listen]\nhttps = true",
            "keyless.toml:2:1: listen.https: the value does not fit; write a port of this machine, such as localhost:8443, or 0 for any free one",
        ),
        (
            "[listen]\n\n  https = \"0.0.0.0:8443\"",
            "keyless.toml:3:3: listen.https: `0.0.0.0:8443` can be reached from other machines, which is not offered yet; write localhost:8443",
        ),
        (
            "[listen]\nhttps = \"127.0.0.1:8443\"",
            "keyless.toml:2:1: listen.https: the certificate and the endpoints name localhost; write localhost:8443",
        ),
        (
            "[listen]\nmetadata = 8443",
            "keyless.toml:2:1: listen.metadata: listen.https has port 8443 already; choose another one, or 0 for any free one",
        ),
        (
            "[listen]\nwildcard_domain = \"a..b\"",
            "keyless.toml:2:1: listen.wildcard_domain: this is no domain for NAME.openai.DOMAIN; write one such as ai.example.com",
        ),
        (
            "[process]\nworkers = 0",
            "keyless.toml:2:1: process.workers: the value does not fit; write a whole number of at least 1, and no larger than can be meant",
        ),
        (
            "[process]\ndrain = 10",
            "keyless.toml:2:1: process.drain: `10` is no time; write a number and a unit, such as 90s, 30m, 8h or 2d",
        ),
        (
            "[audit]\nmax_size = \"50\"",
            "keyless.toml:2:1: audit.max_size: `50` is no size; write a number and a unit, such as 32MiB, 500MB or 50GB",
        ),
        ("[audit]\nstrict_durability = \"yes\"", "keyless.toml:2:1: audit.strict_durability: the value does not fit; write true or false"),
        (
            "[state]\nwithout = \"x\"",
            "keyless.toml:2:1: state.without: the value does not fit; write a list of texts, such as [\"a\", \"b\"]",
        ),
        (
            "[state]\nwithout = [\"x\",\n 3]",
            "keyless.toml:3:2: state.without: the value does not fit; write a list of texts, such as [\"a\", \"b\"]",
        ),
        ("[log]\nformat = \"xml\"", "keyless.toml:2:1: log.format: `xml` is not known; write `text` or `json`"),
        ("[sign_in]\nissuer = \"https://login.example\"", "keyless.toml:1:2: sign_in: `client_id` is missing; add it"),
        (
            "[sign_in]\nissuer = \"https://login.example\"\nclient_id = \"a\"\nclient_secret = \"hunter2\"",
            "keyless.toml:4:1: sign_in.client_secret: there is no such setting; did you mean `client_secret_file`?",
        ),
        (
            "[upstreams.a]\nurl = \"ftp://x\"",
            "keyless.toml:2:1: upstreams.a.url: this is neither http nor https; write an http or https URL, such as http://127.0.0.1:11434",
        ),
        (
            "[upstreams.a]\nurl = \"http://a:hunter2@x\"",
            "keyless.toml:2:1: upstreams.a.url: a URL that holds a user or a password ends up in logs; write an http or https URL, such as http://127.0.0.1:11434",
        ),
        (
            "[upstreams.A]\nurl = \"http://x\"",
            "keyless.toml:1:2: upstreams: `A` is no name of an upstream; use small letters, digits and hyphens",
        ),
        (
            "[upstreams.detect]\nurl = \"http://x\"",
            "keyless.toml:1:12: upstreams.detect: the name means something else in gateway.default_upstream; choose another name",
        ),
        (
            "[gateway]\ndefault_upstream = \"b\"\n[upstreams.a]\nurl = \"http://x\"",
            "keyless.toml:2:1: gateway.default_upstream: no upstream is called `b`; write one of a, detect, smollm2, built-in",
        ),
        (
            "[gateway]\ndefault_upstream = \"built-in\"\n[upstreams.default]\nurl = \"http://x\"",
            "keyless.toml:2:1: gateway.default_upstream: an upstream is called `default` beside `built-in`; leave one of the two out, or rename the upstream",
        ),
        (
            "[gateway]\nbody_memory = \"1MiB\"",
            "keyless.toml:1:2: gateway.max_request: a caller may hold a quarter of gateway.body_memory (1MiB), which is less than 32MiB; lower it, or give the bodies more memory",
        ),
        (
            "[gateway]\nmax_calls = 20_000",
            "keyless.toml:2:1: gateway.max_calls: the audit log keeps events of 16384 calls; write that or less",
        ),
        (
            "[gateway]\nmax_calls = 9",
            "keyless.toml:1:2: gateway.max_calls_of_one: one caller cannot have more calls than all have (9); lower it, or raise gateway.max_calls",
        ),
        ("[lifetimes]\nowner_token = \"5s\"", "keyless.toml:2:1: lifetimes.owner_token: 5s is out of bounds; write 1m to 1d"),
        (
            "[lifetimes]\nsign_in = \"1d\"",
            "keyless.toml:1:2: lifetimes.sign_in_idle: 14d is longer than a sign-in lives at all (1d); shorten it, or lengthen lifetimes.sign_in",
        ),
        (
            "[lifetimes]\nsign_in_idle = \"1h\"",
            "keyless.toml:2:1: lifetimes.sign_in_idle: 1h is shorter than a person's token may live (1h30m); lengthen it, or shorten lifetimes.person_token",
        ),
        (
            "[keys]\nrotate_every = \"1h\"",
            "keyless.toml:1:2: keys.publish_ahead: keys would sign for 1h and be published 1d ahead; make the interval longer than the publishing lead",
        ),
        ("[trust]\ntenants = [\"contoso.com\"]", "keyless.toml:2:12: trust.tenants: "),
        (
            "[trust]\ntenants = [\"00000000-0000-0000-0000-0000000000f1\"]\ntenant_authority = \"https://x/path\"",
            "keyless.toml:3:1: trust.tenant_authority: an https URL without a path is expected; write one such as https://login.microsoftonline.us",
        ),
        (
            "[trust]\ntenant_authority = \"https://x\"",
            "keyless.toml:2:1: trust.tenant_authority: no tenant is trusted whose tokens would come from there; name one in trust.tenants",
        ),
        (
            "[trust]\ntenant_ca = \"x\"",
            "keyless.toml:2:1: trust.tenant_ca: it counts for an authority that you name; name it in trust.tenant_authority",
        ),
        ("[trust]\nissuer_ca = \"x\"", "keyless.toml:2:1: trust.issuer_ca: it counts for issuers that you name; name one in trust.issuers"),
    ];
    for (text, expected) in table {
        let told = told(text);
        let fits = |found: &String| found == expected || (expected.ends_with(": ") && found.starts_with(expected));
        assert!(told.len() == 1 && told.iter().all(fits), "{text}\n{told:#?}\n{expected}");
        assert!(told[0].contains("; ") || told[0].contains('?'), "what to do: {told:?}");
        assert!(!told[0].contains("hunter2"));
    }
}

#[test]
fn all_mistakes_are_told_at_once_and_a_mistake_spoils_nothing_else() {
    let text = "data = 3\n[listen]\nhttps = \"x\"\nmetadata = 8441\noperations = 8441\n[upstreams.a]\nulr = \"http://x\"\n[gateway]\ndefault_upstream = \"a\"\n";
    let told = told(text);
    let places: Vec<_> = told.iter().map(|told| told.split(": ").take(2).collect::<Vec<_>>().join(" ")).collect();
    // That `a` has no URL once the misspelt name is out, and then is no upstream, follows from that and is not told.
    let expected = ["1:1 data", "3:1 listen.https", "5:1 listen.operations", "7:1 upstreams.a.ulr"];
    assert_eq!(places, expected.map(|place| format!("keyless.toml:{place}")), "{told:#?}");
}

#[test]
fn a_flag_overrides_the_environment_the_file_and_the_default_in_that_order() {
    let mut all = given("[process]\ndrain = \"1m\"");
    let drain = |given: &Given| {
        let loaded = load(given.clone());
        assert_eq!(loaded.problems, []);
        let shown = loaded.shown().into_iter().find(|shown| shown.path == "process.drain").expect("it is a setting");
        (loaded.settings.process.drain.to_string(), shown.value.to_string(), shown.origin.to_string())
    };
    let expect = |value: &str, origin: &str| (value.to_owned(), format!("\"{value}\""), origin.to_owned());
    assert_eq!(drain(&given("")), expect("10s", "default"));
    assert_eq!(drain(&all), expect("1m", "keyless.toml:2:1"));
    all.environment = vec![("KEYLESS_PROCESS_DRAIN".to_owned(), String::new())];
    assert_eq!(drain(&all), expect("1m", "keyless.toml:2:1"), "an empty variable counts as unset");
    all.environment = vec![("KEYLESS_PROCESS_DRAIN".to_owned(), "2m".to_owned())];
    assert_eq!(drain(&all), expect("2m", "KEYLESS_PROCESS_DRAIN"));
    all.flags = vec![flag("drain", &["3m"])];
    assert_eq!(drain(&all), expect("3m", "--drain"));
}

/// Mechanically: every setting there is, in every way there is.
#[test]
fn every_setting_can_be_set_by_file_and_by_variable() {
    for setting in Catalogue::new().settings() {
        let path = setting.path.replace('*', "mine");
        let text = match (&setting.kind, setting.path.as_str()) {
            (Kind::Choice(words), _) => words.last().expect("a word").0.clone(),
            (Kind::Truth, _) => "true".to_owned(),
            (Kind::Number, _) => "7".to_owned(),
            (_, "trust.tenants") => "00000000-0000-0000-0000-0000000000f1".to_owned(),
            (_, path) if path.ends_with("url") || path.ends_with("issuer") || path.ends_with("issuers") || path.ends_with("authority") => {
                "https://x.example".to_owned()
            }
            (_, path) if path.starts_with("listen.") && !path.ends_with("domain") => "localhost:9".to_owned(),
            (_, path) if path.starts_with("gateway.") || path.starts_with("audit.max") => "16MiB".to_owned(),
            (_, path) if setting.default.is_string() || path.starts_with("process.drain") || path == "audit.keep" => match &setting.default
            {
                serde_json::Value::String(default) if !default.ends_with(|c: char| "smhd".contains(c)) => "changed".to_owned(),
                _ => "11m".to_owned(),
            },
            _ => "/somewhere".to_owned(),
        };
        let value = match setting.kind {
            Kind::List => format!("[\"{text}\"]"),
            Kind::Truth | Kind::Number => text.clone(),
            _ => format!("\"{text}\""),
        };
        let (section, name) =
            path.rsplit_once('.').map_or((String::new(), path.as_str()), |(section, name)| (format!("[{section}]\n"), name));
        // What a section cannot be without.
        let mut needed = match section.as_str() {
            "[sign_in]\n" => "issuer = \"https://y.example\"\nclient_id = \"y\"\n".to_owned(),
            "[upstreams.mine]\n" => "url = \"https://y.example\"\n".to_owned(),
            _ => String::new(),
        };
        needed = needed.lines().filter(|line| !line.starts_with(&format!("{name} "))).map(|line| format!("{line}\n")).collect();
        let mut variable = given(&format!("{section}{needed}"));
        variable.environment = vec![(setting.variable().replace('*', "MINE"), text)];
        for (given, origin) in [(given(&format!("{section}{name} = {value}\n{needed}")), "keyless.toml"), (variable, "KEYLESS_")] {
            let loaded = load(given);
            assert!(loaded.unread.is_empty(), "{path}: {:?}", loaded.problems);
            let shown = loaded.shown().into_iter().find(|shown| shown.path == path).unwrap_or_else(|| panic!("{path} is not shown"));
            assert!(shown.origin.to_string().starts_with(origin), "{path}: {shown:?}");
            assert_ne!(shown.value, setting.default, "{path}");
        }
    }
}

#[test]
fn lists_are_written_with_commas_in_variables_and_by_repetition_in_flags() {
    let mut all = given("[state]\nwithout = [\"a\"]");
    all.environment = vec![("KEYLESS_STATE_WITHOUT".to_owned(), "b, c".to_owned())];
    assert_eq!(load(all.clone()).settings.state.without, ["b", "c"]);
    all.flags = vec![flag("without", &["d,e", "f"])];
    assert_eq!(load(all).settings.state.without, ["d,e", "f"]);
}

#[test]
fn an_upstream_of_the_file_is_overridden_under_the_name_it_has_there() {
    let mut all = given("[upstreams.my-gpu]\nurl = \"http://a\"");
    all.environment = vec![
        ("KEYLESS_UPSTREAMS_MY_GPU_URL".to_owned(), "http://b".to_owned()),
        ("KEYLESS_UPSTREAMS_OTHER_URL".to_owned(), "http://c".to_owned()),
    ];
    let loaded = load(all);
    let urls: Vec<_> = loaded.settings.upstreams.iter().map(|(name, upstream)| (name.as_str(), upstream.url.to_string())).collect();
    assert_eq!(urls, [("my-gpu", "http://b".to_owned()), ("other", "http://c".to_owned())]);
}

#[test]
fn a_relative_path_begins_at_the_file_that_holds_it() {
    let mut all = given("[trust]\nissuers = [\"https://x\"]\nissuer_ca = \"ca.pem\"\n[process]\nready_file = \"/run/ready\"");
    let loaded = load(all.clone());
    assert_eq!(loaded.settings.trust.issuer_ca.map(|path| path.to_string()).as_deref(), Some("/etc/keyless/ca.pem"));
    assert_eq!(loaded.settings.process.ready_file.map(|path| path.to_string()).as_deref(), Some("/run/ready"));
    all.flags = vec![flag("issuer-ca", &["ca.pem"])];
    assert_eq!(load(all).settings.trust.issuer_ca.map(|path| path.to_string()).as_deref(), Some("ca.pem"));
}

#[test]
fn up_is_the_same_tree_with_another_first_start_which_the_file_may_change() {
    let first = |purpose, text: &str| load(Given { purpose, ..given(text) }).settings.first_start;
    assert_eq!([first(Purpose::Up, ""), first(Purpose::Serve, "")], [FirstStart::Demo, FirstStart::Bare]);
    assert_eq!(first(Purpose::Up, "first_start = \"bare\""), FirstStart::Bare);
}

#[test]
fn flags_that_stand_for_a_value_set_it() {
    let mut all = given("");
    all.flags = vec![flag("verbose", &["", ""]), flag("log-json", &[""]), flag("strict-durability", &[""]), flag("assertions-once", &[""])];
    all.flags.push(flag("port", &["0"]));
    let settings = load(all).settings;
    assert_eq!((settings.log.level.as_str(), settings.audit.strict_durability), ("debug", true));
    assert_eq!((settings.log.format, settings.authority.assertion_reuse), (crate::LogFormat::Json, crate::AssertionReuse::Never));
    assert_eq!(settings.listen.https.to_string(), "localhost:0");
}

#[test]
fn a_variable_that_looks_like_a_setting_is_named_and_others_are_none_of_our_business() {
    let mut all = given("");
    let variables = ["KEYLESS_LISTEN_HTPS", "KEYLESS_CONFIG", "KEYLESS_INTEROP_TARGET", "LISTEN_HTTPS"];
    all.environment = variables.map(|name| (name.to_owned(), "x".to_owned())).to_vec();
    let loaded = load(all);
    assert_eq!((loaded.strange_variables, loaded.problems), (vec!["KEYLESS_LISTEN_HTPS".to_owned()], Vec::new()));
}

#[test]
fn a_fault_found_elsewhere_gets_its_place_and_what_could_not_be_read_is_not_blamed_twice() {
    let mut loaded = load(given("[trust]\nissuers = [\"https://x\"]\nissuer_ca = \"ca.pem\"\ntenant_ca = 3"));
    loaded.add(vec![Fault::new(&["trust.issuer_ca"], "it is not there; put it there"), Fault::new(&["trust.tenant_ca"], "never told")]);
    let told: Vec<_> = loaded.problems.iter().map(ToString::to_string).collect();
    assert_eq!(told.len(), 2, "{told:?}");
    assert_eq!(told[0], "keyless.toml:3:1: trust.issuer_ca: it is not there; put it there");
    assert!(loaded.problems[1].usage && !loaded.problems[0].usage);
    assert_eq!(loaded.origin("trust.issuer_ca.deeper").to_string(), "keyless.toml:3:1");
}

#[test]
fn the_example_file_is_without_a_mistake_and_sets_something_in_most_sections() {
    let loaded = load(given(include_str!("../../../../docs/keyless.example.toml")));
    assert_eq!(loaded.problems, []);
    assert!(loaded.shown().iter().filter(|row| row.origin != Origin::Default).count() > 20);
}

#[test]
fn times_of_the_file_reach_the_tree() {
    assert_eq!(load(given("[timeouts]\nupstream_connect = \"2s\"")).settings.timeouts.upstream_connect, TimeSpan::secs(2));
}

#[test]
fn a_port_of_ones_own_moves_the_others_too_u5() {
    let ports = |flags: Vec<(&'static Flag, Vec<String>)>| {
        let listen = load(Given { flags, ..given("") }).settings.listen;
        (listen.metadata().port(), listen.operations().port())
    };
    assert_eq!(ports(Vec::new()), (8440, 8441));
    assert_eq!(ports(vec![flag("port", &["0"])]), (0, 0));
    assert_eq!(ports(vec![flag("port", &["9443"]), flag("metadata-port", &["9440"])]), (9440, 0));
}
