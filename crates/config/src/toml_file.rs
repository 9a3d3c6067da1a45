//! The file's text as a tree of values that know their line and column.

use std::sync::Arc;

use serde_json::Value;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::node::{Node, Origin};
use crate::problem::Problem;

/// Reads all that can be read, and says what cannot.
pub(crate) fn read(name: &str, text: &str) -> (Node, Vec<Problem>) {
    let reader = Reader { file: name.into(), text };
    let (table, errors) = DeTable::parse_recoverable(text);
    let problem = |error: &toml::de::Error| Problem {
        origin: reader.origin(error.span().map_or(0, |span| span.start)),
        setting: String::new(),
        what: format!("this is no TOML: {}; look at the quotes and brackets there", error.message()),
        usage: true,
    };
    (reader.table(table.get_ref(), 0), errors.iter().map(problem).collect())
}

struct Reader<'a> {
    file: Arc<str>,
    text: &'a str,
}

impl Reader<'_> {
    fn origin(&self, offset: usize) -> Origin {
        let before = self.text.get(..offset).unwrap_or(self.text);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        Origin::File {
            name: Arc::clone(&self.file),
            line: 1 + before.matches('\n').count(),
            column: 1 + before[line_start..].chars().count(),
        }
    }

    fn table(&self, table: &DeTable<'_>, offset: usize) -> Node {
        // A setting is where its name stands; a table's own place is that of its header.
        let entry = |(name, value): (&Spanned<std::borrow::Cow<'_, str>>, &Spanned<DeValue<'_>>)| {
            (name.get_ref().to_string(), self.value(value.get_ref(), name.span().start))
        };
        Node::table(self.origin(offset), table.iter().map(entry).collect())
    }

    fn value(&self, value: &DeValue<'_>, offset: usize) -> Node {
        let scalar = match value {
            DeValue::Table(table) => return self.table(table, offset),
            DeValue::Array(items) => {
                let items = items.iter().map(|item| self.value(item.get_ref(), item.span().start));
                return Node::list(self.origin(offset), items.collect());
            }
            DeValue::String(text) => Value::from(text.as_ref()),
            DeValue::Boolean(truth) => Value::from(*truth),
            DeValue::Integer(number) => {
                let number = i64::from_str_radix(number.as_str(), number.radix());
                number.map_or_else(|_| Value::from(f64::MAX), Value::from)
            }
            DeValue::Float(number) => number.as_str().parse::<f64>().map_or(Value::Null, Value::from),
            DeValue::Datetime(moment) => Value::from(moment.to_string()),
        };
        Node::value(self.origin(offset), scalar)
    }
}
