use std::collections::VecDeque;

use proptest::prelude::*;

use super::super::{Prompt, Wanted};
use super::*;

const TYPE: HeaderValue = HeaderValue::from_static("multipart/form-data; boundary=XX");

fn part(head: &str, value: &str) -> String {
    format!("--XX\r\n{head}\r\n\r\n{value}\r\n")
}

fn field(name: &str, value: &str) -> String {
    part(&format!("Content-Disposition: form-data; name=\"{name}\""), value)
}

fn file(content: &str) -> String {
    part("Content-Disposition: form-data; name=\"file\"; filename=\"a.wav\"\r\nContent-Type: audio/wav", content)
}

/// What the model server gets of a body that comes in pieces of `size` bytes, and the model the caller named.
fn forwarded(body: &str, size: usize) -> Result<(String, Option<String>), PromptFault> {
    let mut prompt = Prompt::form(Some(&TYPE))?;
    let mut out = VecDeque::new();
    prompt.want(Wanted { model: "whisper".to_owned(), usage: false });
    for piece in body.as_bytes().chunks(size) {
        prompt.push(Bytes::copy_from_slice(piece))?;
        prompt.release(&mut out);
    }
    prompt.finish()?;
    let text = out.iter().flat_map(|piece| piece.iter().copied()).collect();
    Ok((String::from_utf8(text).unwrap(), prompt.model().map(str::to_owned)))
}

#[test]
fn the_model_is_replaced_and_everything_else_passes_as_it_came() {
    for size in [1, 2, 3, 7, 64, 10_000] {
        let rest = [field("language", "en"), file("RIFF\r\n--X\r\n\r\n-- \n"), field("stream", "true"), "--XX--\r\n".to_owned()].concat();
        let (out, model) = forwarded(&[field("model", "speech-1"), rest.clone()].concat(), size).unwrap();
        assert_eq!(out, [field("model", "whisper"), rest.clone()].concat(), "{size}");
        assert_eq!(model.as_deref(), Some("speech-1"));
        let late = [file("RIFF"), field("model", ""), "--XX--".to_owned()].concat();
        assert_eq!(forwarded(&late, size).unwrap().0, late.replace("\r\n\r\n\r\n", "\r\n\r\nwhisper\r\n"), "{size}");
    }
}

#[test]
fn a_form_without_a_model_gets_one() {
    for size in [1, 5, 1000] {
        let (out, model) = forwarded(&[file("RIFF"), "--XX--\r\n".to_owned()].concat(), size).unwrap();
        let added = "--XX\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nwhisper\r\n";
        assert_eq!(out, [&file("RIFF"), added, "--XX--\r\n"].concat());
        assert_eq!(model, None);
    }
}

#[test]
fn what_two_servers_could_read_differently_is_refused() {
    let model = field("model", "a");
    let end = "--XX--\r\n";
    for (body, why) in [
        (["preamble\r\n", &model, end].concat(), "text before the first part"),
        ([&model, "--XX--\r\n--XX--"].concat(), "text after the end"),
        ([&model[..], "--XXY\r\n"].concat(), "a delimiter that goes on"),
        (["--XX \r\n", &model[6..], end].concat(), "space after a delimiter"),
        ([&model.replace("\r\n", "\n"), end].concat(), "lines without CR"),
        (
            ["--XX\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\nv\n--XX\r\n", &model[6..], end].concat(),
            "a delimiter after a bare LF",
        ),
        ([&part("Content-Disposition: form-data; name=model", "a"), end].concat(), "a name without quotes"),
        ([&part("Content-Disposition: form-data; name=\"x\"; name=\"model\"", "a"), end].concat(), "two names"),
        ([&part("Content-Disposition: form-data; name*=utf-8''model", "a"), end].concat(), "an encoded name"),
        ([&part("Content-Disposition: form-data; name=\"mod\\el\"", "a"), end].concat(), "an escape"),
        ([&part("Content-Disposition: form-data;\r\n name=\"model\"", "a"), end].concat(), "a folded line"),
        ([&part("Content-Type: text/plain", "a"), end].concat(), "a part without a name"),
        (
            [&part("Content-Disposition: form-data; name=\"x\"\r\nContent-Disposition: form-data; name=\"model\"", "a"), end].concat(),
            "two dispositions",
        ),
        (["--XX\r\n\r\n\r\nv\r\n", end].concat(), "a part without a head"),
        (part(&format!("Content-Disposition: form-data; name=\"{}\"", "x".repeat(MAX_HEAD)), "a"), "an endless head"),
    ] {
        for size in [1, 1000, 100_000] {
            assert!(matches!(forwarded(&body, size), Err(PromptFault::BrokenForm { .. })), "{why}: {:?}", forwarded(&body, size));
        }
    }
}

