//! How official accounts and what belongs to them look for people.

use crate::{
    paint::{Paint, state},
    table::{Card, Cell, Table},
};
use berth_model::official_account::{
    AccountMove, AccountTemplate, EntryPage, Fan, MoveReport, OfficialAccount, TemplateMessage, Visitor,
};

fn of(one: &OfficialAccount) -> String {
    one.merchant.as_ref().map_or_else(|| "all (shared)".to_owned(), ToString::to_string)
}

pub fn account_row(one: OfficialAccount, _: &Paint) -> [Cell; 5] {
    [
        Cell::strong(&one.app_id),
        Cell::of(&one.name),
        Cell::of(of(&one)),
        Cell::of(one.through),
        state(one.state.as_str()),
    ]
}

pub fn account_view(one: OfficialAccount, paint: &Paint) -> String {
    Card::default()
        .field("app id", Cell::strong(&one.app_id))
        .field("name", one.name.as_str())
        .field("of", of(&one).as_str())
        .field("acts through", one.through.as_str())
        .field("state", state(one.state.as_str()))
        .field("added", paint.when(one.created_at))
        .field("by", paint.who(&one.created_by))
        .render(paint)
}

pub fn template_row(one: AccountTemplate, _: &Paint) -> [Cell; 2] {
    [Cell::strong(&one.name), Cell::of(&one.template_id)]
}

pub fn template_view(one: AccountTemplate, paint: &Paint) -> String {
    Card::default()
        .field("account", Cell::of(&one.app_id))
        .field("name", Cell::strong(&one.name))
        .field("template", one.template_id.as_str())
        .render(paint)
}

fn link(one: &EntryPage) -> String {
    format!("/w/APP_ID/{}/{}", one.merchant, one.name)
}

pub fn page_row(one: EntryPage, _: &Paint) -> [Cell; 3] {
    [Cell::strong(&one.name), Cell::of(&one.url), Cell::of(link(&one))]
}

pub fn page_view(one: EntryPage, paint: &Paint) -> String {
    Card::default()
        .field("merchant", Cell::of(&one.merchant))
        .field("name", Cell::strong(&one.name))
        .field("leads to", one.url.as_str())
        .field("link", link(&one).as_str())
        .field("changed", paint.when(one.changed_at))
        .field("by", paint.who(&one.changed_by))
        .render(paint)
}

pub fn visitor_view(one: Visitor, paint: &Paint) -> String {
    Card::default()
        .field("account", Cell::of(&one.app_id))
        .field("OpenID", Cell::strong(one.open_id.as_str()))
        .field("member", Cell::any(one.member_id.as_ref()))
        .render(paint)
}

pub fn fan_row(one: Fan, paint: &Paint) -> [Cell; 5] {
    [
        Cell::strong(&one.member_id),
        Cell::of(&one.app_id),
        Cell::of(one.open_id.as_str()),
        Cell::of(if one.preferred { "yes" } else { "no" }),
        paint.when(one.bound_at),
    ]
}

pub fn fan_view(one: Fan, paint: &Paint) -> String {
    Card::default()
        .field("merchant", Cell::of(&one.merchant))
        .field("member", Cell::strong(&one.member_id))
        .field("account", Cell::of(&one.app_id))
        .field("OpenID", one.open_id.as_str())
        .field("preferred", if one.preferred { "yes" } else { "no" })
        .field("bound", paint.when(one.bound_at))
        .render(paint)
}

pub fn message_row(one: TemplateMessage, paint: &Paint) -> [Cell; 6] {
    [
        Cell::strong(&one.id),
        Cell::of(&one.member_id),
        Cell::of(&one.template),
        state(one.state.as_str()),
        Cell::any(one.app_id),
        paint.when(one.created_at),
    ]
}

pub fn message_view(one: TemplateMessage, paint: &Paint) -> String {
    let card = Card::default()
        .field("id", Cell::strong(&one.id))
        .field("member", Cell::of(&one.member_id))
        .field("template", Cell::of(&one.template))
        .field("state", state(one.state.as_str()))
        .field("by", Cell::any(one.app_id.as_ref()))
        .maybe("WeChat's id", one.wechat_id.as_deref())
        .field("asked", paint.when(one.created_at))
        .maybe("settled", one.settled_at.map(|at| paint.when(at)));
    let tried = one.tried.iter();
    tried
        .fold(card, |card, tried| card.field("not by", format!("{}: {}", tried.app_id, tried.reason).as_str()))
        .render(paint)
}

pub fn move_view(one: AccountMove, paint: &Paint) -> String {
    Card::default()
        .field("merchant", Cell::strong(&one.merchant))
        .field("from", Cell::of(&one.from))
        .field("to", Cell::of(&one.to))
        .field("moved", paint.when(one.moved_at))
        .field("by", paint.who(&one.moved_by))
        .render(paint)
}

pub fn report_view(report: MoveReport, paint: &Paint) -> String {
    let counts = format!("{} of {} members have come along.", report.counts.came_along, report.counts.members);
    let head = format!("{}\n\n{counts}", move_view(report.account_move, paint));
    if report.items.is_empty() {
        return head;
    }
    let mut table = Table::new(["MEMBER", "CAME ALONG"]);
    for member in report.items {
        table.row([Cell::strong(&member.member_id), paint.when_any(member.came_along_at)]);
    }
    format!("{head}\n\n{}", table.render(paint))
}
