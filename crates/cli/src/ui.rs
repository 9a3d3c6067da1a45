//! What people see: stdout for what was asked, stderr for progress and remarks, colour only where a terminal shows it.

mod paint;
pub(crate) mod prompt;
mod screen;
mod stage;
mod table;
mod wrap;

pub(crate) use paint::{bad, code, faint, good, heading, strong, warn};
pub(crate) use screen::Screen;
#[cfg(test)]
pub(crate) use screen::captured;
pub(crate) use stage::Stage;
pub(crate) use table::Table;
pub(crate) use wrap::{command, wrapped};
