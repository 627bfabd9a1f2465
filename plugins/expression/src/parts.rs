//! The parts of an expression: the operands of its outermost `&&`, each read and judged for itself, so that a refusal can say
//! which of them was false.

use std::{collections::BTreeMap, ops::Range};

use berth_policy::text::Lines;
use cel::{
    Context, ExecutionError, IdedExpr, Value,
    common::types::CelBool,
    parser::{
        ParseErrors, PrattParser,
        pratt_parser::{Lexer, Token, TokenKind},
    },
};

use crate::{
    bounds::{self, short},
    check::{Check, Fault},
    facts::{BUCKET_OF_TASK, Facts},
    functions::Functions,
};

/// One operand of `&&`.
pub struct Part {
    text: String,
    expr: IdedExpr,
    /// The facts that it reads.
    facts: Vec<String>,
}

/// Reads an expression. The error says where it is wrong.
pub fn read(source: &str, lists: &BTreeMap<String, String>, functions: &mut Functions) -> Result<Vec<Part>, String> {
    if source.len() > bounds::LENGTH {
        return Err(format!("The expression has {} bytes; it may have {}.", source.len(), bounds::LENGTH));
    }
    if let Some(offset) = too_deep(source) {
        return Err(placed(source, offset, &bounds::too_deep()));
    }
    let part = |range: Range<usize>| {
        let written = &source[range.clone()];
        let at = |offset: usize, says: &str| placed(source, range.start + offset, says);
        let parser =
            PrattParser::new().max_recursion_depth(bounds::DEPTH as u16).max_expression_node_count(bounds::NODES);
        let mut expr = parser.parse(written).map_err(|errors| {
            let (offset, says) = expected(written, &errors);
            at(offset, &says)
        })?;
        let mut check = Check::new(lists, functions);
        check.condition(&mut expr).map_err(|Fault { word, says }| {
            let offset = word.and_then(|word| find(written, &word));
            at(offset.unwrap_or(written.len() - written.trim_start().len()), &says)
        })?;
        Ok(Part { text: short(written), facts: check.facts, expr })
    };
    ranges(source).into_iter().map(part).collect()
}

impl Part {
    /// Whether the part is true.
    pub fn ask(&self, context: &Context<'_, '_>) -> Result<bool, String> {
        let value = Value::resolve_val(&self.expr, context).map_err(|error| self.failed(&error))?;
        let told = value.downcast_ref::<CelBool>().map(|told| *told.inner());
        told.ok_or_else(|| {
            format!("{}: the result is of type {}, and must be bool", self.text, value.get_type().name())
        })
    }

    fn failed(&self, error: &ExecutionError) -> String {
        match error {
            ExecutionError::UndeclaredReference(name) if name.starts_with(BUCKET_OF_TASK) => {
                format!("{}: the device told no guid, so it has no bucket", self.text)
            }
            error => format!("{}: {}", self.text, why(error)),
        }
    }

    /// The part and its result, with the facts that made it false.
    pub fn tell(&self, said: &Result<bool, String>, facts: &Facts<'_>) -> String {
        match said {
            Ok(true) => format!("✓ {}", self.text),
            Err(error) => format!("? {error}"),
            Ok(false) => {
                let told: Vec<_> = self.facts.iter().filter_map(|fact| facts.tell(fact)).collect();
                if told.is_empty() {
                    format!("✗ {}", self.text)
                } else {
                    format!("✗ {} ({})", self.text, told.join(", "))
                }
            }
        }
    }
}

/// The tokens of an expression, up to the first that is none.
fn tokens(source: &str) -> impl Iterator<Item = Token> {
    let mut lexer = Lexer::new(source);
    std::iter::from_fn(move || Some(lexer.lex()))
        .take_while(|token| !matches!(token.kind, TokenKind::TokEnd | TokenKind::TokError))
        .filter(|token| !matches!(token.kind, TokenKind::TokWhitespace | TokenKind::TokComment))
}

/// How much deeper the brackets are after a token.
fn step(token: &Token) -> i32 {
    use TokenKind::*;
    match token.kind {
        TokLeftParen | TokLeftBracket | TokLeftBrace => 1,
        TokRightParen | TokRightBracket | TokRightBrace => -1,
        _ => 0,
    }
}

