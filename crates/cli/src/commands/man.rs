//! `keyless man`: the words of `--help` as manual pages.

use std::path::Path;

use clap::CommandFactory as _;

use super::Context;
use crate::args::{Cli, Man};
use crate::exit::Exit;
use crate::failure::{Ending, Explain as _, Failure};
use crate::ui::{good, strong};

pub(super) fn man(context: &mut Context<'_>, args: &Man) -> Ending {
    let mut command = Cli::command();
    command.build();
    match &args.folder {
        None => context.screen.write(page(&command)?)?,
        Some(folder) => {
            let count = pages(&command, folder)?;
            context.screen.say(format_args!("{} {count} manual pages are in {}", good("✓"), strong(folder.display())))?;
        }
    }
    Ok(Exit::Done)
}

fn page(command: &clap::Command) -> Result<String, Failure> {
    let mut text = Vec::new();
    clap_mangen::Man::new(command.clone()).render(&mut text).explain(|| "the manual page cannot be made".to_owned(), "report this")?;
    // Words as long as an action's name cannot be spread over a line: the right margin stays ragged.
    Ok(String::from_utf8_lossy(&text).replacen(".SH NAME", ".ad l\n.SH NAME", 1))
}

/// Writes the page of a command and those of the commands below it; returns how many.
fn pages(command: &clap::Command, folder: &Path) -> Result<usize, Failure> {
    let unwritable = || format!("{} cannot be written", folder.display());
    std::fs::create_dir_all(folder).explain(unwritable, "name a folder of yours")?;
    let name = command.get_display_name().unwrap_or_else(|| command.get_name());
    std::fs::write(folder.join(format!("{name}.1")), page(command)?).explain(unwritable, "name a folder of yours")?;
    let below = command.get_subcommands().map(|below| pages(below, folder)).sum::<Result<usize, Failure>>()?;
    Ok(below + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_a_page_with_its_examples_and_exit_codes() {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Cli::command();
        command.build();
        let count = pages(&command, folder.path()).unwrap();
        let files: Vec<_> =
            std::fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
        assert_eq!(files.len(), count);
        assert!(
            count > 40 && ["keyless.1", "keyless-up.1", "keyless-audit-tail.1"].iter().all(|name| files.iter().any(|file| file == name))
        );
        for file in files {
            let text = std::fs::read_to_string(folder.path().join(&file)).unwrap();
            assert!(text.contains(".TH") && text.contains(".SH NAME") && text.contains("Exit codes: "), "{file}");
        }
    }
}
