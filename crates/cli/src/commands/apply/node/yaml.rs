//! YAML 1.2, the part that has one meaning: one document of maps, lists and plain values. Anchors, aliases and tags are refused:
//! what a file grants must be readable where it stands, and an alias can make a small file a large one.

use std::rc::Rc;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span, StrInput};

use super::{Content, Entry, MAX_DEPTH, Node, Place, Problem, too_deep};

pub(super) fn read(file: &Rc<str>, text: &str) -> Result<Node, Problem> {
    let mut reader = Reader { file, events: Parser::new_from_str(text) };
    let mut document = None;
    loop {
        let (event, at) = reader.next()?;
        match event {
            Event::StreamEnd => break,
            Event::DocumentStart(_) if document.is_some() => {
                return Err(Problem::new(
                    &at,
                    "the file holds a second document",
                    "put it in a file of its own; several files can be applied together",
                ));
            }
            Event::DocumentStart(_) => {
                let (event, at) = reader.next()?;
                document = Some(reader.value(event, at, MAX_DEPTH)?);
            }
            _ => {}
        }
    }
    let nothing = || Node { at: Place { file: file.clone(), line: 1 }, value: Content::Nothing };
    Ok(document.unwrap_or_else(nothing))
}

struct Reader<'a> {
    file: &'a Rc<str>,
    events: Parser<'a, StrInput<'a>>,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Result<(Event<'a>, Place), Problem> {
        match self.events.next() {
            Some(Ok((event, span))) => Ok((event, self.place(span))),
            Some(Err(error)) => Err(self.broken(&error)),
            // The parser ends with an event that says so; without one, there is nothing more either.
            None => Ok((Event::StreamEnd, Place { file: self.file.clone(), line: 1 })),
        }
    }

    fn place(&self, span: Span) -> Place {
        Place { file: self.file.clone(), line: span.start.line() }
    }

    fn broken(&self, error: &ScanError) -> Problem {
        let at = Place { file: self.file.clone(), line: error.marker().line() };
        Problem::new(&at, format!("this is no YAML: {}", error.info()), "look at the indentation and quotes there")
    }

    fn value(&mut self, event: Event<'a>, at: Place, depth: usize) -> Result<Node, Problem> {
        let depth = depth.checked_sub(1).ok_or_else(|| too_deep(&at))?;
        let value = match event {
            Event::Scalar(text, style, 0, None) => scalar(text.into_owned(), style),
            Event::SequenceStart(0, None) => self.list(depth)?,
            Event::MappingStart(0, None) => self.map(depth)?,
            Event::Scalar(..) | Event::SequenceStart(..) | Event::MappingStart(..) | Event::Alias(_) => {
                return Err(Problem::new(&at, "anchors, aliases and tags are not read", "write the value itself"));
            }
            _ => return Err(Problem::new(&at, "a value is missing", "write one, or remove the name before it")),
        };
        Ok(Node { at, value })
    }

    fn list(&mut self, depth: usize) -> Result<Content, Problem> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(Content::List(items)),
                (event, at) => items.push(self.value(event, at, depth)?),
            }
        }
    }

    fn map(&mut self, depth: usize) -> Result<Content, Problem> {
        let mut entries: Vec<Entry> = Vec::new();
        loop {
            let (name, at) = match self.next()? {
                (Event::MappingEnd, _) => return Ok(Content::Map(entries)),
                (Event::Scalar(name, _, 0, None), at) => (name.into_owned(), at),
                (_, at) => return Err(Problem::new(&at, "a name must be plain text", "write `name: value`")),
            };
            if let Some(first) = entries.iter().find(|entry| entry.name == name) {
                return Err(Problem::new(&at, format!("`{name}` stands here twice; first at {}", first.at), "keep one of them"));
            }
            let (event, value_at) = self.next()?;
            let value = self.value(event, value_at, depth)?;
            entries.push(Entry { name, at, value });
        }
    }
}

/// A plain value by the core schema (YAML 1.2.2 section 10.3), floats left out: no field is one.
fn scalar(text: String, style: ScalarStyle) -> Content {
    if style != ScalarStyle::Plain {
        return Content::Text(text);
    }
    match text.as_str() {
        "" | "~" | "null" | "Null" | "NULL" => Content::Nothing,
        "true" | "True" | "TRUE" => Content::Truth(true),
        "false" | "False" | "FALSE" => Content::Truth(false),
        _ => text.parse().map_or(Content::Text(text), Content::Number),
    }
}
