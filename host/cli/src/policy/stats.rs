//! `berth policy stats`: how the bindings of a policy run on the host that answers.

use std::fmt::Write;

use berth_base::text::micros;
use berth_model::policy::{
    figures::{BindingFigures, Elapsed, Figures, PolicyFigures},
    registry::Mode,
};

use crate::{
    call::{Call, escape},
    failure::Done,
    paint::{Paint, bytes},
    session::Session,
    table::{Cell, Table},
};

/// Runs `berth policy stats`.
pub async fn stats(which: &str, session: &mut Session) -> Done {
    let answer = session.client()?.value(Call::get(format!("/v1/policies/{}/figures", escape(which)))).await?;
    session.out.show(&answer, view)
}

fn view(figures: PolicyFigures, paint: &Paint) -> String {
    let since = paint.when(figures.since).render(paint);
    if figures.bindings.is_empty() {
        return format!("{} was not asked on this host since {since}.", Cell::strong(&figures.policy).render(paint));
    }
    let mut text = format!("{} on this host since {since}\n\n", Cell::strong(&figures.policy).render(paint));
    let head = ["BINDING", "VERSION", "ASKED", "NO VERDICT", "P50", "P99", "MAX", "MEMORY"];
    let mut table = Table::new(head);
    figures.bindings.iter().for_each(|one| table.row(row(one)));
    text.push_str(&table.render(paint));
    for one in &figures.bindings {
        if let Some(trouble) = &one.figures.last_trouble {
            let when = paint.when(trouble.at).render(paint);
            let _ = writeln!(
                text,
                "\n{}, last without a verdict {when}: {}",
                one.binding,
                Cell::of(&trouble.says).render(paint)
            );
        }
    }
    text.trim_end().to_owned()
}

fn row(one: &BindingFigures) -> [Cell; 8] {
    let Figures { evaluations, verdicts, elapsed, peak_memory_bytes, .. } = &one.figures;
    let of = |share: fn(&Elapsed) -> u64| Cell::any(elapsed.as_ref().map(|it| micros(share(it))));
    let shadow = if one.mode == Mode::Shadow { " (shadow)" } else { "" };
    let before = if one.is_current { "" } else { " (before)" };
    [
        Cell::strong(format!("{}{shadow}", one.binding)),
        Cell::of(format!("{}{before}", one.policy_version.as_deref().unwrap_or("removed"))),
        Cell::of(evaluations),
        Cell::of(evaluations - verdicts),
        of(|it| it.p50_micros),
        of(|it| it.p99_micros),
        of(|it| it.max_micros),
        bytes(*peak_memory_bytes).into(),
    ]
}
