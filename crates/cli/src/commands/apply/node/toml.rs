//! TOML 1.0.

use std::rc::Rc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{Content, Entry, MAX_DEPTH, Node, Place, Problem, too_deep};

pub(super) fn read(file: &Rc<str>, text: &str) -> Result<Node, Problem> {
    let reader = Reader { file, text };
    match DeTable::parse(text) {
        Ok(table) => Ok(Node { at: reader.place(0), value: reader.map(table.get_ref(), MAX_DEPTH)? }),
        Err(error) => {
            let at = reader.place(error.span().map_or(0, |span| span.start));
            Err(Problem::new(&at, format!("this is no TOML: {}", error.message()), "look at the brackets and quotes there"))
        }
    }
}

struct Reader<'a> {
    file: &'a Rc<str>,
    text: &'a str,
}

impl Reader<'_> {
    fn place(&self, offset: usize) -> Place {
        let before = self.text.as_bytes().iter().take(offset);
        Place { file: self.file.clone(), line: 1 + before.filter(|byte| **byte == b'\n').count() }
    }

    fn map(&self, table: &DeTable<'_>, depth: usize) -> Result<Content, Problem> {
        // The table is sorted by name; people think in the order in which they wrote.
        let mut rows: Vec<_> = table.iter().collect();
        rows.sort_by_key(|(name, _)| name.span().start);
        let entry = |(name, value): (&Spanned<_>, &Spanned<DeValue<'_>>)| {
            let name: &std::borrow::Cow<'_, str> = name.get_ref();
            let at = self.place(table.get_key_value(name.as_ref()).map_or(0, |(name, _)| name.span().start));
            Ok(Entry { name: name.to_string(), at, value: self.value(value, depth)? })
        };
        rows.into_iter().map(entry).collect::<Result<_, _>>().map(Content::Map)
    }

    fn value(&self, value: &Spanned<DeValue<'_>>, depth: usize) -> Result<Node, Problem> {
        let at = self.place(value.span().start);
        let depth = depth.checked_sub(1).ok_or_else(|| too_deep(&at))?;
        let value = match value.get_ref() {
            DeValue::String(text) => Content::Text(text.to_string()),
            DeValue::Boolean(truth) => Content::Truth(*truth),
            DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
                .map(Content::Number)
                .map_err(|_| Problem::new(&at, "the number is too large", "write a smaller one"))?,
            DeValue::Array(items) => Content::List(items.iter().map(|item| self.value(item, depth)).collect::<Result<_, _>>()?),
            DeValue::Table(table) => self.map(table, depth)?,
            DeValue::Float(_) | DeValue::Datetime(_) => {
                return Err(Problem::new(&at, "no field is a fraction or a date", "write text in quotes, or a whole number"));
            }
        };
        Ok(Node { at, value })
    }
}
