//! Rust source with comments and literals blanked out, so that rules look at code only.

/// `text` with every comment, string and character literal replaced by spaces; lines keep their numbers.
pub(super) fn code_only(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        let skipped = skip_length(rest, code.chars().next_back());
        if skipped == 0 {
            code.push(character);
            rest = &rest[character.len_utf8()..];
        } else {
            code.extend(rest[..skipped].chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
            rest = &rest[skipped..];
        }
    }
    code
}

/// How many bytes at the start of `rest` are a comment or literal; 0 when they are code.
fn skip_length(rest: &str, before: Option<char>) -> usize {
    if rest.starts_with("//") {
        return rest.find('\n').unwrap_or(rest.len());
    }
    if rest.starts_with("/*") {
        return block_comment(rest);
    }
    let in_word = before.is_some_and(|c| c.is_alphanumeric() || c == '_');
    if !in_word && let Some(length) = raw_string(rest) {
        return length;
    }
    if let Some(body) = rest.strip_prefix('"') {
        return 1 + quoted(body, '"');
    }
    rest.strip_prefix('\'').map_or(0, character_literal)
}

fn block_comment(rest: &str) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < rest.len() {
        if rest[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += rest[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    rest.len()
}

/// Length of `r"..."`, `br#"..."#` and the like.
fn raw_string(rest: &str) -> Option<usize> {
    let after = rest.strip_prefix("br").or_else(|| rest.strip_prefix("cr")).or_else(|| rest.strip_prefix('r'))?;
    let hashes = after.len() - after.trim_start_matches('#').len();
    let body = after[hashes..].strip_prefix('"')?;
    let start = rest.len() - body.len();
    let end = format!("\"{}", "#".repeat(hashes));
    Some(start + body.find(&end).map_or(body.len(), |at| at + end.len()))
}

/// Length up to and with the closing quote.
fn quoted(body: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, character) in body.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if character == quote => return at + 1,
            _ => (),
        }
    }
    body.len()
}

/// Length of `'x'` or `'\n'`, given what follows the first quote; 0 for a lifetime.
fn character_literal(body: &str) -> usize {
    let mut characters = body.chars();
    match (characters.next(), characters.next()) {
        (Some('\\'), _) => 1 + quoted(body, '\''),
        (Some(one), Some('\'')) => 2 + one.len_utf8(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn squeezed(text: &str) -> String {
        code_only(text).split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn comments_and_literals_vanish() {
        assert_eq!(squeezed("a // todo!()\nb /* x /* y */ z */ c"), "a b c");
        assert_eq!(squeezed(r##"f("todo!\" x", r#"a "b" c"#, br"d", 'x', '\'', "e") g"##), "f( , , , , , ) g");
    }

    #[test]
    fn lifetimes_and_identifiers_stay() {
        assert_eq!(squeezed("fn f<'a>(bar: &'a str) -> for_r"), "fn f<'a>(bar: &'a str) -> for_r");
    }

    #[test]
    fn line_numbers_are_kept() {
        assert_eq!(code_only("\"a\nb\"\n/*\n*/c").lines().count(), 4);
    }

    #[test]
    fn unfinished_literals_end_with_the_file() {
        assert_eq!(squeezed("a \"b"), "a");
        assert_eq!(squeezed("a r#\"b"), "a");
        assert_eq!(squeezed("a /* b"), "a");
    }
}
