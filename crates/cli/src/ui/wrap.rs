//! Lines that fit a terminal. Words stay whole: an id that is broken in two can be neither read nor copied.

use std::fmt::Display;

use super::paint::width;

/// The text in lines of at most `columns`, broken at blanks; lines after the first begin with `hanging` blanks. A word that is longer
/// than a line has one of its own. Without a terminal nothing is broken.
pub(crate) fn wrapped(text: impl Display, columns: Option<usize>, hanging: usize) -> String {
    let text = text.to_string();
    let Some(columns) = columns else { return text };
    text.split('\n')
        .map(|line| filled(line, line.trim_start_matches(' ').split(' ').map(str::to_owned), columns, hanging, ""))
        .collect::<Vec<_>>()
        .join("\n")
}

/// A command in as many lines, each but the last ending in the backslash that makes a shell read on.
pub(crate) fn command(text: impl Display, columns: Option<usize>, indent: usize) -> String {
    let blanks = " ".repeat(indent);
    let text = format!("{blanks}{text}");
    match columns {
        Some(columns) if width(&text) > columns => filled(&text, shell_words(&text), columns, indent + 2, " \\"),
        _ => text,
    }
}

/// The words of a command; what stands in quotes is one, blanks included.
fn shell_words(text: &str) -> impl Iterator<Item = String> {
    let mut words: Vec<String> = Vec::new();
    let mut quoted = false;
    for part in text.trim_start_matches(' ').split(' ') {
        match words.last_mut().filter(|_| quoted) {
            Some(word) => *word = format!("{word} {part}"),
            None => words.push(part.to_owned()),
        }
        quoted ^= part.matches('\'').count() % 2 == 1;
    }
    words.into_iter()
}

fn filled(line: &str, words: impl Iterator<Item = String>, columns: usize, hanging: usize, end: &str) -> String {
    let first = line.len() - line.trim_start_matches(' ').len();
    let mut lines = vec![" ".repeat(first)];
    let mut empty = true;
    for word in words {
        let current = lines.last_mut().expect("there is a first line");
        if !empty && width(current) + 1 + width(&word) + width(end) > columns && !word.is_empty() {
            current.truncate(current.trim_end_matches(' ').len());
            current.push_str(end);
            lines.push(format!("{}{word}", " ".repeat(hanging)));
            continue;
        }
        if !empty {
            current.push(' ');
        }
        current.push_str(&word);
        empty = false;
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_between_words_only() {
        let id = "/subscriptions/00000000-0000-4000-8000-00000000000b/resourceGroups/demo";
        let text = wrapped(format_args!("no: nothing at {id} grants it"), Some(40), 2);
        assert_eq!(text, format!("no: nothing at\n  {id}\n  grants it"));
        assert_eq!(wrapped("a b", None, 0), "a b");
    }

    #[test]
    fn a_shell_reads_a_broken_command_as_one() {
        let text = command("keyless az -- role assignment create --role Reader --scope /subscriptions/s", Some(40), 2);
        assert_eq!(text, "  keyless az -- role assignment create \\\n    --role Reader --scope \\\n    /subscriptions/s");
        assert!(text.lines().all(|line| line.chars().count() <= 40));
        let quoted = command("keyless role create --as demo-app --role 'Cognitive Services OpenAI User'", Some(40), 0);
        assert!(quoted.lines().any(|line| line.trim() == "'Cognitive Services OpenAI User'"), "{quoted}");
    }
}
