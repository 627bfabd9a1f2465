//! Rules for texts that people type.

use crate::error::{Error, Result};

/// Defines an enum whose variants are texts on the wire and in the database. The texts are matched as token trees, as
/// the derived schema of the API document does not recognise literals that passed through a macro.
#[macro_export]
macro_rules! text_enum {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:tt,)* }) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
        $(#[$doc])*
        pub enum $name { $($(#[$variant_doc])* #[serde(rename = $text)] $variant,)* }

        impl $name {
            /// Every variant, in the order of declaration.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The text of the variant on the wire and in the database.
            pub fn as_str(self) -> &'static str { match self { $(Self::$variant => $text,)* } }
        }

        $crate::text_in_sql!($name);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.write_str(self.as_str()) }
        }

        impl TryFrom<String> for $name {
            type Error = $crate::error::Error;
            fn try_from(text: String) -> $crate::error::Result<Self> { text.parse() }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::error::Error;
            fn from_str(text: &str) -> $crate::error::Result<Self> {
                Self::ALL.iter().copied().find(|one| one.as_str() == text).ok_or_else(|| {
                    let names: Vec<_> = Self::ALL.iter().map(|one| one.as_str()).collect();
                    $crate::error::Error::new($crate::error::Code::InvalidField, format!("{text:?} is none of: {}.", names.join(", ")))
                })
            }
        }
    };
}
pub use text_enum;

