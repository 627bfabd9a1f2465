//! `berth policy test`: asks a policy the cases of a folder, in the same sandbox as on a host.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Value, json};

use super::{
    cases::{Case, Expect},
    local::Local,
    trial::Trial,
};
use crate::policy::{cases, trial};
use berth_judge::Policy;
use berth_model::policy::{LogLine, PolicyKind};

use crate::{
    failure::{Done, Failure},
    paint::{Ink, Paint, bytes, clean},
    session::Session,
};

/// The arguments of `berth policy test`.
#[derive(Args, Debug)]
#[command(after_help = CASES_HELP)]
pub struct Test {
    /// The file of the policy
    pub file: PathBuf,
    /// A folder of cases, or one file; `cases` beside the policy when absent
    #[arg(long)]
    pub cases: Option<PathBuf>,
}

const CASES_HELP: &str = "\
A case is JSON, alone in a file or in a list; only name and expect are required:
  grayscale  {\"name\": \"…\", \"config\": {}, \"device\": {\"network\": \"4g\"}, \"task\": {}, \"cohorts\": {\"testers\": [\"g-1\"]},
              \"expect\": \"admit\" or \"refuse\"}
  auditor    {\"name\": \"…\", \"package\": \"DIR or FILE.apkg\" or \"files\": {\"app.js\": \"…\"}, \"expect\": [\"rule\", …]}
  guard      {\"name\": \"…\", \"health\": {\"gray\": [{\"tried\": 90, \"failed\": 9}]}, \"expect\": \"carry-on\", \"suspend\" or \"end\"}
Every case may expect failed, trapped, limited or bad-config, and set \"limits\" as a binding does.";

/// The folder or file with the cases.
pub(crate) fn cases_path(policy: &Path, given: Option<&Path>) -> PathBuf {
    given.map_or_else(|| policy.parent().unwrap_or(Path::new(".")).join("cases"), Path::to_owned)
}

/// The outcome of one case. It is asked twice, as a policy may be asked again on the same instance.
struct Report {
    name: String,
    passed: bool,
    expected: Expect,
    answer: Expect,
    details: Vec<String>,
    log: Vec<LogLine>,
    micros: u64,
    peak_memory: u64,
}

pub async fn run(args: Test, session: &mut Session) -> Done {
    let local = Local::open(&args.file, session).await?;
    let cases = cases::load(&cases_path(&args.file, args.cases.as_deref()), local.policy.kind())?;
    let mut reports = Vec::with_capacity(cases.len());
    for case in &cases {
        reports.push(ask(case, &local.policy).await?);
    }
    let failed = reports.iter().filter(|report| !report.passed).count();
    let lines: Vec<_> = reports.iter().map(|report| report.lines(&session.out.paint)).collect();
    let summary = format!("{} of {} cases pass.", reports.len() - failed, reports.len());
    let items: Vec<_> = reports.iter().map(Report::document).collect();
    let document = json!({"passed": reports.len() - failed, "failed": failed, "cases": items});
    session.out.done(&document, format!("{}\n\n{summary}", lines.join("\n")))?;
    if failed == 0 {
        Ok(())
    } else {
        Err(Failure::refused("policy-cases", format!("{failed} of {} cases failed.", reports.len())))
    }
}

async fn ask(case: &Case, policy: &std::sync::Arc<Policy>) -> Result<Report, Failure> {
    let Some(expected) = case.expect.clone() else {
        let place = case.file.display();
        return Err(Failure::usage(format!(
            "{place}: case {:?} does not say what it expects: add `expect`.",
            case.name
        )));
    };
    let trial = Trial::of(case, policy).await?;
    let answer = trial.ask().await;
    let said = trial::word(answer.as_ref());
    // Auditors and guards are asked on fresh instances, which can keep nothing.
    let again = match policy.kind() {
        PolicyKind::Grayscale => trial::word(trial.ask().await.as_ref()),
        PolicyKind::Auditor | PolicyKind::Guard => said.clone(),
    };
    let mut details = trial::details(&trial, answer.as_ref());
    if again != said {
        details.push(format!(
            "Asked the same once more, it says {again}: it keeps something from one judgement to the next. Let it forget, or set `judgements_per_instance` in `limits` to 1."
        ));
    }
    Ok(Report {
        name: case.name.clone(),
        passed: said == expected && again == said,
        expected,
        details,
        micros: answer.as_ref().map_or(0, |answer| answer.elapsed.as_micros() as u64),
        peak_memory: answer.as_ref().map_or(0, |answer| answer.peak_memory),
        log: answer.map(|answer| answer.log).unwrap_or_default(),
        answer: said,
    })
}

impl Report {
    fn document(&self) -> Value {
        json!({
            "name": self.name,
            "passed": self.passed,
            "expected": self.expected,
            "outcome": self.answer,
            "details": self.details,
            "log": self.log,
            "micros": self.micros,
            "peak_memory": self.peak_memory,
        })
    }

    fn lines(&self, paint: &Paint) -> String {
        let mark = if self.passed { paint.ink(Ink::Good, "pass") } else { paint.ink(Ink::Bad, "FAIL") };
        let cost = paint.ink(Ink::Faint, &format!("{} µs, {}", self.micros, bytes(self.peak_memory)));
        let mut lines = vec![format!("{mark}  {}: {}  {cost}", clean(&self.name), clean(&self.answer.to_string()))];
        if !self.passed {
            lines.push(format!("      expected {}", clean(&self.expected.to_string())));
        }
        lines.extend(self.details.iter().map(|detail| format!("      {}", paint.ink(Ink::Faint, &clean(detail)))));
        lines.extend(shown(&self.log).into_iter().map(|line| format!("      {}", clean(&line))));
        lines.join("\n")
    }
}

/// How many lines of a log are shown from its beginning, and from its end.
const ENDS: usize = 10;

/// The lines of a log for people: all of a short one, the beginning and the end of a long one.
pub(crate) fn shown(log: &[LogLine]) -> Vec<String> {
    let told = |lines: &[LogLine]| lines.iter().map(|line| format!("log: {}", line.message)).collect::<Vec<_>>();
    let left_out = log.len().saturating_sub(2 * ENDS);
    if left_out == 0 {
        return told(log);
    }
    let gap = format!("… {left_out} more lines of the log, which --json has …");
    [told(&log[..ENDS]), vec![gap], told(&log[log.len() - ENDS..])].concat()
}
