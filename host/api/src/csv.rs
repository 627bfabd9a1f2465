//! Tables as CSV (RFC 4180), for spreadsheets.

/// Appends a row. A cell that a spreadsheet would take for a formula begins with an apostrophe, as what clients say of themselves
/// is among them.
pub(crate) fn row<'a>(text: &mut String, cells: impl IntoIterator<Item = &'a str>) {
    for (place, cell) in cells.into_iter().enumerate() {
        if place > 0 {
            text.push(',');
        }
        let guard =
            if cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']) { "'" } else { "" };
        text.push('"');
        text.push_str(guard);
        text.push_str(&cell.replace('"', "\"\""));
        text.push('"');
    }
    text.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p12_no_cell_is_a_formula_and_none_breaks_out() {
        let mut text = String::new();
        row(&mut text, ["plain", "=cmd|' /C calc'!A0", "@SUM(1)", "-1", "a \"b\",\r\nc", ""]);
        assert_eq!(text, "\"plain\",\"'=cmd|' /C calc'!A0\",\"'@SUM(1)\",\"'-1\",\"a \"\"b\"\",\r\nc\",\"\"\r\n");
    }
}
