use clap::CommandFactory as _;

use super::*;

fn parse(words: &[&str]) -> Result<Cli, clap::Error> {
    Cli::try_parse_from(std::iter::once("keyless").chain(words.iter().copied()))
}

#[test]
fn the_definition_is_consistent() {
    Cli::command().debug_assert();
}

#[test]
fn every_command_has_an_example_and_its_exit_codes_in_its_help() {
    fn check(command: &mut clap::Command) {
        let help = command.render_long_help().to_string();
        assert!(help.contains("Example") && help.contains("Exit codes: "), "{}", command.get_name());
        command.get_subcommands_mut().for_each(check);
    }
    let mut cli = Cli::command();
    cli.build();
    cli.get_subcommands_mut().for_each(check);
}

/// The commands of a help's examples, as a shell would read them.
fn examples(command: &clap::Command) -> Vec<String> {
    let help = command.get_after_long_help().or(command.get_after_help()).map(ToString::to_string).unwrap_or_default();
    let lines: Vec<&str> = help.lines().filter(|line| line.starts_with("  ")).collect();
    // Beyond this a terminal breaks the line where no shell reads on.
    assert!(lines.iter().all(|line| line.chars().count() <= 80), "{lines:#?}");
    lines.join("\n").replace("\\\n", "").lines().map(str::to_owned).collect()
}

#[test]
fn every_example_fits_eighty_columns_and_is_a_command_that_there_is_u7() {
    let mut cli = Cli::command();
    cli.build();
    let mut seen = 0;
    for line in cli.get_subcommands().flat_map(examples) {
        // What is ours of the line: up to a pipe, a redirection, a remark or the end of what the shell replaces.
        let Some((_, ours)) = line.split_once("keyless ") else { continue };
        let ours = ours.split(" | ").next().unwrap().split([')', '#']).next().unwrap();
        let ours = ours.split_whitespace().take_while(|word| !word.starts_with(['<', '>'])).collect::<Vec<_>>().join(" ");
        let words: Vec<&str> = ours
            .split('\'')
            .enumerate()
            .flat_map(|(at, part)| if at % 2 == 1 { vec![part] } else { part.split_whitespace().collect() })
            .collect();
        assert!(parse(&words).is_ok(), "{line}: {}", parse(&words).unwrap_err());
        seen += 1;
    }
    assert!(seen > 60, "{seen}");
}

#[test]
fn what_follows_the_program_belongs_to_the_program() {
    let odd = ["--help", "-x", "two words", "", "--", "$HOME", "--data", "elsewhere"];
    let words = [&["run", "--as", "demo-app", "--data", "here", "--", "python"][..], &odd].concat();
    let cli = parse(&words).unwrap();
    assert_eq!(cli.data, Some("here".into()));
    let Command::Run(run) = cli.command else { panic!("not run") };
    assert_eq!(run.identity.as_deref(), Some("demo-app"));
    assert_eq!(run.command[0], "python");
    assert_eq!(run.command[1..], odd.map(std::ffi::OsString::from));
}

#[test]
fn run_without_a_program_is_wrong_usage() {
    assert_eq!(parse(&["run", "--as", "demo-app"]).unwrap_err().exit_code(), 2);
}

#[test]
fn the_data_folder_may_stand_before_or_after_the_command() {
    for words in [["--data", "d", "status", "--json"], ["status", "--data", "d", "--json"], ["status", "--json", "--data", "d"]] {
        assert_eq!(parse(&words).unwrap().data, Some("d".into()), "{words:?}");
    }
    assert_eq!(parse(&["audit", "--data", "d", "verify"]).unwrap().data, Some("d".into()));
}

#[test]
fn up_takes_one_source_of_answers() {
    assert!(parse(&["up", "--upstream", "http://127.0.0.1:1", "--upstream-key-file", "f"]).is_ok());
    assert!(parse(&["serve", "--built-in", "--es256", "a", "--es256", "b", "-vv"]).is_ok());
    for words in [
        &["up", "--upstream", "u", "--model", "smollm2"][..],
        &["up", "--built-in", "--model", "smollm2"],
        &["up", "--port"],
        &["up", "--port", "1", "--port", "2"],
    ] {
        assert_eq!(parse(words).unwrap_err().exit_code(), 2, "{words:?}");
    }
}

#[test]
fn a_token_is_shown_or_printed_and_never_both() {
    assert_eq!(parse(&["token", "--decode", "--print"]).unwrap_err().exit_code(), 2);
    assert_eq!(parse(&["token", "--as", "a", "--credential", "environment"]).unwrap_err().exit_code(), 2);
    let Command::Token(token) = parse(&["token", "--credential", "ManagedIdentityCredential"]).unwrap().command else {
        panic!("not token")
    };
    assert_eq!(token.credential, Some(CredentialName::ManagedIdentity));
    assert_eq!(token.scope, "https://cognitiveservices.azure.com/.default");
}

#[test]
fn revoking_takes_nothing_else() {
    assert!(parse(&["env", "--revoke", "abc"]).is_ok());
    assert_eq!(parse(&["env", "--revoke", "abc", "--as", "demo-app"]).unwrap_err().exit_code(), 2);
    assert_eq!(parse(&["env", "--ttl", "forever"]).unwrap_err().exit_code(), 2);
}

#[test]
fn a_request_is_named_or_it_is_the_last_one_u7() {
    for right in [&["explain", "07e16b27"][..], &["explain", "--last"], &["explain", "--last", "--as", "demo-app"]] {
        assert!(parse(right).is_ok(), "{right:?}");
    }
    for wrong in [&["explain"][..], &["explain", "07e16b27", "--last"], &["explain", "07e16b27", "--as", "demo-app"]] {
        assert_eq!(parse(wrong).unwrap_err().exit_code(), 2, "{wrong:?}");
    }
}

#[test]
fn audit_filters_are_read() {
    let words = [
        "audit",
        "query",
        "--principal",
        "demo-app",
        "--account",
        "demo-ai",
        "--since",
        "15m",
        "--outcome",
        "denied",
        "--category",
        "data",
        "--json",
    ];
    let Command::Audit(Audit::Query { filter, json }) = parse(&words).unwrap().command else { panic!("not a query") };
    assert_eq!(
        (filter.since, filter.outcome, filter.category, json),
        (Some(Moment::Ago(900)), Some(Outcome::Denied), Some(Category::Data), true)
    );
    assert_eq!(parse(&["audit", "query", "--outcome", "odd"]).unwrap_err().exit_code(), 2);
}

#[test]
fn a_single_az_command_takes_no_part_in_registering() {
    let Command::Az(az) = parse(&["az", "--as", "demo-app", "--", "group", "list", "--name", "x"]).unwrap().command else {
        panic!("not az")
    };
    assert_eq!((az.command.len(), az.name.as_str()), (4, DEFAULT_CLOUD));
    for wrong in [&["az", "--run", "--", "group"][..], &["az", "--as", "demo-app"], &["az", "--name", "a b"], &["az", "--name", "-x"]] {
        assert_eq!(parse(wrong).unwrap_err().exit_code(), 2, "{wrong:?}");
    }
}

#[test]
fn a_key_whose_id_begins_with_a_hyphen_can_be_revoked() {
    let cli = parse(&["keys", "revoke", "-8Af4KU0WfohNJcjGMJAaz2Iz_JkPV6SUw_Ru8MADcA", "--data", "d"]).unwrap();
    assert!(matches!(cli.command, Command::Keys(Keys::Revoke { kid }) if kid.starts_with("-8Af")));
    assert_eq!(cli.data, Some("d".into()));
}
