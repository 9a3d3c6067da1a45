//! Colours. They never carry meaning alone: whatever is painted also says it in words.

use std::fmt::Display;

use anstyle::{AnsiColor, Style};

fn paint(style: Style, text: impl Display) -> String {
    format!("{style}{text}{style:#}")
}

const fn colour(colour: AnsiColor) -> Style {
    Style::new().fg_color(Some(anstyle::Color::Ansi(colour)))
}

/// The title of a part.
pub(crate) fn heading(text: impl Display) -> String {
    paint(colour(AnsiColor::Cyan).bold(), text)
}

pub(crate) fn strong(text: impl Display) -> String {
    paint(Style::new().bold(), text)
}

/// What explains, and may be skipped.
pub(crate) fn faint(text: impl Display) -> String {
    paint(Style::new().dimmed(), text)
}

/// Something to type.
pub(crate) fn code(text: impl Display) -> String {
    paint(colour(AnsiColor::Cyan), text)
}

pub(crate) fn good(text: impl Display) -> String {
    paint(colour(AnsiColor::Green), text)
}

pub(crate) fn bad(text: impl Display) -> String {
    paint(colour(AnsiColor::Red), text)
}

pub(crate) fn warn(text: impl Display) -> String {
    paint(colour(AnsiColor::Yellow), text)
}

/// How many columns the text takes, colour codes left out.
pub(crate) fn width(text: &str) -> usize {
    anstream::adapter::strip_str(text).map(|plain| plain.chars().count()).sum()
}
