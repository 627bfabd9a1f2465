//! `berth policy summary`: what an auditor has said under a binding.

use clap::Args;

use berth_base::text;
use berth_model::{
    audit::{BindingSummary, RejectionExample},
    policy::registry::Mode,
};

use crate::{
    call::Call,
    failure::Done,
    findings,
    handle::binding_id,
    paint::{Paint, clean, state},
    session::Session,
    table::{Cell, Table},
};

/// The arguments of `berth policy summary`.
#[derive(Args, Debug)]
pub struct Summary {
    /// The binding: its id, or the name of its policy if that is bound at one place
    pub binding: String,
    /// Only the versions that it judged last, 1 to 500; 100 when absent
    #[arg(long, value_name = "N")]
    pub limit: Option<u32>,
}

/// Runs `berth policy summary`.
pub async fn run(args: Summary, session: &mut Session) -> Done {
    let client = session.client()?;
    let binding = binding_id(&client, &args.binding).await?;
    let call = Call::get(format!("/v1/policy-bindings/{binding}/summary")).query("limit", args.limit);
    let answer = client.value(call).await?;
    session.out.show(&answer, view)?;
    session.out.then(&answer, |summary: BindingSummary| {
        (summary.mode == Mode::Shadow && summary.versions > 0)
            .then(|| format!("berth policy edit {} --mode enforce", summary.binding))
    });
    Ok(())
}

fn view(summary: BindingSummary, paint: &Paint) -> String {
    let mut parts = vec![sentence(&summary, paint)];
    if !summary.rules.is_empty() {
        let mut table = Table::new(["RULE", "SEVERITY", "VERSIONS", "FINDINGS"]);
        for one in &summary.rules {
            table.row([
                Cell::strong(&one.rule),
                state(one.severity.as_str()),
                Cell::of(one.versions),
                Cell::of(one.findings),
            ]);
        }
        parts.push(table.render(paint));
    }
    let examples: Vec<_> = summary.examples.iter().map(|one| example(one, paint)).collect();
    parts.extend((!examples.is_empty()).then(|| examples.join("\n")));
    parts.join("\n\n")
}

/// The numbers as a sentence: "would have rejected 3 of 40 versions".
fn sentence(summary: &BindingSummary, paint: &Paint) -> String {
    let BindingSummary { policy, policy_version, mode, since, versions, rejected, alone, no_verdict, .. } = summary;
    let since = paint.when(*since).render(paint);
    let name = clean(&format!("{policy} {policy_version}"));
    if *versions == 0 {
        return format!("{name} ({mode}) has judged no version since {since}.");
    }
    let did = if *mode == Mode::Shadow { "would have rejected" } else { "rejected" };
    let of = text::count(*versions, "version", "versions");
    let mut text = format!("{name} ({mode}) {did} {rejected} of {of} since {since}");
    if *rejected > 0 {
        text.push_str(&format!(", {alone} of them rejected by no other policy"));
    }
    if *no_verdict > 0 {
        text.push_str(&format!("; it gave no verdict on {no_verdict}"));
    }
    text + "."
}

fn example(one: &RejectionExample, paint: &Paint) -> String {
    let version = Cell::strong(format!("{} {}", one.mini_app, one.version)).render(paint);
    let anyway = if one.alone { "" } else { " (others reject it, too)" };
    let why = match &one.finding {
        Some(finding) => findings::words(finding, paint),
        None => format!("no verdict: {}", clean(&one.detail)),
    };
    format!("{version}{anyway}: {why}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::answer::read;

    #[test]
    fn g19_a_summary_reads_as_a_sentence_with_rules_and_examples() {
        let id = |kind: &str| format!("{kind}_{}", "0".repeat(26));
        let summary = |mode: &str| {
            let answer = json!({"binding": id("pb"), "policy": "no-maps", "policy_version": "0.1.0", "mode": mode,
                "since": "2030-01-31T07:59:00.000Z", "versions": 40, "rejected": 3, "alone": 2, "no_verdict": 1,
                "rules": [{"rule": "map", "severity": "error", "versions": 2, "findings": 5}],
                "examples": [{"mini_app": "mp-shop", "version": "1.2.0", "audit": id("aud"), "alone": true,
                    "finding": {"rule": "map", "severity": "error", "message": "A map.", "place": {"path": "a.js", "line": 3, "column": 4}}},
                    {"mini_app": "mp-tea", "version": "1.0.0", "audit": id("aud"), "alone": false, "detail": "It broke."}]});
            view(read(&answer).expect("a summary"), &Paint::plain())
        };
        let text = summary("shadow");
        assert!(text.starts_with("no-maps 0.1.0 (shadow) would have rejected 3 of 40 versions since "), "{text}");
        assert!(text.contains(", 2 of them rejected by no other policy; it gave no verdict on 1."), "{text}");
        assert!(
            text.ends_with(
                "mp-shop 1.2.0: a.js:3:4: error map A map.\nmp-tea 1.0.0 (others reject it, too): no verdict: It broke."
            ),
            "{text}"
        );
        assert!(summary("enforce").starts_with("no-maps 0.1.0 (enforce) rejected 3 of 40"));
    }
}
