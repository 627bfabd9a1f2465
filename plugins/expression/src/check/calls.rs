//! Functions: which there are, what they take, and those of this policy, which are prepared.

use std::mem;

use berth_policy::version::Version;
use cel::{
    IdedExpr,
    common::ast::{CallExpr, Expr},
};

use super::{
    Check, Checked, Fault, fault,
    names::is_task_id,
    written::{call, int, text, written},
    wrong_word,
};
use crate::{
    facts::{BUCKET, BUCKET_OF_TASK},
    functions::{IN_LIST, KNOWN, MATCHES, Side, VERSIONS},
    types::Type,
};

const MACROS: [&str; 6] = ["has", "all", "exists", "exists_one", "map", "filter"];

impl Check<'_> {
    pub(super) fn known(&mut self, call: &mut CallExpr) -> Checked {
        let name = call.func_name.clone();
        let is_member = call.target.is_some();
        let named: Vec<_> = KNOWN.iter().filter(|known| known.name == name).collect();
        let Some(signature) = named.iter().find(|known| known.member_of.is_some() == is_member) else {
            if MACROS.contains(&name.as_str()) {
                return wrong_word(&name, format!("{name} is written like this: {}", macro_form(&name)));
            }
            let own = matches!(name.as_str(), "bucket" | "in_list");
            if !named.is_empty() || own || name == "matches" {
                let form = if is_member { format!("{name}(text)") } else { format!("text.{name}(…)") };
                return wrong_word(&name, format!("{name} is called as {form}"));
            }
            return wrong_word(&name, format!("there is no function {name}; there are {}", all_functions()));
        };
        if call.args.len() != signature.args.len() {
            let (takes, given) = (signature.args.len(), call.args.len());
            return wrong_word(&name, format!("{name} takes {takes} arguments, and {given} are given"));
        }
        if let (Some(target), Some(of)) = (&mut call.target, signature.member_of) {
            self.expect(&name, target, of)?;
        }
        for (argument, of) in call.args.iter_mut().zip(signature.args) {
            self.expect(&name, argument, *of)?;
        }
        Ok(signature.result)
    }

    pub(super) fn bucket(&mut self, place: &mut Expr, args: &[IdedExpr]) -> Checked {
        let [salt] = args else { return wrong_word("bucket", "bucket takes one text, such as bucket('wave-1')") };
        if is_task_id(salt) {
            return self.fact(place, BUCKET_OF_TASK.into(), Type::Double);
        }
        match written(salt) {
            Some(salt) if !salt.is_empty() => self.fact(place, format!("{BUCKET}{salt}"), Type::Double),
            _ => wrong_word(
                "bucket",
                "bucket takes a text that is written out, such as bucket('wave-1'), or bucket(task.id)",
            ),
        }
    }

    pub(super) fn in_list(&mut self, place: &mut Expr, args: Vec<IdedExpr>) -> Checked {
        let Ok([list, mut key]) = <[IdedExpr; 2]>::try_from(args) else {
            return wrong_word("in_list", "in_list takes a list and a key, such as in_list('testers', device.guid)");
        };
        let Some(name) = written(&list) else {
            return wrong_word("in_list", "in_list takes the name of a list that is written out, such as 'testers'");
        };
        let Some(id) = self.lists.get(name) else {
            let says = format!("lists has no {name:?}: give its id, such as {{\"lists\": {{\"{name}\": \"coh_…\"}}}}");
            return wrong_word("in_list", says);
        };
        self.expect("in_list", &mut key, Type::Text)?;
        *place = call(IN_LIST, vec![text(id.clone()), key]);
        Ok(Type::Bool)
    }

    pub(super) fn matches(&mut self, place: &mut Expr, written_call: CallExpr) -> Checked {
        let (Some(mut target), [pattern]) = (written_call.target, &written_call.args[..]) else {
            return wrong_word("matches", "matches takes one regular expression");
        };
        let Some(pattern) = written(pattern) else {
            return wrong_word("matches", "matches takes a regular expression that is written out, such as '^13[.]'");
        };
        let number = self.functions.regex(pattern).or_else(|says| wrong_word("matches", says))?;
        self.expect("matches", &mut target, Type::Text)?;
        *place = call(MATCHES, vec![*target, int(number)]);
        Ok(Type::Bool)
    }
}

fn macro_form(name: &str) -> &'static str {
    match name {
        "has" => "has(device.account)",
        "map" => "['a', 'b'].map(x, x + '1')",
        _ => "['a', 'b'].exists(x, x == device.network), and all, exists_one and filter alike",
    }
}

fn all_functions() -> String {
    let mut names: Vec<_> =
        ["semver", "bucket", "in_list", "matches"].into_iter().chain(KNOWN.iter().map(|k| k.name)).collect();
    names.extend(MACROS);
    names.sort_unstable();
    names.dedup();
    names.join(", ")
}

/// The comparison of two versions; `None` when the operands are none.
pub(super) fn versions(
    sign: &'static str,
    left: &mut IdedExpr,
    right: &mut IdedExpr,
) -> Result<Option<CallExpr>, Fault> {
    match (is_semver(left), is_semver(right)) {
        (false, false) => return Ok(None),
        (true, true) => {}
        _ => return fault(format!("{sign} compares a version with what is none: write semver(…) on both sides")),
    }
    let (left, right) = (version(left)?, version(right)?);
    let side = match (written(&left), written(&right)) {
        (None, Some(_)) => Side::Right,
        (Some(_), None) => Side::Left,
        _ => Side::Neither,
    };
    let args = vec![text(sign.into()), left, right, int(side as i64)];
    Ok(Some(CallExpr { func_name: VERSIONS.into(), target: None, args }))
}

fn is_semver(expr: &IdedExpr) -> bool {
    matches!(&expr.expr, Expr::Call(call) if call.func_name == "semver" && call.target.is_none())
}

/// The text in `semver(…)`, which is a version if it is written out.
fn version(expr: &mut IdedExpr) -> Result<IdedExpr, Fault> {
    let args = match &mut expr.expr {
        Expr::Call(call) => mem::take(&mut call.args),
        _ => vec![],
    };
    let Ok([text]) = <[IdedExpr; 1]>::try_from(args) else { return wrong_word("semver", "semver takes one text") };
    if let Some(Err(says)) = written(&text).map(str::parse::<Version>) {
        return wrong_word("semver", format!("{:?} is not a version: {says}", written(&text).unwrap_or_default()));
    }
    Ok(text)
}
