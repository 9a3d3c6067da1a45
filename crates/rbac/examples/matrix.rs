//! Prints the table that `tests/matrix.txt` holds.

#[path = "../tests/support/table.rs"]
mod table;

#[expect(clippy::print_stdout, reason = "printing is what this program is for")]
fn main() {
    print!("{}", table::render());
}
