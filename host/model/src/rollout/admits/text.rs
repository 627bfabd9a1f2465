//! Expressions as people write and read them: `beta-list or (ios and not tablets)`. `and` binds more closely than `or`, and
//! `&&`, `||` and `!` mean the same. What is written here has each group within another one in parentheses.

use std::{
    fmt::{self, Display},
    str::FromStr,
};

use super::{Admits, MOST_DEEP};

/// The words in which an expression is told. Blanks are part of them.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs, reason = "the names are the words")]
pub struct Words {
    pub and: &'static str,
    pub or: &'static str,
    pub not: &'static str,
    pub open: &'static str,
    pub close: &'static str,
}

/// The words that are read as well.
pub(crate) const WRITTEN: Words = Words { and: " and ", or: " or ", not: "not ", open: "(", close: ")" };

/// What is wrong with a text that should be an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misread {
    /// Where, in characters from 1.
    pub column: usize,
    /// What is wrong there.
    pub what: String,
}

impl Display for Misread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "column {}: {}", self.column, self.what)
    }
}

impl std::error::Error for Misread {}

impl Admits {
    /// The expression in these words.
    pub fn told(&self, words: &Words) -> String {
        match self {
            Self::Policy(name) => name.clone(),
            Self::All(parts) => joined(parts, words.and, words),
            Self::Any(parts) => joined(parts, words.or, words),
            Self::Not(part) => format!("{}{}", words.not, part.within(words)),
        }
    }

    /// The expression as a part of another one.
    fn within(&self, words: &Words) -> String {
        match self {
            Self::All(parts) | Self::Any(parts) if parts.len() > 1 => {
                format!("{}{}{}", words.open, self.told(words), words.close)
            }
            _ => self.told(words),
        }
    }
}

fn joined(parts: &[Admits], by: &str, words: &Words) -> String {
    match parts {
        [only] => only.told(words),
        _ => parts.iter().map(|part| part.within(words)).collect::<Vec<_>>().join(by),
    }
}

impl Display for Admits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.told(&WRITTEN))
    }
}

impl FromStr for Admits {
    type Err = Misread;

    fn from_str(text: &str) -> Result<Self, Misread> {
        let mut reader = Reader { tokens: tokens(text)?, at: 0, end: text.chars().count() + 1 };
        let read = reader.any(0)?;
        match reader.next() {
            None => Ok(read),
            Some(token) => Err(reader.misread(format!("{token} stands where `and`, `or` or the end was expected"))),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Name(String),
    And,
    Or,
    Not,
    Open,
    Close,
}

impl Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Name(name) => name,
            Self::And => "and",
            Self::Or => "or",
            Self::Not => "not",
            Self::Open => "(",
            Self::Close => ")",
        })
    }
}

/// The tokens with their columns.
fn tokens(text: &str) -> Result<Vec<(usize, Token)>, Misread> {
    let mut rest = text.chars().enumerate().map(|(at, char)| (at + 1, char)).peekable();
    let mut found = Vec::new();
    while let Some((column, char)) = rest.next() {
        let token = match char {
            ' ' | '\t' | '\n' | '\r' => continue,
            '(' => Token::Open,
            ')' => Token::Close,
            '!' => Token::Not,
            '&' if rest.next_if(|(_, next)| *next == '&').is_some() => Token::And,
            '|' if rest.next_if(|(_, next)| *next == '|').is_some() => Token::Or,
            _ if is_of_name(char) => {
                let mut name = char.to_string();
                while let Some((_, next)) = rest.next_if(|(_, next)| is_of_name(*next)) {
                    name.push(next);
                }
                word(name)
            }
            '&' | '|' => return Err(Misread { column, what: format!("{char} must stand twice") }),
            _ => return Err(Misread { column, what: format!("{char:?} is part of no name; names are kebab-case") }),
        };
        found.push((column, token));
    }
    Ok(found)
}

fn is_of_name(char: char) -> bool {
    char.is_ascii_alphanumeric() || char == '-' || char == '_'
}

fn word(name: String) -> Token {
    match name.as_str() {
        "and" => Token::And,
        "or" => Token::Or,
        "not" => Token::Not,
        _ => Token::Name(name),
    }
}

