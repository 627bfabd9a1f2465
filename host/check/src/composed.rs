//! A task that says what it admits by an expression over its policies (G24).

use berth_model::{
    check::{Branch, Outcome},
    rollout::{Admits, Ruling},
};

use super::{
    index::{BoundJudge, GrayEntry},
    judge::Opinion,
    trace::Recorder,
};

/// Whether the device passes. Policies are asked in the order in which the expression has them, until it is decided.
pub fn passes(
    task: &GrayEntry,
    admits: &Admits<usize>,
    judge: impl Fn(&BoundJudge) -> Opinion,
    trace: &mut impl Recorder,
) -> bool {
    let mut said = vec![None; task.judges.len()];
    let ruling = admits.ruling(&mut |at| {
        let bound = &task.judges[*at];
        let opinion = judge(bound);
        trace.judged(bound, &opinion);
        let ruling = ruling(bound, &opinion);
        said[*at] = Some(opinion);
        ruling
    });
    trace.composed(&task.id, ruling.passes(), || {
        let told = Told { judges: &task.judges, said: &said };
        (told.in_words(admits, ruling), told.branch(admits))
    });
    ruling.passes()
}

fn ruling(bound: &BoundJudge, opinion: &Opinion) -> Ruling {
    match opinion {
        Opinion::Admit => Ruling::Admitted,
        Opinion::Refuse(_) => Ruling::Refused,
        Opinion::Broken { .. } => Ruling::Failed { open: bound.spec.open_on_error },
    }
}

/// What the policies have said, for an explanation.
struct Told<'a> {
    judges: &'a [BoundJudge],
    /// `None` of those that were not asked.
    said: &'a [Option<Opinion>],
}

impl Told<'_> {
    fn in_words(&self, admits: &Admits<usize>, ruling: Ruling) -> String {
        let names = admits.over(&mut |at| Some(self.name(*at)));
        let expression = names.as_ref().map(Admits::to_string).unwrap_or_default();
        let says = match ruling {
            Ruling::Admitted => "holds.",
            Ruling::Refused => "does not hold.",
            Ruling::Failed { open: true } => "hangs on what gave no judgement, and that passes (open on error).",
            Ruling::Failed { open: false } => {
                "hangs on what gave no judgement, and that does not pass (closed on error)."
            }
        };
        format!("{expression} {says}")
    }

    fn branch(&self, admits: &Admits<usize>) -> Branch {
        let (what, says) = match admits {
            Admits::Policy(at) => (self.name(*at), self.says(*at)),
            Admits::All(_) => ("all".into(), String::new()),
            Admits::Any(_) => ("any".into(), String::new()),
            Admits::Not(_) => ("not".into(), String::new()),
        };
        let of = match admits {
            Admits::Policy(_) => Vec::new(),
            Admits::All(parts) | Admits::Any(parts) => parts.iter().map(|part| self.branch(part)).collect(),
            Admits::Not(part) => vec![self.branch(part)],
        };
        Branch { what, outcome: self.outcome(admits), says, of }
    }

    fn name(&self, at: usize) -> String {
        self.judges[at].spec.name.clone()
    }

    /// Why a policy refused or failed.
    fn says(&self, at: usize) -> String {
        match &self.said[at] {
            Some(Opinion::Refuse(why) | Opinion::Broken { why, .. }) => why.clone(),
            Some(Opinion::Admit) | None => String::new(),
        }
    }

    /// What came of a part. It was asked if its first policy was.
    fn outcome(&self, admits: &Admits<usize>) -> Outcome {
        if admits.first().is_none_or(|at| self.said[*at].is_none()) {
            return Outcome::NotAsked;
        }
        let heard =
            |at: &usize| self.said[*at].as_ref().map_or(Ruling::Refused, |said| ruling(&self.judges[*at], said));
        match admits.ruling(&mut |at| heard(at)) {
            Ruling::Admitted => Outcome::Admitted,
            Ruling::Refused => Outcome::Refused,
            Ruling::Failed { .. } => Outcome::Failed,
        }
    }
}
