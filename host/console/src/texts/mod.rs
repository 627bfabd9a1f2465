//! What the console says, in each of its languages.
//!
//! Every text stands once, with its languages side by side. A text that lacks a language, or lacks or does not use an
//! argument, does not compile; one that no page says is a warning.

mod accounts;
mod acts;
mod apps;
mod channels;
mod develop;
mod events;
mod frame;
mod fulfilments;
mod gray;
mod hosts;
mod identities;
mod logs;
mod merchants;
mod messages;
mod nodes;
mod people;
mod policies;
mod portal;
mod problems;
mod records;
mod signing_in;
mod task_words;
mod versions;
mod words;
mod workspaces;

use std::{borrow::Borrow, fmt};

pub use self::problems::Explained;

/// A language of the console.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// English.
    #[default]
    English,
    /// Chinese in simplified characters.
    Chinese,
}

impl Language {
    /// All of them, in the order in which they are offered.
    pub const ALL: [Self; 2] = [Self::English, Self::Chinese];

    /// Its tag by BCP 47. Without the region, browsers show Chinese in Japanese letter forms.
    pub fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Chinese => "zh-CN",
        }
    }

    /// Its name in itself.
    pub fn own_name(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::Chinese => "简体中文",
        }
    }

    /// The language with this tag.
    pub fn of_tag(tag: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|language| language.tag() == tag)
    }

    /// The first language of an `Accept-Language` header that the console speaks. Browsers send the wanted ones in order, so
    /// their weights add nothing.
    pub fn accepted(header: &str) -> Option<Self> {
        header.split(',').find_map(|range| {
            let tag = range.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
            match tag.split('-').next() {
                Some("en") => Some(Self::English),
                Some("zh") => Some(Self::Chinese),
                _ => None,
            }
        })
    }
}

/// The texts in one language.
#[derive(Clone, Copy, Debug)]
pub struct Texts(pub Language);

impl fmt::Display for Texts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.tag())
    }
}

/// Gives [`Texts`] a method for each text: `name(argument) = "English" / "中文"`.
macro_rules! texts {
    ($($name:ident $(($($argument:ident),+))? = $en:literal / $zh:literal;)*) => {
        impl $crate::texts::Texts {
            $(texts!(@one $name ($($($argument),+)?) $en $zh);)*
        }
    };
    (@one $name:ident () $en:literal $zh:literal) => {
        pub fn $name(self) -> &'static str {
            match self.0 {
                $crate::texts::Language::English => $en,
                $crate::texts::Language::Chinese => $zh,
            }
        }
    };
    (@one $name:ident ($($argument:ident),+) $en:literal $zh:literal) => {
        pub fn $name(self, $($argument: impl std::fmt::Display),+) -> String {
            match self.0 {
                $crate::texts::Language::English => format!($en, $($argument = $argument),+),
                $crate::texts::Language::Chinese => format!($zh, $($argument = $argument),+),
            }
        }
    };
}
use texts;

/// A number with commas between thousands, as both languages write it.
pub fn grouped(number: impl Borrow<u64>) -> String {
    let number = *number.borrow();
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
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
    fn the_first_language_that_the_console_speaks_is_taken() {
        assert_eq!(Language::accepted("fr, zh-TW;q=0.9, en;q=0.8"), Some(Language::Chinese));
        assert_eq!(Language::accepted("en-GB,en;q=0.5"), Some(Language::English));
        assert_eq!(Language::accepted("fr"), None);
    }

    #[test]
    fn numbers_are_grouped_by_thousands() {
        assert_eq!([0, 999, 1000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
    }
}
