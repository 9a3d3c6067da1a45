use proptest::prelude::*;

use super::*;

const HI: &str = "data: {\"choices\":[{\"delta\":{\"content\":\"Hi\"}}],\"usage\":null}\n\n";
const USAGE: &str = "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":5}}\n\n";
const DONE: &str = "data: [DONE]\n\n";

/// What passes, and what was noticed in sum, when `text` comes in pieces of `size` bytes.
fn passed(events: &mut Events, text: &str, size: usize) -> (String, Noticed) {
    let (mut out, mut sum) = (VecDeque::new(), Noticed::default());
    for chunk in text.as_bytes().chunks(size) {
        let noticed = events.push(Bytes::copy_from_slice(chunk), &mut out).unwrap();
        sum.usage = noticed.usage.or(sum.usage);
        sum.pieces += noticed.pieces;
        sum.last_at = sum.last_at.or(noticed.last_at);
    }
    out.push_back(events.finish());
    (String::from_utf8(out.iter().flatten().copied().collect()).unwrap(), sum)
}

#[test]
fn a_stream_that_asked_for_usage_passes_unchanged() {
    let stream = [": comment\n\n", HI, HI, USAGE, DONE].concat();
    let (out, noticed) = passed(&mut Events::new(Shape::Chat, false), &stream, stream.len());
    assert_eq!(out, stream);
    assert_eq!(noticed, Noticed { usage: Some(Usage { prompt: 3, completion: 5 }), pieces: 3, last_at: Some(4) });
}

#[test]
fn usage_that_nobody_asked_for_is_taken_out() {
    let stream = [HI, USAGE, DONE].concat();
    let (out, noticed) = passed(&mut Events::new(Shape::Chat, true), &stream, stream.len());
    assert_eq!(out, ["data: {\"choices\":[{\"delta\":{\"content\":\"Hi\"}}]}\n\n", DONE].concat());
    assert_eq!((noticed.usage, noticed.pieces), (Some(Usage { prompt: 3, completion: 5 }), 1));
    let with_content = "data: {\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":1} , \"choices\":[{\"finish_reason\":\"stop\"}]}\n\n";
    let (out, noticed) = passed(&mut Events::new(Shape::Chat, true), with_content, 7);
    assert_eq!(out, "data: { \"choices\":[{\"finish_reason\":\"stop\"}]}\n\n");
    assert_eq!(noticed.usage, Some(Usage { prompt: 1, completion: 1 }));
}

#[test]
fn an_event_is_passed_on_the_moment_it_is_complete() {
    let mut events = Events::new(Shape::Chat, false);
    let mut out = VecDeque::new();
    for byte in &HI.as_bytes()[..HI.len() - 1] {
        events.push(Bytes::copy_from_slice(&[*byte]), &mut out).unwrap();
        assert!(out.is_empty());
    }
    events.push(Bytes::from_static(b"\n"), &mut out).unwrap();
    assert_eq!(out, [HI]);
}

#[test]
fn a_response_ends_with_its_own_event() {
    let stream = "event: response.created\ndata: {\"response\":{\"usage\":null}}\n\n\
                  event: response.completed\ndata: {\"type\":\"response.completed\",\"response\":{\"usage\":{\"input_tokens\":2,\"output_tokens\":4}}}\n\n";
    let (out, noticed) = passed(&mut Events::new(Shape::Responses, false), stream, stream.len());
    assert_eq!(out, stream);
    assert_eq!(noticed, Noticed { usage: Some(Usage { prompt: 2, completion: 4 }), pieces: 1, last_at: Some(1) });
}

#[test]
fn every_line_end_counts() {
    for end in ["\n", "\r\n", "\r"] {
        let stream = format!("data: a{end}{end}data: b{end}{end}");
        let mut out = VecDeque::new();
        Events::new(Shape::Chat, false).push(Bytes::from(stream), &mut out).unwrap();
        assert_eq!(out, [format!("data: a{end}{end}"), format!("data: b{end}{end}")]);
    }
}

#[test]
fn an_endless_event_is_cut_off() {
    let mut events = Events::new(Shape::Chat, false);
    let (mut out, chunk) = (VecDeque::new(), Bytes::from(vec![b'x'; 1024 * 1024]));
    assert_eq!((0..17).map(|_| events.push(chunk.clone(), &mut out)).find_map(Result::err), Some(TooLong));
}

proptest! {
    /// However the network cuts a stream, the same events come out.
    #[test]
    fn pieces_make_no_difference(size in 1usize..50, strip in any::<bool>(), count in 0usize..5, crlf in any::<bool>()) {
        let mut stream = [&HI.repeat(count), USAGE, DONE].concat();
        if crlf {
            stream = stream.replace('\n', "\r\n");
        }
        let at_once = passed(&mut Events::new(Shape::Chat, strip), &stream, stream.len());
        let in_pieces = passed(&mut Events::new(Shape::Chat, strip), &stream, size);
        prop_assert_eq!(&in_pieces.0, &at_once.0);
        prop_assert_eq!((in_pieces.1.usage, in_pieces.1.pieces), (at_once.1.usage, at_once.1.pieces));
    }

    #[test]
    fn arbitrary_bytes_pass_whole(bytes in proptest::collection::vec(any::<u8>(), 0..200), size in 1usize..20) {
        let mut events = Events::new(Shape::Chat, false);
        let mut out = VecDeque::new();
        for chunk in bytes.chunks(size) {
            events.push(Bytes::copy_from_slice(chunk), &mut out).unwrap();
        }
        out.push_back(events.finish());
        prop_assert_eq!(out.iter().flatten().copied().collect::<Vec<u8>>(), bytes);
    }
}
