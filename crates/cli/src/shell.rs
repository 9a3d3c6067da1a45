//! Variables and command lines in the languages of shells.

use std::collections::BTreeMap;
use std::ffi::OsString;

use crate::args::Shell;
use crate::data_dir::shell_word;
use crate::env_registry::Variable;
use crate::failure::Failure;

/// Sets the variables given and drops those removed, in the shell's own language.
///
/// # Errors
/// When a value is no Unicode.
pub(crate) fn script(shell: Shell, given: &BTreeMap<&'static str, OsString>, removed: &[Variable]) -> Result<String, Failure> {
    let text = |name: &str, value: &OsString| {
        value
            .to_str()
            .map(str::to_owned)
            .ok_or_else(|| Failure::new(format!("{name} would hold a path that is no Unicode"), "choose a data folder with a plain name"))
    };
    let given = given.iter().map(|(name, value)| Ok((*name, text(name, value)?))).collect::<Result<Vec<_>, Failure>>()?;
    let removed = removed.iter().map(|variable| variable.name);
    let quoted = |value: &str, from: &str, to: &str| format!("'{}'", value.replace(from, to));
    Ok(match shell {
        Shell::Sh => {
            let set = given.iter().map(|(name, value)| format!("export {name}={}\n", quoted(value, "'", r"'\''")));
            removed.map(|name| format!("unset {name}\n")).chain(set).collect()
        }
        Shell::Fish => {
            let set = given.iter().map(|(name, value)| format!("set -gx {name} {}\n", quoted(&value.replace('\\', r"\\"), "'", r"\'")));
            removed.map(|name| format!("set -e {name}\n")).chain(set).collect()
        }
        Shell::Powershell => {
            let set = given.iter().map(|(name, value)| format!("$env:{name} = {}\n", quoted(value, "'", "''")));
            removed.map(|name| format!("Remove-Item Env:{name} -ErrorAction SilentlyContinue\n")).chain(set).collect()
        }
        Shell::Json => {
            let object: serde_json::Map<String, serde_json::Value> =
                given.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
            format!("{:#}\n", serde_json::Value::Object(object))
        }
    })
}

/// A command line in the shell's own language; for [`Shell::Json`] there is none, because there commands are lists of words.
pub(crate) fn command_line(shell: Shell, words: &[String]) -> String {
    let word = |word: &String| match shell {
        Shell::Powershell if shell_word(word) != *word => format!("'{}'", word.replace('\'', "''")),
        Shell::Powershell => word.clone(),
        Shell::Sh | Shell::Fish | Shell::Json => shell_word(word),
    };
    words.iter().map(word).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::env_registry::AZURE_OPENAI_API_KEY;

    fn written(shell: Shell) -> String {
        let given = BTreeMap::from([("AZURE_CLIENT_ID", "id-1".into()), ("SSL_CERT_FILE", r"/it's a\path".into())]);
        script(shell, &given, &[AZURE_OPENAI_API_KEY]).unwrap()
    }

    #[test]
    fn words_that_a_shell_would_read_otherwise_are_quoted() {
        let words = ["az", "logout", "it's $HOME"].map(str::to_owned);
        assert_eq!(command_line(Shell::Sh, &words), r"az logout 'it'\''s $HOME'");
        assert_eq!(command_line(Shell::Powershell, &words), "az logout 'it''s $HOME'");
    }

    #[test]
    fn every_shell_reads_back_the_same_values() {
        insta::assert_snapshot!(written(Shell::Sh), @r"
        unset AZURE_OPENAI_API_KEY
        export AZURE_CLIENT_ID='id-1'
        export SSL_CERT_FILE='/it'\''s a\path'
        ");
        insta::assert_snapshot!(written(Shell::Fish), @r"
        set -e AZURE_OPENAI_API_KEY
        set -gx AZURE_CLIENT_ID 'id-1'
        set -gx SSL_CERT_FILE '/it\'s a\\path'
        ");
        insta::assert_snapshot!(written(Shell::Powershell), @r"
        Remove-Item Env:AZURE_OPENAI_API_KEY -ErrorAction SilentlyContinue
        $env:AZURE_CLIENT_ID = 'id-1'
        $env:SSL_CERT_FILE = '/it''s a\path'
        ");
        insta::assert_snapshot!(written(Shell::Json), @r#"
        {
          "AZURE_CLIENT_ID": "id-1",
          "SSL_CERT_FILE": "/it's a\\path"
        }
        "#);
    }
}
