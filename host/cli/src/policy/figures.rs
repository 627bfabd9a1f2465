//! `berth policy figures`: how the bindings of a policy run on the host that answers.

use berth_base::text::{self, micros};
use berth_model::policy::{
    figures::{BindingFigures, Elapsed, Figures, PolicyFigures, ShadowExample, ShadowFigures, Trouble},
    registry::Mode,
};

use crate::{
    call::{Call, escape},
    failure::Done,
    paint::{Paint, bytes, clean},
    session::Session,
    table::{Cell, Table},
};

/// Runs `berth policy figures`.
pub async fn figures(which: &str, session: &mut Session) -> Done {
    let answer = session.client()?.value(Call::get(format!("/v1/policies/{}/figures", escape(which)))).await?;
    session.out.show(&answer, view)
}

fn view(figures: PolicyFigures, paint: &Paint) -> String {
    let since = paint.when(figures.since).render(paint);
    if figures.bindings.is_empty() {
        let name = Cell::strong(&figures.policy).render(paint);
        return format!("No binding of {name} that you may know of was asked on this host since {since}.");
    }
    let head = ["BINDING", "VERSION", "ASKED", "NO VERDICT", "P50", "P99", "MAX", "MEMORY"];
    let mut table = Table::new(head);
    figures.bindings.iter().for_each(|one| table.row(row(one)));
    let name = Cell::strong(&figures.policy).render(paint);
    let mut parts = vec![format!("{name} on this host since {since}"), table.render(paint)];
    parts.extend((figures.others > 0).then(|| format!("{} more were asked less often.", figures.others)));
    let troubles: Vec<_> = figures.bindings.iter().filter_map(|one| trouble(one, paint)).collect();
    parts.extend((!troubles.is_empty()).then(|| troubles.join("\n")));
    parts.extend(figures.bindings.iter().filter_map(|one| shadow(one, paint)));
    parts.join("\n\n")
}

/// Why the last evaluation without a verdict had none.
fn trouble(one: &BindingFigures, paint: &Paint) -> Option<String> {
    let Trouble { at, says } = one.figures.last_trouble.as_ref()?;
    Some(format!("{}: no verdict {}: {}", one.binding, paint.when(*at).render(paint), clean(says)))
}

/// What a policy in shadow would have decided otherwise, with examples.
fn shadow(one: &BindingFigures, paint: &Paint) -> Option<String> {
    let ShadowFigures { same, would_admit, would_refuse, examples } = one.figures.shadow.as_ref()?;
    let all = text::count(same + would_admit + would_refuse, "check", "checks");
    let mut lines = vec![format!(
        "{}: of {all} it would have refused {would_refuse} that were admitted, and admitted {would_admit} that were refused",
        one.binding
    )];
    for ShadowExample { at, would_admit, host_app, host_version, platform, os_version, network } in examples {
        let seen = clean(&format!("{host_app} {host_version}, {platform} {os_version}, {network}"));
        let otherwise = if *would_admit { "would have been admitted" } else { "would have been refused" };
        lines.push(format!("  {} {seen}: {otherwise}", paint.when(*at).render(paint)));
    }
    Some(lines.join("\n"))
}

fn row(one: &BindingFigures) -> [Cell; 8] {
    let Figures { evaluations, verdicts, elapsed, peak_memory_bytes, .. } = &one.figures;
    let of = |share: fn(&Elapsed) -> u64| Cell::any(elapsed.as_ref().map(|it| micros(share(it))));
    let shadow = if one.mode == Mode::Shadow { " (shadow)" } else { "" };
    let before = if one.is_current { "" } else { " (before)" };
    let removed = || format!("{:.12} (removed)", one.digest.to_string());
    [
        Cell::strong(format!("{}{shadow}", one.binding)),
        Cell::of(one.policy_version.as_ref().map_or_else(removed, |version| format!("{version}{before}"))),
        Cell::of(evaluations),
        Cell::of(evaluations - verdicts),
        of(|it| it.p50_micros),
        of(|it| it.p99_micros),
        of(|it| it.max_micros),
        bytes(*peak_memory_bytes).into(),
    ]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::answer::read;

    #[test]
    fn g21_how_bindings_run_is_a_table_and_the_last_trouble_a_line() {
        let pb = |number: u32| format!("pb_{number:026}");
        let one = |number: u32, more: serde_json::Value| {
            let mut one = json!({"binding": pb(number), "digest": "0".repeat(64), "is_current": true, "mode": "shadow",
                "policy_version": "1.0.0", "scope": {"kind": "platform"}, "on_error": "closed", "evaluations": 3, "verdicts": 3,
                "failed": 0, "trapped": 0, "limited": 0, "peak_memory_bytes": 65536});
            one.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
            one
        };
        let elapsed = json!({"mean_micros": 9, "p50_micros": 10, "p95_micros": 25, "p99_micros": 2500, "max_micros": 1_500_000,
            "classes": []});
        let troubled = json!({"verdicts": 1, "trapped": 2, "elapsed": elapsed, "is_current": false,
            "last_trouble": {"at": "2030-01-31T07:59:00.000Z", "says": "The policy broke: unreachable"}});
        let answer = |bindings| json!({"policy": "no-maps", "kind": "auditor", "since": "2030-01-31T07:59:00.000Z", "bindings": bindings});
        let shown = |bindings| view(read(&answer(bindings)).expect("figures"), &Paint::plain());
        let text = shown(json!([one(1, json!({})), one(2, troubled)]));
        let lines: Vec<_> = text.lines().collect();
        assert!(lines[0].starts_with("no-maps on this host since ") && lines[1].is_empty(), "{text}");
        assert!(
            lines[4].contains("1.0.0 (before)") && lines[4].contains("10 µs") && lines[4].contains("1.5 s"),
            "{text}"
        );
        assert!(lines[5].is_empty() && lines[6].starts_with(&pb(2)) && lines[6].ends_with("unreachable"), "{text}");
        let example = json!({"at": "2030-01-31T07:59:00.000Z", "would_admit": false, "host_app": "mall", "host_version": "8.1",
            "platform": "ios", "os_version": "17", "network": "wifi"});
        let beside = json!({"same": 7, "would_admit": 1, "would_refuse": 2, "examples": [example]});
        let text = shown(json!([one(1, json!({"shadow": beside}))]));
        let says = format!(
            "{}: of 10 checks it would have refused 2 that were admitted, and admitted 1 that were refused\n",
            pb(1)
        );
        assert!(text.contains(&says) && text.ends_with("mall 8.1, ios 17, wifi: would have been refused"), "{text}");
        assert!(shown(json!([])).starts_with("No binding of no-maps that you may know of"));
    }
}