/// Where brackets nest too deep. The parser looks through them without counting.
fn too_deep(source: &str) -> Option<usize> {
    let mut depths = tokens(source).scan(0, |depth, token| {
        *depth += step(&token);
        Some((*depth, token.start))
    });
    depths.find(|(depth, _)| *depth > bounds::DEPTH as i32).map(|(_, start)| start)
}

/// Where the operands of the outermost `&&` are.
fn ranges(source: &str) -> Vec<Range<usize>> {
    let cuts = cuts(source).unwrap_or_default();
    let starts = std::iter::once(0).chain(cuts.iter().map(|cut| cut.end));
    let ends = cuts.iter().map(|cut| cut.start).chain([source.len()]);
    starts.zip(ends).map(|(start, end)| start..end).collect()
}

/// Each outermost `&&`; `None` where another operator is further out, or brackets do not match.
fn cuts(source: &str) -> Option<Vec<Token>> {
    let (mut cuts, mut depth) = (Vec::new(), 0);
    for token in tokens(source) {
        depth += step(&token);
        match token.kind {
            _ if depth < 0 => return None,
            TokenKind::TokLogicalOr | TokenKind::TokQuestion if depth == 0 => return None,
            TokenKind::TokLogicalAnd if depth == 0 => cuts.push(token),
            _ => {}
        }
    }
    Some(cuts)
}

/// Where a word stands first.
fn find(source: &str, word: &str) -> Option<usize> {
    let found = |token: &Token| token.kind == TokenKind::TokIdent && source[token.start..token.end] == *word;
    tokens(source).find(found).map(|token| token.start)
}

fn placed(source: &str, offset: usize, says: &str) -> String {
    let place = Lines::of(source).place("", offset);
    format!("The expression is wrong in line {}, column {}: {says}.", place.line, place.column)
}

/// Where the parser stopped, and what it expects there.
fn expected(source: &str, errors: &ParseErrors) -> (usize, String) {
    let Some(error) = errors.errors.first() else { return (0, "it is not an expression".into()) };
    let offset = offset(source, error.pos);
    let found = tokens(&source[offset..]).next().map(|token| &source[offset..][token.start..token.end]);
    let says = error.msg.strip_prefix("Syntax error: ").unwrap_or(&error.msg);
    let says = match found {
        _ if says.ends_with("expecting expression") => {
            "a value is expected here, such as device.platform or 'ios'".into()
        }
        Some("=") => "= is no operator; == compares".into(),
        Some(found) if says.ends_with("expecting <EOF>") => {
            format!("an operator such as && or == is expected before {found}, or the end")
        }
        Some(found) if says == "unexpected token" => format!("a value is expected here, and not {found}"),
        None if says.ends_with("expecting <EOF>") || says == "unexpected character" => unreadable(&source[offset..]),
        _ => says.into(),
    };
    (offset, says)
}

fn unreadable(rest: &str) -> String {
    match rest.chars().next() {
        Some(quote @ ('“' | '”' | '‘' | '’')) => {
            format!("{quote} is not a quotation mark of CEL; texts stand in ' or \"")
        }
        Some(other) => format!("{other} is not expected here"),
        None => "the expression ends too early".into(),
    }
}

/// The byte at a line and column, which begin with 1 and count bytes.
fn offset(source: &str, (line, column): (isize, isize)) -> usize {
    let (line, column) = (usize::try_from(line).unwrap_or(1).max(1), usize::try_from(column).unwrap_or(1).max(1));
    let start: usize = source.split_inclusive('\n').take(line - 1).map(str::len).sum();
    source.floor_char_boundary((start + column - 1).min(source.len()))
}

/// Why a part could not be judged, without the values: they may be those of a user.
fn why(error: &ExecutionError) -> String {
    match error {
        ExecutionError::NoSuchKey(_) => "the map has no such key; ask with `in` before".to_owned(),
        ExecutionError::UndeclaredReference(name) => format!("there is no {name}"),
        ExecutionError::UnexpectedType { got, want } => format!("expected {want}, and got {got}"),
        ExecutionError::FunctionError { function, .. } => format!("{function} could not be applied"),
        ExecutionError::DivisionByZero(_) | ExecutionError::RemainderByZero(_) => "division by zero".to_owned(),
        ExecutionError::IndexOutOfBounds(_) => "the list has no such place".to_owned(),
        _ => "its values do not go together".to_owned(),
    }
}
