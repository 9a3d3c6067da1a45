use super::*;

fn problem(name: &str, text: &str) -> String {
    let problem = read(name, text).unwrap_err();
    assert!(!problem.next.is_empty());
    format!("{}: {}", problem.at, problem.what)
}

/// A tree without its places, as JSON-like text.
fn shape(node: &Node) -> String {
    match &node.value {
        Content::Nothing => "-".to_owned(),
        Content::Truth(truth) => truth.to_string(),
        Content::Number(number) => number.to_string(),
        Content::Text(text) => format!("{text:?}"),
        Content::List(items) => format!("[{}]", items.iter().map(shape).collect::<Vec<_>>().join(", ")),
        Content::Map(entries) => {
            let entries: Vec<_> = entries.iter().map(|entry| format!("{}: {}", entry.name, shape(&entry.value))).collect();
            format!("{{{}}}", entries.join(", "))
        }
    }
}

const YAML: &str = "name: a\ngroups:\n  - name: g # why\n    on: true\n    count: 3\n    rules: [1.2.3.4, \"5\"]\n";
const TOML: &str = "name = 'a'\n[[groups]]\nname = 'g' # why\non = true\ncount = 3\nrules = ['1.2.3.4', '5']\n";

#[test]
fn both_languages_say_the_same() {
    let expected = r#"{name: "a", groups: [{name: "g", on: true, count: 3, rules: ["1.2.3.4", "5"]}]}"#;
    assert_eq!(shape(&read("x.yaml", YAML).unwrap()), expected);
    assert_eq!(shape(&read("x.toml", TOML).unwrap()), expected);
}

#[test]
fn every_value_knows_its_line() {
    for (name, text, line) in [("x.yml", YAML, 5), ("x.toml", TOML, 5)] {
        let Content::Map(top) = read(name, text).unwrap().value else { panic!() };
        let Content::List(groups) = &top[1].value.value else { panic!() };
        let Content::Map(group) = &groups[0].value else { panic!() };
        assert_eq!((group[2].name.as_str(), group[2].at.to_string()), ("count", format!("{name}:{line}")));
    }
}

#[test]
fn yaml_words_that_only_look_like_a_truth_are_text() {
    assert_eq!(
        shape(&read("x.yaml", "[yes, no, on, 1.5, 0x1f, 2024-11-20, ~, 'true', TRUE]").unwrap()),
        r#"["yes", "no", "on", "1.5", "0x1f", "2024-11-20", -, "true", true]"#
    );
}

#[test]
fn what_has_more_than_one_meaning_is_refused() {
    assert_eq!(problem("x.yaml", "a: 1\nb: 2\na: 3\n"), "x.yaml:3: `a` stands here twice; first at x.yaml:1");
    assert_eq!(problem("x.yaml", "a: &x [1]\n"), "x.yaml:1: anchors, aliases and tags are not read");
    assert_eq!(problem("x.yaml", "a: !!str 1\n"), "x.yaml:1: anchors, aliases and tags are not read");
    assert_eq!(problem("x.yaml", "a: 1\n---\nb: 1\n"), "x.yaml:2: the file holds a second document");
    assert_eq!(problem("x.yaml", "? [a]\n: 1\n"), "x.yaml:1: a name must be plain text");
    assert_eq!(problem("x.toml", "a = 1\nb = 1.5\n"), "x.toml:2: no field is a fraction or a date");
    assert!(problem("x.toml", "a = 1\na = 2\n").starts_with("x.toml:2: this is no TOML: duplicate key"));
}

#[test]
fn broken_files_are_refused_at_their_line() {
    assert!(problem("x.yaml", "a:\n  - b\n c: [\n").starts_with("x.yaml:"));
    assert!(problem("x.toml", "a = 1\n[[b\n").starts_with("x.toml:2: this is no TOML"));
    assert_eq!(problem("x.json", "{}"), "x.json:1: the file's language is not known");
}

#[test]
fn a_file_cannot_exhaust_the_stack() {
    assert!(problem("x.yaml", &"[".repeat(200)).contains("values lie too deep"));
    assert!(problem("x.yaml", &"- ".repeat(200)).contains("values lie too deep"));
    let toml = problem("x.toml", &format!("a = {}", "[".repeat(100_000)));
    assert!(toml.starts_with("x.toml:1: "), "{toml}");
}

#[test]
fn an_empty_file_is_nothing() {
    assert_eq!(read("x.yaml", "# nothing\n").unwrap().value, Content::Nothing);
    assert_eq!(shape(&read("x.toml", "").unwrap()), "{}");
}
