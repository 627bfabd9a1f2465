//! QR codes, as pictures that a page carries inside.

use std::fmt::Write as _;

use qrcode::{Color, EcLevel, QrCode};

/// Modules of white around a code, which readers need to find it (ISO/IEC 18004).
const QUIET: usize = 4;

/// A QR code as an SVG path, one unit for each module. It is dark on white in both themes: readers expect that.
#[derive(Debug)]
pub struct Qr {
    /// Width and height, the quiet zone included.
    pub side: usize,
    /// `d` of the path that fills the dark modules.
    pub path: String,
}

impl Qr {
    /// The code that says `text`; none when `text` is longer than a code can hold, about 2,300 bytes.
    pub fn of(text: &str) -> Option<Self> {
        let code = QrCode::with_error_correction_level(text, EcLevel::M).ok()?;
        let width = code.width();
        let mut path = String::new();
        for (row, modules) in code.to_colors().chunks(width).enumerate() {
            for (column, length) in dark_runs(modules) {
                let _ = write!(path, "M{} {}h{length}v1h-{length}z", column + QUIET, row + QUIET);
            }
        }
        Some(Self { side: width + 2 * QUIET, path })
    }
}

/// Where the dark modules of a row start, and how many stand side by side.
fn dark_runs(modules: &[Color]) -> impl Iterator<Item = (usize, usize)> {
    let mut column = 0;
    modules
        .chunk_by(|one, next| one == next)
        .map(move |run| {
            let start = column;
            column += run.len();
            (run[0], start, run.len())
        })
        .filter(|(color, ..)| *color == Color::Dark)
        .map(|(_, start, length)| (start, length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_drawn_by_its_dark_runs() {
        use Color::{Dark, Light};
        let runs: Vec<_> = dark_runs(&[Dark, Dark, Light, Dark, Light, Light]).collect();
        assert_eq!(runs, [(0, 2), (3, 1)]);
        assert_eq!(dark_runs(&[Light]).count(), 0);
    }

    #[test]
    fn a_code_stands_in_its_quiet_zone_and_a_text_too_long_for_one_has_none() {
        let qr = Qr::of("https://berth.example/open/coffee").expect("a short text fits");
        assert_eq!(qr.side, 29 + 2 * QUIET, "33 bytes take version 3, which has 29 modules a side");
        assert!(qr.path.starts_with("M4 4h7v1h-7z"), "the first row starts with the finder pattern: {}", qr.path);
        assert!(Qr::of(&"x".repeat(3_000)).is_none());
    }
}
