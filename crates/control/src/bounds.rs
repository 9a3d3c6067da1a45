//! Bounds on the JSON that is read, in one place for both APIs and every route. What may be kept of it the directory bounds.

use crate::failure::{Code, Failure};

/// The deepest nesting of a body. A document is stored some levels below what a client wrote, and JSON readers stop at 128.
pub(crate) const MAX_DEPTH: usize = 32;
/// The most values and members of a body: a reader's memory goes with their number, not with the bytes.
pub(crate) const MAX_NODES: usize = 20_000;

/// What a body asks of its reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Size {
    depth: usize,
    nodes: usize,
}

/// Refuses a body that nests too deep or holds too many values. What is no JSON is left to whoever reads it.
pub(crate) fn check_body(body: &[u8]) -> Result<(), Failure> {
    let Size { depth, nodes } = measure(body);
    let too_much = |what: String| Err(Failure::new(Code::InvalidRequestContent, format!("The request content was invalid: {what}.")));
    if depth > MAX_DEPTH {
        return too_much(format!("its JSON is nested deeper than {MAX_DEPTH} levels"));
    }
    if nodes > MAX_NODES {
        return too_much(format!("its JSON holds more than {MAX_NODES} values"));
    }
    Ok(())
}

/// Depth and number of values, without building any: one pass over the bytes.
fn measure(body: &[u8]) -> Size {
    let (mut size, mut open, mut quoted, mut escaped) = (Size::default(), 0_usize, false, false);
    for byte in body {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ if quoted => {}
            b'{' | b'[' => {
                open += 1;
                size.nodes += 1;
                size.depth = size.depth.max(open);
            }
            b'}' | b']' => open = open.saturating_sub(1),
            b',' => size.nodes += 1,
            _ => {}
        }
    }
    size
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_and_values_are_counted_outside_of_text_only() {
        for (body, depth, nodes) in [
            ("", 0, 0),
            ("{}", 1, 1),
            (r#"{"a":[1,{"b":2}]}"#, 3, 4),
            (r#"{"a":"[[[[,,,,{{"}"#, 1, 1),
            (r#"["\"[", "\\", []]"#, 2, 4),
            ("]]]][[", 2, 2),
        ] {
            assert_eq!(measure(body.as_bytes()), Size { depth, nodes }, "{body}");
        }
    }

    #[test]
    fn a_body_is_refused_beyond_the_bounds_and_not_at_them_d1() {
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert!(check_body(nested(MAX_DEPTH).as_bytes()).is_ok());
        assert_eq!(check_body(nested(MAX_DEPTH + 1).as_bytes()).unwrap_err().status, 400);
        let long = |values: usize| format!("[{}]", vec!["0"; values].join(","));
        assert!(check_body(long(MAX_NODES).as_bytes()).is_ok());
        assert_eq!(check_body(long(MAX_NODES + 1).as_bytes()).unwrap_err().status, 400);
    }
}
