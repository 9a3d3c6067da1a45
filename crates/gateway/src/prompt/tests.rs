use proptest::prelude::*;

use super::*;

const ASK: &str = r#""stream_options":{"include_usage":true}"#;

/// The body as forwarded, when it arrives in pieces of `size` bytes and the plan is made after `late` of them.
fn forwarded(body: &str, size: usize, late: usize) -> Result<(String, bool), PromptFault> {
    let wanted = Wanted { model: "gpt-real".to_owned(), usage: true };
    let (mut prompt, mut out) = (Prompt::object(), VecDeque::new());
    for (index, chunk) in body.as_bytes().chunks(size).enumerate() {
        if index == late {
            prompt.want(wanted.clone());
        }
        prompt.push(Bytes::copy_from_slice(chunk))?;
        if index >= late {
            prompt.release(&mut out);
        }
    }
    prompt.finish()?;
    if prompt.wanted.is_none() {
        prompt.want(wanted);
    }
    prompt.release(&mut out);
    let bytes: Vec<u8> = out.iter().flatten().copied().collect();
    Ok((String::from_utf8(bytes).unwrap(), prompt.asked_usage()))
}

fn whole(body: &str) -> Result<(String, bool), PromptFault> {
    forwarded(body, body.len().max(1), usize::MAX)
}

#[test]
fn only_the_model_is_replaced_and_everything_else_passes_byte_for_byte() {
    let (sent, asked) =
        whole("{ \"messages\" : [ {\"content\":\"a \\\"model\\\": \\\\\"} ] ,\n\"model\":\"chat\", \"x\":1.50e3 }  ").unwrap();
    assert_eq!(sent, "{ \"messages\" : [ {\"content\":\"a \\\"model\\\": \\\\\"} ] ,\n\"model\":\"gpt-real\", \"x\":1.50e3 }  ");
    assert!(!asked);
    let same = r#"{"model":"gpt-real","messages":[]}"#;
    assert_eq!(whole(same).unwrap().0, same);
}

