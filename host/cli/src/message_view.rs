//! How `berth message` shows templates, consents and messages.

use super::{
    paint::{Ink, Paint, clean_lines, said},
    table::{Card, Cell},
};
use berth_model::message::{
    BothLanguages, MessageKeyword, MessageState, MessageTemplate, PublicTemplate, Subscription, SubscriptionRequest,
    UserMessage,
};

fn both(words: &BothLanguages) -> String {
    format!("{} / {}", words.en, words.zh)
}

fn keywords(keywords: &[MessageKeyword]) -> String {
    keywords.iter().map(|one| format!("{} {}", one.number, both(&one.name))).collect::<Vec<_>>().join(", ")
}

fn fields(keywords: &[MessageKeyword]) -> String {
    keywords.iter().map(|one| one.field.as_str()).collect::<Vec<_>>().join(",")
}

/// A public template, for a table.
pub fn library_row(one: PublicTemplate, _: &Paint) -> [Cell; 5] {
    let (kind, category) = (Cell::of(one.kind), Cell::of(one.category));
    [Cell::strong(&one.id), kind, category, both(&one.title).into(), keywords(&one.keywords).into()]
}

/// A template of a MiniApp, for a table.
pub fn template_row(one: MessageTemplate, _: &Paint) -> [Cell; 5] {
    let (template, kind) = (Cell::of(&one.template), Cell::of(one.kind));
    [Cell::strong(&one.id), template, kind, both(&one.title).into(), fields(&one.keywords).into()]
}

/// A template of a MiniApp, with a preview.
pub fn template_view(one: &MessageTemplate, paint: &Paint) -> String {
    let card = Card::default()
        .field("id", Cell::strong(&one.id))
        .field("template", Cell::of(&one.template))
        .field("kind", Cell::of(one.kind))
        .field("fields", fields(&one.keywords));
    let preview = clean_lines(&format!("{}\n\n{}", one.preview.en, one.preview.zh));
    format!("{}\n\n{preview}", card.render(paint))
}

/// What a user allows, for a table.
pub fn subscription_row(one: Subscription, _: &Paint) -> [Cell; 4] {
    [Cell::strong(&one.template), Cell::of(one.kind), both(&one.title).into(), Cell::of(one.allowed)]
}

/// What a user would be asked.
pub fn request_view(request: SubscriptionRequest, _: &Paint) -> String {
    let asked =
        request.items.iter().map(|one| format!("{} (allowed: {})\n{}", one.template, one.allowed, one.preview.en));
    let dropped = request
        .dropped
        .iter()
        .map(|one| format!("{} is not asked for: it has the same title as {}.", one.template, one.same_title_as));
    clean_lines(&asked.chain(dropped).collect::<Vec<_>>().join("\n\n"))
}

fn state(state: MessageState) -> Cell {
    let ink = match state {
        MessageState::Sent => Ink::Plain,
        MessageState::Shown | MessageState::Opened => Ink::Good,
        MessageState::Refused => Ink::Bad,
    };
    Cell::new(ink, state.as_str())
}

/// A message, for a table.
pub fn message_row(one: UserMessage, paint: &Paint) -> [Cell; 5] {
    let (template, host_app) = (Cell::of(&one.template), Cell::of(&one.host_app));
    [Cell::strong(&one.id), template, host_app, state(one.state), paint.when(one.sent_at)]
}

/// A message, and what became of it.
pub fn message_view(one: UserMessage, paint: &Paint) -> String {
    Card::default()
        .field("id", Cell::strong(&one.id))
        .field("template", Cell::of(&one.template))
        .field("host app", Cell::of(&one.host_app))
        .field("state", state(one.state))
        .maybe("why", said(&one.reason))
        .field("sent", paint.when(one.sent_at))
        .maybe("shown", one.shown_at.map(|at| paint.when(at)))
        .maybe("opened", one.opened_at.map(|at| paint.when(at)))
        .maybe("refused", one.refused_at.map(|at| paint.when(at)))
        .render(paint)
}
