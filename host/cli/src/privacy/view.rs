//! Agreements and consents, as people read them.

use crate::{
    paint::{Ink, Paint, clean},
    table::{Card, Cell, Table},
};
use berth_model::privacy::{
    Collected, KindOfInfo, PrivacyAgreement, PrivacyChange, PrivacyChanges, PrivacyChecked, PrivacyConsents,
    PrivacyDraft, PrivacyHead, PrivacyVersion, Words,
};

/// A list as the API returns it.
#[derive(serde::Deserialize)]
pub struct Items<T> {
    items: Vec<T>,
}

pub fn kinds(all: Items<KindOfInfo>, paint: &Paint) -> String {
    let mut table = Table::new(["KIND", "NAME", "名称", "READ BY", "WRITTEN BY"]);
    for one in all.items {
        let tags = one.components.iter().map(|component| format!("<{}>", component.tag));
        let reads: Vec<_> = one.reads.iter().map(ToString::to_string).chain(tags).collect();
        let writes: Vec<_> = one.writes.iter().map(ToString::to_string).collect();
        table.row([
            Cell::strong(one.kind),
            one.name.en.into(),
            one.name.zh.into(),
            reads.join(", ").into(),
            writes.join(", ").into(),
        ]);
    }
    table.render(paint)
}

/// Words in both languages on one line.
fn both(words: &Words) -> String {
    match (words.en.as_str(), words.zh.as_str()) {
        (en, "") => en.to_owned(),
        ("", zh) => zh.to_owned(),
        (en, zh) if en == zh => en.to_owned(),
        (en, zh) => format!("{en} | {zh}"),
    }
}

fn maybe(text: String) -> Option<Cell> {
    (!text.is_empty()).then(|| Cell::of(text))
}

fn collected(items: &[Collected], paint: &Paint) -> String {
    if items.is_empty() {
        return "Nothing is collected.".into();
    }
    let mut table = Table::new(["KIND", "WHAT", "APIS", "PURPOSE"]);
    for one in items {
        let apis: Vec<_> = one.apis.iter().map(ToString::to_string).collect();
        let apis = if apis.is_empty() { "all".into() } else { apis.join(", ") };
        table.row([Cell::strong(one.kind), both(&one.what()).into(), apis.into(), both(&one.purpose).into()]);
    }
    table.render(paint)
}

fn about(agreement: &PrivacyAgreement) -> Card {
    let kept = agreement
        .retention_days
        .map_or_else(|| "as long as its purpose takes".to_owned(), |days| format!("{days} days"));
    let sdks: Vec<_> = agreement.sdks.iter().map(|sdk| sdk.name.as_str()).collect();
    Card::default()
        .maybe("developer", maybe(both(&agreement.developer)))
        .maybe("contact", maybe(agreement.contact.in_words()))
        .maybe("in force from", agreement.effective_on.as_deref())
        .field("kept for", Cell::of(kept))
        .maybe("SDKs", maybe(sdks.join(", ")))
}

pub fn draft(draft: PrivacyDraft, paint: &Paint) -> String {
    let PrivacyDraft { agreement, missing, changed_at, changed_by, .. } = draft;
    let card = about(&agreement)
        .maybe("changed", changed_at.map(|at| paint.when(at)))
        .maybe("by", changed_by.map(|id| paint.who(id)));
    let mut text = format!("{}\n\n{}", card.render(paint), collected(&agreement.collected, paint));
    for one in missing {
        let missing = clean(&format!("missing {}: {}", one.pointer, one.rule));
        text.push_str(&format!("\n{}", paint.ink(Ink::Warn, &missing)));
    }
    text
}

pub fn version(version: PrivacyVersion, paint: &Paint) -> String {
    let PrivacyVersion { head, agreement, changes, .. } = version;
    let card = about(&agreement)
        .field("version", Cell::strong(head.version))
        .field("effective", Cell::of(&head.effective_on))
        .field("users", Cell::of(asked(head.renews)))
        .field("published", paint.when(head.published_at))
        .field("by", paint.who(&head.published_by));
    format!(
        "{}\n\n{}\n\n{}",
        card.render(paint),
        collected(&agreement.collected, paint),
        changes_table(&changes, paint)
    )
}

fn asked(renews: bool) -> &'static str {
    if renews { "are asked anew" } else { "are not asked again" }
}

pub fn head(head: PrivacyHead, paint: &Paint) -> [Cell; 6] {
    let PrivacyHead { version, effective_on, renews, note, published_at, published_by, .. } = head;
    let anew = if renews { "yes" } else { "no" };
    [
        Cell::strong(version),
        effective_on.into(),
        anew.into(),
        paint.when(published_at),
        paint.who(published_by),
        note.into(),
    ]
}

pub fn changes(all: PrivacyChanges, paint: &Paint) -> String {
    if all.changes.is_empty() {
        return "Nothing has changed.".into();
    }
    format!("{}\n\nUsers {}.", changes_table(&all.changes, paint), asked(all.renews))
}

fn changes_table(changes: &[PrivacyChange], paint: &Paint) -> String {
    let mut table = Table::new(["CHANGE", "OF", "ABOUT", "BEFORE", "AFTER", "ASKS"]);
    for one in changes {
        let ink = if one.renews { Ink::Warn } else { Ink::Faint };
        table.row([
            Cell::new(ink, one.how.as_str()),
            Cell::of(one.of),
            both(&one.about).into(),
            both(&one.before).into(),
            both(&one.after).into(),
            Cell::new(ink, if one.renews { "yes" } else { "no" }),
        ]);
    }
    table.render(paint)
}

fn standing(needs_consent: bool, agreed: Option<i64>) -> Card {
    let ask = if needs_consent { Cell::new(Ink::Warn, "yes") } else { Cell::new(Ink::Good, "no") };
    Card::default().field("to be asked", ask).field("agrees to", Cell::any(agreed))
}

pub fn consents(all: PrivacyConsents, paint: &Paint) -> String {
    let card = standing(all.needs_consent, all.agreed_version).field("holds", Cell::any(all.version)).render(paint);
    if all.records.is_empty() {
        return card;
    }
    let mut table = Table::new(["SAID", "VERSION", "WHEN"]);
    for one in all.records {
        table.row([Cell::of(one.step), Cell::of(one.version), paint.when(one.at)]);
    }
    format!("{card}\n\n{}", table.render(paint))
}

pub fn checked(one: PrivacyChecked, paint: &Paint) -> String {
    standing(one.needs_consent, one.agreed_version).render(paint)
}
