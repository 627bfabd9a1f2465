//! What an expression can call, besides the operators and macros of CEL.

use std::sync::Arc;

use berth_policy::{cohort, version::Version};
use cel::{
    Context, Env, ExecutionError,
    common::{
        types::{CelBool, CelInt, CelString, INT_TYPE, STRING_TYPE},
        value::CowVal,
    },
};
use regex_lite::{Regex, RegexBuilder};

use crate::{bounds, facts::Facts, types::Type};

/// A function with one signature: its name, the type that it is a member of, its arguments and its result. `Any` stands for
/// texts and numbers, or texts, lists and maps; what does not fit is told by CEL when it runs.
pub struct Signature {
    pub name: &'static str,
    pub member_of: Option<Type>,
    pub args: &'static [Type],
    pub result: Type,
}

const fn member(name: &'static str, of: Type, args: &'static [Type], result: Type) -> Signature {
    Signature { name, member_of: Some(of), args, result }
}

const fn global(name: &'static str, args: &'static [Type], result: Type) -> Signature {
    Signature { name, member_of: None, args, result }
}

/// The functions that are called as they are written. `semver`, `bucket`, `in_list` and `matches` are not: see [`crate::check`].
pub const KNOWN: &[Signature] = &[
    member("contains", Type::Text, &[Type::Text], Type::Bool),
    member("startsWith", Type::Text, &[Type::Text], Type::Bool),
    member("endsWith", Type::Text, &[Type::Text], Type::Bool),
    member("lowerAscii", Type::Text, &[], Type::Text),
    member("size", Type::Any, &[], Type::Int),
    global("size", &[Type::Any], Type::Int),
    global("int", &[Type::Any], Type::Int),
    global("double", &[Type::Any], Type::Double),
    global("string", &[Type::Any], Type::Text),
];

/// Compares two versions: the operator, both texts, and which of them is written in the expression (see [`Side`]).
pub const VERSIONS: &str = "@versions";
/// Asks a list of the host, by its id, for a key.
pub const IN_LIST: &str = "@in_list";
/// Looks for a regular expression, by its number, in a text.
pub const MATCHES: &str = "@matches";

/// Which of two versions is a bound, and stands for all that begin with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Neither = 0,
    Left = 1,
    Right = 2,
}

/// The functions of an expression, with its regular expressions.
pub struct Functions {
    env: Arc<Env>,
    regexes: Arc<[Regex]>,
}

impl Functions {
    pub fn new() -> Self {
        let mut env = Env::default().with_optional_support(false).with_stdlib();
        let declared = env
            .add_overload(VERSIONS, VERSIONS, vec![STRING_TYPE, STRING_TYPE, STRING_TYPE, INT_TYPE], versions)
            .and_then(|()| env.add_overload(IN_LIST, IN_LIST, vec![STRING_TYPE, STRING_TYPE], in_list))
            .and_then(|()| env.add_member_overload("lowerAscii", "lower_ascii", STRING_TYPE, vec![], lower_ascii));
        debug_assert_eq!(declared, Ok(()), "names that CEL does not have");
        Self { env: Arc::new(env), regexes: Arc::new([]) }
    }

    /// Compiles a regular expression, and gives it a number.
    pub fn regex(&mut self, pattern: &str) -> Result<i64, String> {
        let regex = RegexBuilder::new(pattern)
            .size_limit(bounds::REGEX)
            .build()
            .map_err(|error| format!("{pattern:?} is not a regular expression that matches takes: {error}"))?;
        self.regexes = self.regexes.iter().cloned().chain([regex]).collect();
        Ok(self.regexes.len() as i64 - 1)
    }

    /// Everything that the expression can read and call, about one device.
    pub fn context<'f>(&self, facts: &'f Facts<'f>) -> Context<'f, 'f> {
        let mut context = Context::with_env(self.env.clone());
        context.set_variable_resolver(facts);
        if !self.regexes.is_empty() {
            let regexes = self.regexes.clone();
            let matches = move |text: Arc<String>, number: i64| {
                usize::try_from(number).ok().and_then(|at| regexes.get(at)).is_some_and(|regex| regex.is_match(&text))
            };
            let declared = context.add_function(MATCHES, matches);
            debug_assert_eq!(declared, Ok(()), "a name that CEL does not have");
        }
        context
    }
}

/// The argument at a place, which is a text by the signature of the function.
fn text<'a>(args: &'a [CowVal<'_, '_>], at: usize) -> Result<&'a str, ExecutionError> {
    let argument = args.get(at).and_then(|argument| argument.downcast_ref::<CelString>());
    argument.map(|text| text.inner()).ok_or_else(ExecutionError::missing_argument_or_target)
}

fn lower_ascii<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    Ok(CowVal::owned(CelString::from(text(&args, 0)?.to_ascii_lowercase())))
}

fn in_list<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let (list, key) = (text(&args, 0)?, text(&args, 1)?);
    // A device that told no account is on no list of accounts.
    Ok(CowVal::owned(CelBool::from(!key.is_empty() && cohort::contains(list, key))))
}

fn versions<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let bound = args.get(3).and_then(|side| side.downcast_ref::<CelInt>()).map(|side| *side.inner());
    let holds = compare(text(&args, 0)?, text(&args, 1)?, text(&args, 2)?, bound.unwrap_or_default());
    Ok(CowVal::owned(CelBool::from(holds)))
}

/// Whether the operator holds between two versions. With what is not a version nothing holds, but that it is unequal.
fn compare(operator: &str, left: &str, right: &str, bound: i64) -> bool {
    let (Ok(left), Ok(right)) = (left.parse::<Version>(), right.parse::<Version>()) else { return operator == "!=" };
    let (at_least, at_most) = match bound {
        side if side == Side::Right as i64 => (left >= right, !left.above(&right)),
        side if side == Side::Left as i64 => (!right.above(&left), right >= left),
        _ => (left >= right, left <= right),
    };
    match operator {
        ">=" => at_least,
        "<=" => at_most,
        "<" => !at_least,
        ">" => !at_most,
        "==" => at_least && at_most,
        _ => !(at_least && at_most),
    }
}
