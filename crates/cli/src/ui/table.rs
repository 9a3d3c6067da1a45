//! Tables without lines: columns by spaces, a faint header, cells that may be coloured.

use std::fmt;

use super::paint::{faint, width};
use super::wrap::wrapped;

const GAP: usize = 2;

/// Rows under a header. Every row has as many cells as the header.
#[derive(Debug)]
pub(crate) struct Table<const N: usize> {
    header: [&'static str; N],
    rows: Vec<[String; N]>,
    indent: usize,
    columns: Option<usize>,
    with_header: bool,
    folds: bool,
}

impl<const N: usize> Table<N> {
    pub(crate) const fn new(header: [&'static str; N]) -> Self {
        Self { header, rows: Vec::new(), indent: 0, columns: None, with_header: true, folds: false }
    }

    /// Starts every line with this many spaces.
    pub(crate) const fn indented(mut self, indent: usize) -> Self {
        self.indent = indent;
        self
    }

    /// Leaves the header's line out: these rows go on a table that was begun before.
    pub(crate) const fn going_on(mut self, going_on: bool) -> Self {
        self.with_header = !going_on;
        self
    }

    /// Breaks the last column so that lines fit a terminal of this width: what does not fit goes on below, where the second column begins.
    pub(crate) const fn fitting(mut self, columns: Option<usize>) -> Self {
        self.columns = columns;
        self
    }

    /// Keeps every word whole on a terminal of this width: where the rows are too wide, what does not fit goes on lines of its own.
    pub(crate) const fn folding(mut self, columns: Option<usize>) -> Self {
        (self.columns, self.folds) = (columns, true);
        self
    }

    pub(crate) fn row(&mut self, cells: [String; N]) {
        self.rows.push(cells);
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    fn widths(&self) -> [usize; N] {
        let mut widths = self.header.map(|title| title.chars().count());
        for row in &self.rows {
            for (known, cell) in widths.iter_mut().zip(row) {
                *known = (*known).max(width(cell));
            }
        }
        widths
    }

    fn line(&self, f: &mut fmt::Formatter<'_>, cells: [&str; N], widths: [usize; N]) -> fmt::Result {
        let mut line = " ".repeat(self.indent);
        for (at, (cell, wide)) in cells.iter().zip(widths).enumerate() {
            line.push_str(cell);
            if at + 1 < N {
                line.push_str(&" ".repeat(wide - width(cell) + GAP));
            }
        }
        let below = self.indent + widths.first().copied().unwrap_or_default() + GAP;
        writeln!(f, "{}", wrapped(line, self.columns, below))
    }
}

impl<const N: usize> fmt::Display for Table<N> {
    /// The header when it has any text, then the rows, each line ended.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let widths = self.widths();
        let needed = self.indent + widths.iter().sum::<usize>() + GAP * N.saturating_sub(1);
        if let Some(columns) = self.columns.filter(|columns| self.folds && needed > *columns) {
            return self
                .rows
                .iter()
                .try_for_each(|row| if N == 2 { self.pair(f, row, widths, columns) } else { self.block(f, row, columns) });
        }
        if self.with_header && self.header.iter().any(|title| !title.is_empty()) {
            let header = self.header.map(faint);
            self.line(f, header.each_ref().map(String::as_str), widths)?;
        }
        self.rows.iter().try_for_each(|row| self.line(f, row.each_ref().map(String::as_str), widths))
    }
}

impl<const N: usize> Table<N> {
    /// A name and a value that is broken between words, or goes below its name when one of its words is too long for that.
    fn pair(&self, f: &mut fmt::Formatter<'_>, row: &[String; N], widths: [usize; N], columns: usize) -> fmt::Result {
        let [name, value] = row.each_ref().map(String::as_str)[..] else { return Ok(()) };
        let at = self.indent + widths.first().copied().unwrap_or_default() + GAP;
        let longest = value.split(' ').map(width).max().unwrap_or_default();
        let blanks = " ".repeat(self.indent);
        if at + longest <= columns {
            let line = format!("{blanks}{name}{:1$}{value}", "", at - self.indent - width(name));
            return writeln!(f, "{}", wrapped(line, Some(columns), at));
        }
        writeln!(f, "{blanks}{name}\n{}", wrapped(format_args!("{blanks}  {value}"), Some(columns), self.indent + 2))
    }

    /// The first cell, and below it the others by the names of their columns.
    fn block(&self, f: &mut fmt::Formatter<'_>, row: &[String; N], columns: usize) -> fmt::Result {
        let Some((first, others)) = row.split_first() else { return Ok(()) };
        writeln!(f, "{}", wrapped(format_args!("{:1$}{first}", "", self.indent), Some(columns), self.indent + 2))?;
        let mut below = Table::new(["", ""]).indented(self.indent + 2).folding(Some(columns));
        for (title, cell) in self.header.iter().skip(1).zip(others).filter(|(_, cell)| !cell.is_empty()) {
            below.row([faint(title), cell.clone()]);
        }
        write!(f, "{below}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::{bad, good};

    fn plain(table: &Table<3>) -> String {
        anstream::adapter::strip_str(&table.to_string()).to_string()
    }

    fn table() -> Table<3> {
        let mut table = Table::new(["time", "outcome", "who"]);
        table.row(["03:04:05".into(), good("allowed"), "demo-app".into()]);
        table.row(["03:04:06".into(), bad("denied"), "somebody with quite a long name".into()]);
        table
    }

    #[test]
    fn columns_line_up_whatever_the_colours() {
        insta::assert_snapshot!(plain(&table()), @r"
        time      outcome  who
        03:04:05  allowed  demo-app
        03:04:06  denied   somebody with quite a long name
        ");
    }

    #[test]
    fn the_last_column_goes_on_below_and_loses_no_word_u7() {
        let text = plain(&table().indented(2).fitting(Some(36)));
        assert!(text.ends_with("\n  03:04:06  denied   somebody with\n            quite a long name\n"), "{text}");
    }

    #[test]
    fn a_table_that_folds_keeps_every_word_whole() {
        let id = "00000000-0000-4000-8000-000000000010";
        let mut wide = Table::new(["identity", "client id", "object id"]).indented(2).folding(Some(60));
        wide.row(["demo-app".into(), id.into(), id.into()]);
        assert_eq!(plain(&wide), format!("  demo-app\n    client id  {id}\n    object id  {id}\n"));
        let mut pairs = Table::new(["", ""]).folding(Some(40));
        pairs.row(["refused".into(), "no role assignment of the caller covers the scope".into()]);
        pairs.row(["at".into(), format!("/subscriptions/{id}/x")]);
        let text = pairs.to_string();
        let below = format!("at\n  /subscriptions/{id}/x\n");
        assert_eq!(text, format!("refused  no role assignment of the\n         caller covers the scope\n{below}"));
    }

    #[test]
    fn a_header_without_words_takes_no_line() {
        let mut table = Table::new(["", ""]);
        table.row(["tenant".into(), "x".into()]);
        assert_eq!(table.to_string(), "tenant  x\n");
    }
}
