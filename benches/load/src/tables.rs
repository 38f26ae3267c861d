//! How tables and numbers are written for people.

use comfy_table::presets::ASCII_MARKDOWN;
use comfy_table::{CellAlignment, Table};

/// A table whose first columns are words, so many of them, and all others numbers.
pub(crate) fn table<T: ToString>(head: &[T], words: usize) -> Table {
    let mut table = Table::new();
    table
        .load_style(ASCII_MARKDOWN)
        .set_header(head.iter().map(T::to_string));
    for column in table.column_iter_mut().skip(words) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

/// A number without fraction, as in `12,345`.
pub(crate) fn thousands(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_commas_at_each_thousand() {
        assert_eq!(
            [7.4, 999.6, 12_345.0, 1_234_567.0].map(thousands),
            ["7", "1,000", "12,345", "1,234,567"]
        );
    }
}
