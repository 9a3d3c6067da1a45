//! Rust source with comments and literals blanked out, so that rules look at code only.

use std::ops::Range;

use proc_macro2::{TokenStream, TokenTree};

/// `text` with every comment, string and character literal replaced by spaces; lines keep their numbers. Nothing is left of what the
/// compiler could not read either.
pub(super) fn code_only(text: &str) -> String {
    let mut code: Vec<u8> = text.bytes().map(|byte| if byte == b'\n' { byte } else { b' ' }).collect();
    keep(text.parse().unwrap_or_default(), &mut |range| code[range.clone()].copy_from_slice(text[range].as_bytes()), text);
    String::from_utf8_lossy(&code).into_owned()
}

/// Names the places of what is code.
fn keep(tokens: TokenStream, found: &mut dyn FnMut(Range<usize>), text: &str) {
    for token in tokens {
        let place = token.span().byte_range();
        let first = text[place.clone()].chars().next().unwrap_or_default();
        match token {
            // Documentation is read as an attribute, all of whose tokens stand where the comment does.
            _ if first == '/' && !matches!(&token, TokenTree::Punct(punct) if punct.as_char() == '/') => (),
            TokenTree::Group(group) => {
                found(group.span_open().byte_range());
                keep(group.stream(), found, text);
                found(group.span_close().byte_range());
            }
            TokenTree::Literal(_) if !first.is_ascii_digit() => (),
            _ => found(place),
        }
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
    fn documentation_is_no_code() {
        assert_eq!(squeezed("//! a.unwrap()\n/// b\nfn f() { /** c */ 0x1f }"), "fn f() { 0x1f }");
    }
}