#[test]
fn a_missing_model_is_added() {
    assert_eq!(whole("{}").unwrap().0, r#"{"model":"gpt-real"}"#);
    assert_eq!(whole(r#"{"a":1 }"#).unwrap().0, r#"{"a":1 ,"model":"gpt-real"}"#);
}

#[test]
fn a_stream_is_made_to_report_its_usage() {
    let ask = |body: &str| {
        whole(&format!(r#"{{"model":"gpt-real",{body}}}"#)).map(|(sent, asked)| (sent.replace(r#""model":"gpt-real","#, ""), asked))
    };
    assert_eq!(ask(r#""stream":true"#).unwrap(), (format!(r#"{{"stream":true,{ASK}}}"#), true));
    assert_eq!(ask(r#""stream":false"#).unwrap(), (r#"{"stream":false}"#.to_owned(), false));
    assert_eq!(ask(&format!(r#"{ASK},"stream":true"#)).unwrap(), (format!(r#"{{{ASK},"stream":true}}"#), false));
    let other = ask(r#""stream_options":{"x":[1],"include_usage":false},"stream":true"#).unwrap();
    assert_eq!(
        other,
        (
            r#"{"stream_options":{"x":[1],"include_usage":true},"stream":true}"#
                .replace(r#""x":[1],"include_usage":true"#, r#""include_usage":true,"x":[1]"#),
            true
        )
    );
    assert_eq!(ask(r#""stream":true,"stream_options":null"#).unwrap(), (format!(r#"{{"stream":true,{ASK}}}"#), true));
}

#[test]
fn a_model_that_two_parsers_could_read_differently_is_refused() {
    for (body, fault) in [
        (r#"{"model":"a","model":"b"}"#, PromptFault::Twice("model")),
        (r#"{"model":"a","Model":"b"}"#, PromptFault::Spelling("model")),
        (r#"{"MODEL":"b"}"#, PromptFault::Spelling("model")),
        (r#"{"model":"a","mod\u0065l":"b"}"#, PromptFault::NameBytes),
        (r#"{"stream":false,"stream":true}"#, PromptFault::Twice("stream")),
    ] {
        assert_eq!(whole(body).unwrap_err(), fault, "{body}");
    }
}

/// Go folds by Unicode: these are `stream`, `max_tokens`, `previous_response_id` and `background` to a server that is written in it.
#[test]
fn names_that_fold_to_a_watched_one_are_refused_d13() {
    for name in ["\u{17f}tream", "max_to\u{212a}ens", "previou\u{17f}_re\u{17f}pon\u{17f}e_id", "bac\u{212a}ground", "\u{e9}"] {
        let escaped: String = name.chars().map(|c| if c.is_ascii() { c.to_string() } else { format!("\\u{:04x}", u32::from(c)) }).collect();
        for name in [name, &escaped] {
            let body = format!(r#"{{"model":"a","{name}":true}}"#);
            for size in [1, 7, body.len()] {
                assert_eq!(forwarded(&body, size, 0).unwrap_err(), PromptFault::NameBytes, "{body}");
            }
        }
    }
    let long = format!(r#"{{"{}\u{{17f}}":1}}"#, "x".repeat(100));
    assert_eq!(whole(&long).unwrap_err(), PromptFault::NameBytes, "behind what is remembered of a name");
    assert_eq!(whole("{\"a\tb\":1}").unwrap_err(), PromptFault::NameBytes);
    let below = r#"{"model":"gpt-real","metadata":{"größe":1}}"#;
    assert_eq!(whole(below).unwrap().0, below, "members of members are the model server's to read");
}

/// LangChain's `AzureChatOpenAI` names the deployment in the path and sends `null` here.
#[test]
fn a_model_that_is_null_is_as_good_as_absent() {
    assert_eq!(whole(r#"{"model":null,"a":1}"#).unwrap().0, r#"{"model":"gpt-real","a":1}"#);
    assert_eq!(forwarded(r#"{"a":1,"model": null }"#, 1, 0).unwrap().0, r#"{"a":1,"model": "gpt-real" }"#);
    let mut prompt = Prompt::object();
    prompt.push(Bytes::from_static(br#"{"model":null}"#)).unwrap();
    assert_eq!(prompt.model(), None);
    assert_eq!(whole(r#"{"model":null,"model":"b"}"#).unwrap_err(), PromptFault::Twice("model"));
}

#[test]
fn every_other_watched_member_may_be_null() {
    let names = ["stream", "stream_options", "max_tokens", "max_completion_tokens", "max_output_tokens", "n", "best_of", "encoding_format"];
    for name in names.into_iter().chain(["previous_response_id", "conversation", "background", "data_sources"]) {
        let body = format!(r#"{{"model":"gpt-real","{name}":null}}"#);
        assert_eq!(whole(&body).unwrap().0, body);
    }
}

/// A body that comes byte by byte takes the memory of its bytes, not that of its pieces.
#[test]
fn small_pieces_are_put_together_d4() {
    let body = format!(r#"{{"messages":"{}"}}"#, "x".repeat(100_000));
    let mut prompt = Prompt::object();
    body.as_bytes().chunks(1).for_each(|byte| prompt.push(Bytes::copy_from_slice(byte)).unwrap());
    assert!(prompt.frames.len() <= body.len() / SMALL + 2, "{} pieces", prompt.frames.len());
}

#[test]
fn coercible_types_are_refused() {
    for (body, name) in [
        (r#"{"stream":"true"}"#, "stream"),
        (r#"{"stream":1}"#, "stream"),
        (r#"{"model":["a"]}"#, "model"),
        (r#"{"max_tokens":"9"}"#, "max_tokens"),
        (r#"{"max_tokens":-1}"#, "max_tokens"),
        (r#"{"n":1.5}"#, "n"),
        (r#"{"stream_options":true}"#, "stream_options"),
    ] {
        assert_eq!(whole(body).unwrap_err(), PromptFault::Type(name), "{body}");
    }
}

#[test]
fn members_that_reach_what_others_stored_are_refused() {
    for name in ["previous_response_id", "conversation", "background", "data_sources"] {
        assert_eq!(whole(&format!(r#"{{"{name}":["x"]}}"#)).unwrap_err(), PromptFault::NotServed(name));
        assert_eq!(whole(&format!(r#"{{"{name}":true}}"#)).unwrap_err(), PromptFault::NotServed(name));
        whole(&format!(r#"{{"{name}":null}}"#)).unwrap();
    }
}

#[test]
fn what_is_no_strict_json_object_is_refused() {
    for body in [
        "",
        " ",
        "[]",
        "null",
        "{",
        "{\"a\"",
        "{\"a\":",
        "{\"a\":1",
        "{\"a\":1,}",
        "{,}",
        "{\"a\" 1}",
        "{\"a\":1}{",
        "{\"a\":1} x",
        "{'a':1}",
        "{\"a\":[/*\"*/]}",
        "{/**/\"a\":1}",
        "{\"a\":#1}",
        "\u{feff}{}",
        "{\"a\":\"x",
        "{\0\"a\":1}",
    ] {
        assert!(matches!(whole(body), Err(PromptFault::NotJson { .. })), "{body}");
    }
}

#[test]
fn deep_nesting_is_cut_off_n27() {
    let deep = |depth: usize| format!(r#"{{"a":{}{}}}"#, "[".repeat(depth), "]".repeat(depth));
    whole(&deep(256)).unwrap();
    assert_eq!(whole(&deep(10_000)).unwrap_err(), PromptFault::TooDeep);
}

#[test]
fn a_watched_value_has_a_limit_and_others_have_none() {
    let long = "x".repeat(5000);
    assert_eq!(whole(&format!(r#"{{"model":"{long}"}}"#)).unwrap_err(), PromptFault::TooLong("model"));
    assert_eq!(forwarded(&format!(r#"{{"model":"{long}"}}"#), 100, 0).unwrap_err(), PromptFault::TooLong("model"));
    assert!(whole(&format!(r#"{{"{long}":"{long}"}}"#)).unwrap().0.contains(&long));
}

#[test]
fn facts_are_read_for_the_estimate() {
    let mut prompt = Prompt::object();
    prompt.push(Bytes::from_static(br#"{"max_tokens":5,"max_completion_tokens":7,"n":2,"best_of":3,"encoding_format":"base64"}"#)).unwrap();
    assert_eq!((prompt.facts().max_tokens, prompt.facts().answers(), prompt.facts().base64), (Some(7), 3, true));
}

proptest! {
    /// However a body is cut, the same bytes come out, and they are the body with the wanted values.
    #[test]
    fn pieces_make_no_difference(
        before in "[a-z\\\\\"{}\\[\\],: é]{0,40}",
        model in proptest::option::of("[a-zA-Z\"\\\\é]{0,12}"),
        stream in any::<bool>(),
        size in 1usize..40,
        late in 0usize..6,
    ) {
        let mut body = serde_json::Map::new();
        body.insert("messages".into(), serde_json::json!([{"content": before, "model": {"stream": true}}]));
        if let Some(model) = &model {
            body.insert("model".into(), model.as_str().into());
        }
        body.insert("stream".into(), stream.into());
        let text = serde_json::to_string(&body).unwrap();
        let at_once = whole(&text).unwrap();
        prop_assert_eq!(&forwarded(&text, size, late).unwrap(), &at_once);
        let sent: serde_json::Value = serde_json::from_str(&at_once.0).unwrap();
        body.insert("model".into(), "gpt-real".into());
        if stream {
            body.insert("stream_options".into(), serde_json::json!({"include_usage": true}));
        }
        prop_assert_eq!(sent, serde_json::Value::Object(body));
    }

    /// Whatever arrives, the scanner answers without panicking, and accepts nothing but an object.
    #[test]
    fn arbitrary_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..200), size in 1usize..20) {
        let mut prompt = Prompt::object();
        let fed = bytes.chunks(size).try_for_each(|chunk| prompt.push(Bytes::copy_from_slice(chunk)));
        if fed.and_then(|()| prompt.finish()).is_ok() {
            let text = bytes.trim_ascii();
            let is_object = text.first() == Some(&b'{') && text.last() == Some(&b'}');
            prop_assert!(is_object);
        }
    }
}
