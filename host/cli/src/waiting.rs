//! `berth waiting`: what waits for the caller, with the command that does it.

use super::{
    call::Call,
    failure::Done,
    paint::Paint,
    session::Session,
    table::{Cell, Table},
};
use berth_model::{
    binding::BindingState,
    waiting::{Waiting, WaitingList, What},
};

pub async fn run(session: &mut Session) -> Done {
    let answer = session.client()?.value(Call::get("/v1/waiting")).await?;
    session.out.show(&answer, list)
}

fn list(list: WaitingList, paint: &Paint) -> String {
    if list.items.is_empty() {
        return "Nothing waits for you.".into();
    }
    let mut table = Table::new(["SINCE", "WHAT", "COMMAND"]);
    for Waiting { since, what } in &list.items {
        table.row([paint.when(*since), Cell::of(in_words(what)), Cell::strong(command(what))]);
    }
    let more = if list.more { "\n\nThere is more: these are the oldest." } else { "" };
    format!("{}{more}", table.render(paint))
}

/// What waits, as a sentence.
fn in_words(what: &What) -> String {
    match what {
        What::Audit(it) => format!("{} {}: {} decides", it.mini_app_name, it.version, it.host_app_name),
        What::Binding(it) if it.state == BindingState::WaitsForTeam => {
            format!("{} asks to run {}", it.host_app_name, it.mini_app_name)
        }
        What::Binding(it) => format!("{} asks to run in {}", it.mini_app_name, it.host_app_name),
        What::Publish(it) => {
            let stands =
                if it.in_gray { "in grayscale and not online for everybody" } else { "approved and not online" };
            format!("{} {} is {stands}", it.mini_app_name, it.version)
        }
        What::Rejected(it) => format!("{} {} is rejected", it.mini_app_name, it.version),
        What::GrayEnds(it) => format!("{} of {} {} ends at {}", it.name, it.mini_app_name, it.version, it.end),
        What::GraySuspended(it) => {
            format!("{} of {} {} is suspended by {}", it.name, it.mini_app_name, it.version, it.cause)
        }
        What::GrayFailing(it) => format!(
            "{} of {} {} failed on {} of {} devices",
            it.name, it.mini_app_name, it.version, it.failed, it.admitted
        ),
        What::FulfilmentParked(it) => format!("{} messages of the order system are parked", it.count),
        What::DeliveryDead(it) => format!("{} events did not reach {}", it.count, it.host),
        What::ChannelUnauthorised(it) => format!("{} of {} is not authorised", it.name, it.merchant_name),
        What::Permit(it) => format!(
            "{} applies for {} in {}",
            it.mini_app_name,
            it.api.as_ref().map(ToString::to_string).unwrap_or_default(),
            it.host_app_name
        ),
        What::Skip(it) => format!("{} applies for unverified domains in {}", it.mini_app_name, it.host_app_name),
    }
}

/// The command with which to go on.
fn command(what: &What) -> String {
    match what {
        What::Audit(it) => format!("berth version show {} {}", it.mini_app, it.version),
        What::Binding(it) => format!("berth host-app bind {} {}", it.host_app, it.mini_app),
        What::Publish(it) => format!("berth version publish {} {}", it.mini_app, it.version),
        What::Rejected(it) => format!("berth version show {} {}", it.mini_app, it.version),
        What::GrayEnds(it) => format!("berth gray progress {}", it.gray_task),
        What::GraySuspended(it) => format!("berth gray show {}", it.gray_task),
        What::GrayFailing(it) => format!("berth gray progress {}", it.gray_task),
        What::FulfilmentParked(_) => "berth fulfilment list --state parked".into(),
        What::DeliveryDead(it) => format!("berth webhook deliveries {} --state dead", it.webhook),
        What::ChannelUnauthorised(it) => format!("berth channel show {}", it.channel),
        What::Permit(it) | What::Skip(it) => format!("berth permit show {}", it.permit),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_thing_is_told_with_the_command_that_goes_on() {
        let answer = json!({"more": true, "items": [
            {"kind": "publish", "since": "2026-01-31T08:00:00Z", "mini_app": "coffee", "mini_app_name": "Coffee",
             "version": "1.1.0", "said_by_a_newer_host": true},
            {"kind": "fulfilment_parked", "since": "2026-01-31T09:00:00Z", "count": 3},
        ]});
        let shown = list(crate::answer::read(&answer).unwrap(), &Paint::plain());
        assert!(shown.contains("Coffee 1.1.0 is approved") && shown.contains("berth version publish coffee 1.1.0"));
        assert!(shown.contains("3 messages") && shown.ends_with("There is more: these are the oldest."), "{shown}");
        let none = WaitingList { items: Vec::new(), more: false };
        assert_eq!(list(none, &Paint::plain()), "Nothing waits for you.");
    }
}