#[test]
fn a_watched_field_is_one_and_plain() {
    let end = "--XX--\r\n".to_owned();
    let fault = |parts: &[String]| forwarded(&[parts.concat(), end.clone()].concat(), 9).unwrap_err();
    assert_eq!(fault(&[field("model", "a"), file("x"), field("model", "b")]), PromptFault::Twice("model"));
    assert_eq!(fault(&[field("Model", "a")]), PromptFault::Spelling("model"));
    assert_eq!(fault(&[part("Content-Disposition: form-data; name=\"model\"; filename=\"m\"", "a")]), PromptFault::Type("model"));
    let encoded = "Content-Disposition: form-data; name=\"model\"\r\nContent-Transfer-Encoding: base64";
    assert_eq!(fault(&[part(encoded, "YQ==")]), PromptFault::Type("model"));
    assert_eq!(fault(&[field("stream", "perhaps")]), PromptFault::Type("stream"));
    assert_eq!(fault(&[field("model", &"x".repeat(2 * MAX_VALUE))]), PromptFault::TooLong("a form field"));
}

#[test]
fn a_form_that_breaks_off_is_not_one() {
    for body in ["", "--XX", &field("model", "a"), &[field("model", "a"), "--XX-".to_owned()].concat()] {
        assert!(matches!(forwarded(body, 3), Err(PromptFault::BrokenForm { .. })), "{body}");
    }
}

#[test]
fn only_a_form_with_one_boundary_is_announced() {
    let announced = |text: &'static str| Form::announced_by(Some(&HeaderValue::from_static(text))).map(|form| form.content_type());
    assert_eq!(announced("Multipart/Form-Data; charset=utf-8; BOUNDARY=\"a.b\"").unwrap(), "multipart/form-data; boundary=\"a.b\"");
    for text in [
        "application/json",
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "multipart/form-data; boundary=a; boundary=b",
        "multipart/form-data; boundary=\"a b\"",
        "multipart/mixed; boundary=a",
    ] {
        assert_eq!(announced(text).unwrap_err(), PromptFault::NotForm, "{text}");
    }
    assert_eq!(Form::announced_by(None).unwrap_err(), PromptFault::NotForm);
    let long: HeaderValue = format!("multipart/form-data; boundary={}", "x".repeat(71)).parse().unwrap();
    assert_eq!(Form::announced_by(Some(&long)).unwrap_err(), PromptFault::NotForm);
}

proptest! {
    #[test]
    fn arbitrary_bytes_are_survived_and_little_is_held(
        pieces in proptest::collection::vec(prop_oneof![
            Just("--XX".to_owned()), Just("\r\n".to_owned()), Just("--".to_owned()), Just(field("model", "a")), Just(file("b")), "[a-z\r\n-]{0,40}",
        ], 0..20),
        size in 1usize..50,
    ) {
        let mut form = Form::announced_by(Some(&TYPE)).unwrap();
        let mut members = Vec::new();
        for piece in pieces.concat().as_bytes().chunks(size) {
            if form.feed(piece, &mut members).is_err() {
                break;
            }
            prop_assert!(form.held.len() <= MAX_HEAD + size);
        }
    }

    #[test]
    fn files_of_any_content_pass_whole(content in "[a-zX\r\n -]{0,200}", size in 1usize..50) {
        prop_assume!(!content.contains("--XX"));
        let body = [field("model", "m"), file(&content), "--XX--\r\n".to_owned()].concat();
        prop_assert_eq!(forwarded(&body, size).unwrap().0, body.replacen("\r\n\r\nm\r\n", "\r\n\r\nwhisper\r\n", 1));
    }
}
