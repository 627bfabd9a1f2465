//! Reads filters and the paths of changes. A recursive descent, `not` before `and` before `or`.

use berth_base::error::{Error, Result};
use serde_json::Value;

use super::{Filter, Operator};
use crate::workspace::scim::{
    path::AttributePath,
    refusal::{Reason, refuse},
};

/// Length of a filter in bytes, at most.
const LONGEST: usize = 8192;
/// How deep a filter may be nested.
const DEEPEST: usize = 24;
/// How many comparisons a filter may have.
const MOST: usize = 128;

/// The path of a change: an attribute, the values of it that a filter chooses, and a part of these.
#[derive(Clone, Debug, PartialEq)]
pub struct Patched {
    /// The attribute. With a filter it has no part of its own.
    pub path: AttributePath,
    /// Which values.
    pub filter: Option<Filter>,
    /// The part of the chosen values.
    pub sub: Option<String>,
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    deep: usize,
    leaves: usize,
    reason: Reason,
}

pub(super) fn filter(text: &str) -> Result<Filter> {
    let mut reader = Reader::new(text, Reason::InvalidFilter)?;
    let filter = reader.any()?;
    reader.end()?;
    Ok(filter)
}

impl std::str::FromStr for Patched {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let mut reader = Reader::new(text, Reason::InvalidPath)?;
        let path = reader.path()?;
        let mut patched = Self { path, filter: None, sub: None };
        if reader.take('[') {
            patched.filter = Some(reader.any()?);
            reader.expect(']')?;
            if reader.rest().starts_with('.') {
                reader.at += 1;
                patched.sub = Some(reader.word().to_owned());
            }
        }
        reader.end()?;
        Ok(patched)
    }
}

impl<'a> Reader<'a> {
    fn new(text: &'a str, reason: Reason) -> Result<Self> {
        let reader = Self { text, at: 0, deep: 0, leaves: 0, reason };
        if text.len() > LONGEST {
            return Err(reader.wrong(&format!("it is longer than {LONGEST} bytes")));
        }
        Ok(reader)
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn wrong(&self, why: &str) -> Error {
        let what = if self.reason == Reason::InvalidFilter { "filter" } else { "path" };
        let near: String = self.rest().chars().take(20).collect();
        refuse(self.reason, format!("The {what} cannot be read at {near:?}: {why}.")).with("position", self.at)
    }

    fn skip_blanks(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    fn take(&mut self, sign: char) -> bool {
        self.skip_blanks();
        let is = self.rest().starts_with(sign);
        if is {
            self.at += sign.len_utf8();
        }
        is
    }

    fn expect(&mut self, sign: char) -> Result<()> {
        if self.take(sign) { Ok(()) } else { Err(self.wrong(&format!("{sign:?} is missing"))) }
    }

    fn end(&mut self) -> Result<()> {
        self.skip_blanks();
        if self.rest().is_empty() { Ok(()) } else { Err(self.wrong("nothing more is expected here")) }
    }

    /// What stands up to the next blank or bracket.
    fn word(&mut self) -> &'a str {
        self.skip_blanks();
        let rest = self.rest();
        let end = rest.find(|c: char| c.is_whitespace() || "()[]\"".contains(c)).unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    /// Takes the word, if it is the next.
    fn keyword(&mut self, expected: &str) -> bool {
        let before = self.at;
        let is = self.word().eq_ignore_ascii_case(expected);
        if !is {
            self.at = before;
        }
        is
    }

    fn path(&mut self) -> Result<AttributePath> {
        let before = self.at;
        let path = self.word().parse::<AttributePath>();
        path.map_err(|_| {
            self.at = before;
            self.skip_blanks();
            self.wrong("the name of an attribute is expected, such as userName or emails.value")
        })
    }

    fn any(&mut self) -> Result<Filter> {
        self.deep += 1;
        if self.deep > DEEPEST {
            return Err(self.wrong(&format!("it is nested deeper than {DEEPEST} levels")));
        }
        let mut filter = self.all()?;
        while self.keyword("or") {
            filter = Filter::Or(Box::new(filter), Box::new(self.all()?));
        }
        self.deep -= 1;
        Ok(filter)
    }

    fn all(&mut self) -> Result<Filter> {
        let mut filter = self.one()?;
        while self.keyword("and") {
            filter = Filter::And(Box::new(filter), Box::new(self.one()?));
        }
        Ok(filter)
    }

    fn one(&mut self) -> Result<Filter> {
        if self.take('(') {
            let inner = self.any()?;
            self.expect(')')?;
            return Ok(inner);
        }
        let before = self.at;
        if self.keyword("not") && self.take('(') {
            let inner = self.any()?;
            self.expect(')')?;
            return Ok(Filter::Not(Box::new(inner)));
        }
        self.at = before;
        self.leaf()
    }

    fn leaf(&mut self) -> Result<Filter> {
        self.leaves += 1;
        if self.leaves > MOST {
            return Err(self.wrong(&format!("it has more than {MOST} comparisons")));
        }
        let path = self.path()?;
        if self.take('[') {
            let inner = self.any()?;
            self.expect(']')?;
            return Ok(Filter::Has(path, Box::new(inner)));
        }
        if self.keyword("pr") {
            return Ok(Filter::Present(path));
        }
        let before = self.at;
        let Some(operator) = Operator::of(self.word()) else {
            self.at = before;
            return Err(self.wrong("expected eq, ne, co, sw, ew, gt, ge, lt, le or pr"));
        };
        Ok(Filter::Compare(path, operator, self.value()?))
    }

    /// A value as JSON writes it, without lists and objects; also `True` and `False`, as some clients write them.
    fn value(&mut self) -> Result<Value> {
        self.skip_blanks();
        let before = self.at;
        if self.rest().starts_with('"') {
            let mut values = serde_json::Deserializer::from_str(self.rest()).into_iter::<String>();
            if let Some(Ok(text)) = values.next() {
                self.at += values.byte_offset();
                return Ok(text.into());
            }
        } else if let Ok(value) = serde_json::from_str::<Value>(&self.word().to_ascii_lowercase()) {
            return Ok(value);
        }
        self.at = before;
        Err(self.wrong("expected a text in quotes, a number, true, false or null"))
    }
}