struct Reader {
    tokens: Vec<(usize, Token)>,
    at: usize,
    /// The column after the text.
    end: usize,
}

impl Reader {
    fn next(&self) -> Option<&Token> {
        self.tokens.get(self.at).map(|(_, token)| token)
    }

    fn take(&mut self, wanted: &Token) -> bool {
        let is_there = self.next() == Some(wanted);
        self.at += usize::from(is_there);
        is_there
    }

    fn misread(&self, what: String) -> Misread {
        Misread { column: self.tokens.get(self.at).map_or(self.end, |(column, _)| *column), what }
    }

    fn any(&mut self, depth: usize) -> Result<Admits, Misread> {
        self.group(&Token::Or, Admits::Any, depth, Self::all)
    }

    fn all(&mut self, depth: usize) -> Result<Admits, Misread> {
        self.group(&Token::And, Admits::All, depth, Self::one)
    }

    fn group(
        &mut self,
        between: &Token,
        group: fn(Vec<Admits>) -> Admits,
        depth: usize,
        part: fn(&mut Self, usize) -> Result<Admits, Misread>,
    ) -> Result<Admits, Misread> {
        let first = part(self, depth)?;
        let mut parts = vec![first];
        while self.take(between) {
            parts.push(part(self, depth)?);
        }
        Ok(if parts.len() > 1 { group(parts) } else { parts.remove(0) })
    }

    fn one(&mut self, depth: usize) -> Result<Admits, Misread> {
        if depth > MOST_DEEP {
            return Err(self.misread(format!("it nests deeper than {MOST_DEEP} levels")));
        }
        if self.take(&Token::Not) {
            return Ok(Admits::Not(Box::new(self.one(depth + 1)?)));
        }
        if self.take(&Token::Open) {
            let inner = self.any(depth + 1)?;
            return if self.take(&Token::Close) { Ok(inner) } else { Err(self.misread("a ) is missing".into())) };
        }
        match self.next().cloned() {
            Some(Token::Name(name)) => {
                self.at += 1;
                Ok(Admits::Policy(name))
            }
            Some(token) => Err(self.misread(format!("{token} stands where the name of a policy was expected"))),
            None => Err(self.misread("the name of a policy is missing".into())),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Result<String, String> {
        text.parse::<Admits>().map(|admits| admits.to_string()).map_err(|misread| misread.to_string())
    }

    #[test]
    fn g24_an_expression_is_written_in_words_or_in_signs() {
        for (text, written) in [
            ("beta-list", "beta-list"),
            ("beta-list or (ios and not tablets)", "beta-list or (ios and not tablets)"),
            ("beta-list||ios&&!tablets", "beta-list or (ios and not tablets)"),
            ("a or b or c and d", "a or b or (c and d)"),
            ("(a or b) and c", "(a or b) and c"),
            ("not (a or b)", "not (a or b)"),
            ("((a))", "a"),
            ("!!a", "not not a"),
        ] {
            assert_eq!(read(text).as_deref(), Ok(written), "{text}");
        }
    }

    #[test]
    fn g24_what_is_no_expression_is_told_with_its_column() {
        for (text, says) in [
            ("", "column 1: the name of a policy is missing"),
            ("a or", "column 5: the name of a policy is missing"),
            ("a b", "column 3: b stands where `and`, `or` or the end was expected"),
            ("a and (b or c", "column 14: a ) is missing"),
            ("a and ) b", "column 7: ) stands where the name of a policy was expected"),
            ("a & b", "column 3: & must stand twice"),
            ("测试 or b", "column 1: '测' is part of no name; names are kebab-case"),
            ("((((((((((a))))))))))", "column 10: it nests deeper than 8 levels"),
        ] {
            assert_eq!(read(text), Err(says.to_owned()), "{text}");
        }
    }

    proptest! {
        #[test]
        fn g24_what_is_written_is_read_again(admits in super::super::tests::some(6)) {
            let named = admits.over(&mut |at| Some(format!("p-{at}"))).expect("names");
            let read = named.to_string().parse::<Admits>();
            prop_assume!(!read.as_ref().is_err_and(|misread| misread.what.contains("nests")));
            prop_assert_eq!(read, Ok(named));
        }
    }
}
