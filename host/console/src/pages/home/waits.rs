//! What waits for the visitor, each with the one page where it is done.

use berth_base::clock::Millis;
use berth_model::{
    binding::BindingState,
    waiting::{Waiting, What},
};

use crate::{
    pages::workspaces::Stuck,
    parts::Tone,
    path::at,
    texts::{Texts, grouped},
    visit::Visit,
};

/// One thing that waits.
pub struct Wait {
    pub said: String,
    /// What is to be done, a verb.
    pub act: &'static str,
    pub address: String,
    pub since: Millis,
    pub tone: Tone,
}

/// A thing that waits, as home says it.
pub fn wait(visit: &Visit, waiting: &Waiting) -> Wait {
    let t = visit.t;
    let (said, act, address, tone) = match &waiting.what {
        What::Audit(it) => (
            t.home_audit_decide(&it.mini_app_name, &it.version),
            t.decide(),
            at!("/ui/audits/{}", it.audit),
            Tone::Warn,
        ),
        What::Binding(it) if it.state == BindingState::WaitsForHostApp => {
            let said = t.home_binding_host(&it.mini_app_name, &it.host_app_name);
            (said, t.agree(), at!("/ui/host-apps/{}", it.host_app), Tone::Warn)
        }
        What::Binding(it) => {
            let said = t.home_binding_team(&it.mini_app_name, &it.host_app_name);
            (said, t.agree(), at!("/ui/mini-apps/{}/bindings", it.mini_app), Tone::Warn)
        }
        What::Publish(it) => {
            let address = at!("/ui/mini-apps/{}/versions/{}/publish", it.mini_app, it.version);
            let said = match it.in_gray {
                true => t.home_publish_to_all(&it.mini_app_name, &it.version),
                false => t.home_publish(&it.mini_app_name, &it.version),
            };
            (said, t.publish_it(), address, Tone::Info)
        }
        What::Rejected(it) => {
            let address = at!("/ui/mini-apps/{}/versions/{}/findings", it.mini_app, it.version);
            (t.home_rejected(&it.mini_app_name, &it.version), t.see_why(), address, Tone::Bad)
        }
        What::GrayEnds(it) => {
            let said = t.home_gray_ends(&it.mini_app_name, &it.name, visit.when(&it.end).shown);
            (said, t.open(), at!("/ui/gray/{}", it.gray_task), Tone::Gray)
        }
        What::GraySuspended(it) => {
            let said = t.home_gray_suspended(&it.mini_app_name, &it.name);
            (said, t.open(), at!("/ui/gray/{}", it.gray_task), Tone::Warn)
        }
        What::GrayFailing(it) => {
            let said = t.home_gray_failing(&it.mini_app_name, &it.name, grouped(it.failed), grouped(it.admitted));
            (said, t.open(), at!("/ui/gray/{}", it.gray_task), Tone::Bad)
        }
        What::FulfilmentParked(it) => {
            (t.home_parked(grouped(it.count)), t.open(), "/ui/fulfilments?state=parked".into(), Tone::Bad)
        }
        What::DeliveryDead(it) => {
            let address = at!("/ui/webhooks/{}", it.webhook);
            (t.home_dead(grouped(it.count), &it.host), t.open(), address, Tone::Bad)
        }
        What::ChannelUnauthorised(it) => {
            let said = t.home_channel(&it.name, &it.merchant_name);
            (said, t.open(), at!("/ui/merchants/{}/channels", it.merchant), Tone::Bad)
        }
        What::Permit(it) => {
            let api = it.api.as_ref().map(ToString::to_string).unwrap_or_default();
            let said = t.home_permit(&it.mini_app_name, api, &it.host_app_name);
            (said, t.decide(), at!("/ui/permits/{}", it.permit), Tone::Warn)
        }
        What::Skip(it) => {
            let said = t.home_skip(&it.mini_app_name, &it.host_app_name);
            (said, t.decide(), at!("/ui/permits/{}", it.permit), Tone::Warn)
        }
    };
    Wait { said, act, address, since: waiting.since, tone }
}

/// An address book that could not be pulled, as home says it.
pub fn stuck(t: Texts, stuck: Stuck) -> Wait {
    let Stuck { workspace, address, since } = stuck;
    Wait { said: t.ws_home_stuck(workspace), act: t.see_why(), address, since, tone: Tone::Bad }
}
