//! Tables without lines: columns by spaces, a faint header, cells that may be coloured.

use std::fmt;

use super::paint::{faint, width};

const GAP: usize = 2;

/// Rows under a header. Every row has as many cells as the header.
#[derive(Debug)]
pub(crate) struct Table<const N: usize> {
    header: [&'static str; N],
    rows: Vec<[String; N]>,
    indent: usize,
    columns: Option<usize>,
    with_header: bool,
}

impl<const N: usize> Table<N> {
    pub(crate) const fn new(header: [&'static str; N]) -> Self {
        Self { header, rows: Vec::new(), indent: 0, columns: None, with_header: true }
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

    /// Shortens the last column so that lines fit a terminal of this width.
    pub(crate) const fn fitting(mut self, columns: Option<usize>) -> Self {
        self.columns = columns;
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
        write!(f, "{:1$}", "", self.indent)?;
        let mut used = self.indent;
        for (at, (cell, wide)) in cells.iter().zip(widths).enumerate() {
            if at + 1 == N {
                return writeln!(f, "{}", shortened(cell, self.columns.map(|all| all.saturating_sub(used))));
            }
            write!(f, "{cell}{:1$}", "", wide - width(cell) + GAP)?;
            used += wide + GAP;
        }
        Ok(())
    }
}

impl<const N: usize> fmt::Display for Table<N> {
    /// The header when it has any text, then the rows, each line ended.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let widths = self.widths();
        if self.with_header && self.header.iter().any(|title| !title.is_empty()) {
            let header = self.header.map(faint);
            self.line(f, header.each_ref().map(String::as_str), widths)?;
        }
        self.rows.iter().try_for_each(|row| self.line(f, row.each_ref().map(String::as_str), widths))
    }
}

/// The text, cut to `room` columns; a cut cell loses its colours, because half a colour code would paint the rest of the screen.
fn shortened(cell: &str, room: Option<usize>) -> String {
    match room {
        Some(room) if room >= 8 && width(cell) > room => {
            let plain = anstream::adapter::strip_str(cell).to_string();
            plain.chars().take(room - 1).chain(['…']).collect()
        }
        _ => cell.to_owned(),
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
    fn the_last_column_is_cut_to_the_terminal() {
        let text = plain(&table().indented(2).fitting(Some(32)));
        assert!(text.lines().all(|line| line.chars().count() <= 32), "{text}");
        assert!(text.contains("somebody…") || text.contains('…'), "{text}");
    }

    #[test]
    fn a_header_without_words_takes_no_line() {
        let mut table = Table::new(["", ""]);
        table.row(["tenant".into(), "x".into()]);
        assert_eq!(table.to_string(), "tenant  x\n");
    }
}