/// Makes a type that converts to and from text (`Display`, `FromStr`) a text in SQL too.
#[cfg(feature = "sql")]
#[doc(hidden)]
#[macro_export]
macro_rules! text_in_sql {
    ($name:ident) => {
        impl<DB: $crate::__sqlx::Database> $crate::__sqlx::Type<DB> for $name
        where
            String: $crate::__sqlx::Type<DB>,
        {
            fn type_info() -> DB::TypeInfo {
                <String as $crate::__sqlx::Type<DB>>::type_info()
            }
            fn compatible(info: &DB::TypeInfo) -> bool {
                <String as $crate::__sqlx::Type<DB>>::compatible(info)
            }
        }

        impl<'q, DB: $crate::__sqlx::Database> $crate::__sqlx::Encode<'q, DB> for $name
        where
            String: $crate::__sqlx::Encode<'q, DB>,
        {
            fn encode_by_ref(
                &self,
                buffer: &mut <DB as $crate::__sqlx::Database>::ArgumentBuffer,
            ) -> Result<$crate::__sqlx::encode::IsNull, $crate::__sqlx::error::BoxDynError> {
                <String as $crate::__sqlx::Encode<'q, DB>>::encode(self.to_string(), buffer)
            }
        }

        impl<'r, DB: $crate::__sqlx::Database> $crate::__sqlx::Decode<'r, DB> for $name
        where
            String: $crate::__sqlx::Decode<'r, DB>,
        {
            fn decode(
                value: <DB as $crate::__sqlx::Database>::ValueRef<'r>,
            ) -> Result<Self, $crate::__sqlx::error::BoxDynError> {
                Ok(<String as $crate::__sqlx::Decode<'r, DB>>::decode(value)?.parse::<Self>()?)
            }
        }
    };
}

/// Does nothing: without the feature `sql` there is nothing to implement.
#[cfg(not(feature = "sql"))]
#[doc(hidden)]
#[macro_export]
macro_rules! text_in_sql {
    ($name:ident) => {};
}

/// Checks a name and trims it: 1 to `max` characters (Unicode scalar values), at least one of them visible, without
/// control characters and direction marks.
///
/// # Errors
/// `invalid-field` for `field`, with the rule that the text breaks.
pub fn name(field: &str, text: &str, max: usize) -> Result<String> {
    let text = text.trim();
    let length = text.chars().count();
    if length == 0 || length > max {
        return Err(Error::field(field, format!("must have 1 to {max} characters, has {length}.")));
    }
    no_control(field, text)?;
    if !can_be_seen(text) {
        return Err(Error::field(field, "must have a character that can be seen."));
    }
    if let Some(c) = text.chars().find(|c| turns_direction(*c)) {
        return Err(Error::field(field, format!("must not contain the direction mark U+{:04X}.", c as u32)));
    }
    Ok(text.to_owned())
}

/// Whether a text is kebab-case of 1 to 64 characters, such as `size-limits`.
pub fn is_kebab(text: &str) -> bool {
    let word = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    text.len() <= 64 && text.split('-').all(word)
}

/// Whether people read two names as one: case and blanks aside.
pub fn is_same_name(one: &str, other: &str) -> bool {
    let letters = |name: &str| name.to_lowercase().split_whitespace().collect::<String>();
    letters(one) == letters(other)
}

/// Checks a name that stands for somebody alone, so that no two look alike for a character that nobody sees: as [`name`], without
/// any invisible character.
///
/// # Errors
/// `invalid-field` for `field`, with the rule that the text breaks.
pub fn visible_name(field: &str, text: &str, max: usize) -> Result<String> {
    let text = name(field, text, max)?;
    match text.chars().find(|c| is_invisible(*c) || is_variation(*c)) {
        Some(c) => Err(Error::field(field, format!("must not contain the invisible character U+{:04X}.", c as u32))),
        None => Ok(text),
    }
}

/// Whether a text has a character that can be seen.
pub fn can_be_seen(text: &str) -> bool {
    !text.chars().all(|c| is_invisible(c) || c.is_whitespace() || is_variation(c))
}

/// Whether the character is not visible by itself: joiners, fillers, direction marks, tags.
pub fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}')
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
        || matches!(c, '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

/// Whether the character is a variation selector, which only changes the look of the one before it.
fn is_variation(c: char) -> bool {
    matches!(c, '\u{fe00}'..='\u{fe0f}')
}

/// Whether the character changes the direction in which the following text is read, which can make one name look like
/// another.
pub fn turns_direction(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Checks a free text of at most `max` characters. Line breaks and tabs are allowed, other control characters are not.
///
/// # Errors
/// `invalid-field` for `field`, with the rule that the text breaks.
pub fn prose(field: &str, text: &str, max: usize) -> Result<String> {
    let length = text.chars().count();
    if length > max {
        return Err(Error::field(field, format!("must have at most {max} characters, has {length}.")));
    }
    no_control(field, &text.replace(['\n', '\r', '\t'], ""))?;
    Ok(text.to_owned())
}

/// How many bytes of a text from a device are taken.
const MAX_SHORT: usize = 256;

/// Refuses with `invalid-field` a text that is over 256 bytes or has a NUL character, which PostgreSQL cannot store.
pub fn short(name: &str, text: &str) -> Result<()> {
    if text.len() > MAX_SHORT {
        return Err(Error::field(name, format!("must have at most {MAX_SHORT} bytes, has {}.", text.len())));
    }
    if text.contains('\0') { Err(Error::field(name, "must not contain NUL.")) } else { Ok(()) }
}

/// A number with its noun: `1 place`, `2 places`.
pub fn count(number: impl Into<i128>, one: &str, many: &str) -> String {
    let number = number.into();
    format!("{number} {}", if number == 1 { one } else { many })
}

fn no_control(field: &str, text: &str) -> Result<()> {
    match text.chars().find(|c| c.is_control()) {
        Some(c) => Err(Error::field(field, format!("must not contain the control character U+{:04X}.", c as u32))),
        None => Ok(()),
    }
}

/// Device names of Windows, which are reserved with any extension.
const DEVICES: [&str; 6] = ["con", "prn", "aux", "nul", "conin$", "conout$"];

/// Whether a file with this name, whatever its extension, would be a device on Windows and cannot be created there.
pub fn is_windows_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim_end().to_lowercase();
    let numbered = stem.strip_prefix("com").or_else(|| stem.strip_prefix("lpt"));
    let is_port =
        |rest: &str| matches!(rest, "¹" | "²" | "³") || rest.len() == 1 && rest.as_bytes()[0].is_ascii_digit();
    DEVICES.contains(&stem.as_str()) || numbered.is_some_and(is_port)
}

/// A stretch of time, given in microseconds, as people read it: `25 µs`, `2.5 ms`, `1.5 s`.
pub fn micros(micros: u64) -> String {
    match micros {
        0..1_000 => format!("{micros} µs"),
        1_000..1_000_000 => format!("{} ms", rounded(micros, 1_000)),
        _ => format!("{} s", rounded(micros, 1_000_000)),
    }
}

/// How many units there are, with one decimal that is not 0.
fn rounded(amount: u64, unit: u64) -> f64 {
    (amount as f64 * 10.0 / unit as f64).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn e14_names_are_the_same_case_and_blanks_aside() {
        assert!(is_same_name("Member Shop", "member  shop") && is_same_name("ÄPFEL", "äpfel"));
        assert!(!is_same_name("Shop", "Shop 2"));
    }

    #[test]
    fn g2_a_name_has_1_to_20_unicode_scalar_values() {
        assert_eq!(name("name", " 灰度 ", 20).expect("short"), "灰度");
        assert!(name("name", &"灰".repeat(20), 20).is_ok());
        assert!(name("name", &"灰".repeat(21), 20).is_err());
        assert!(name("name", "   ", 20).is_err());
        assert!(name("name", "a\u{0}b", 20).is_err());
    }

    #[test]
    fn f28_a_name_can_be_seen_and_reads_in_its_own_direction() {
        for bad in ["\u{200b}", "\u{202e}\u{200b}", "\u{e0001}", "shop\u{202e}moc", "\u{3164}\u{fe0f}"] {
            assert!(name("name", bad, 20).is_err(), "{bad:?}");
        }
        for good in ["👩‍👩‍👧", "❤️", "متجر", "a\u{200d}b"] {
            assert!(name("name", good, 20).is_ok(), "{good:?}");
        }
    }
}
