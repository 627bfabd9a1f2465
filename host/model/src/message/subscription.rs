//! Consents of users to messages (M3, M4).

use berth_base::{
    error::{Code, Error, Result},
    ids::{MessageTemplateId, MiniAppId},
};
use serde::{Deserialize, Serialize};

use super::{BothLanguages, MessageTemplate, SubscriptionKind};

/// How many templates one request for consent names at most.
pub const MOST_ASKED: usize = 3;

/// What `requestSubscribeMessage` of the SDK asks, before the user sees anything.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AskSubscription {
    /// Id of the MiniApp.
    pub mini_app: MiniAppId,
    /// The account that is logged in to the host app.
    pub account: String,
    /// Ids of 1 to 3 templates of the MiniApp, all one-time or all long-term.
    pub templates: Vec<MessageTemplateId>,
}

/// What to ask the user.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct SubscriptionRequest {
    /// The templates to show, each with its title and a preview, and what the user has allowed already.
    pub items: Vec<Subscription>,
    /// The templates that are not asked for, as another one of the request has the same title.
    pub dropped: Vec<DroppedTemplate>,
}

/// A template that is not asked for.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct DroppedTemplate {
    /// Id of the template.
    pub template: MessageTemplateId,
    /// The one with the same title that is asked for.
    pub same_title_as: MessageTemplateId,
}

/// What a user has allowed for a template.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct Subscription {
    /// Id of the template.
    pub template: MessageTemplateId,
    /// How often a consent allows a message.
    pub kind: SubscriptionKind,
    /// The title of the messages.
    pub title: BothLanguages,
    /// How a message looks, with examples as values.
    pub preview: BothLanguages,
    /// How many messages may be sent: of a one-time template one for each consent that is left, of a long-term one 1 for
    /// as long as the consent holds.
    pub allowed: i64,
}

/// What a user has answered.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Subscribe {
    /// Id of the MiniApp.
    pub mini_app: MiniAppId,
    /// The account that is logged in to the host app.
    pub account: String,
    /// Minutes by which the user's clock is ahead of UTC, −720 to 840, such as 480 for China: the user's day, in which
    /// messages of long-term templates are counted, begins at midnight there.
    pub utc_offset: i64,
    /// The answers for 1 to 3 templates.
    pub answers: Vec<SubscriptionAnswer>,
}

/// The answer of a user for one template.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SubscriptionAnswer {
    /// Id of the template.
    pub template: MessageTemplateId,
    /// Whether the user wants its messages. Of a one-time template `true` allows one message more, and `false` changes
    /// nothing; of a long-term one it allows messages until it is withdrawn, and `false` withdraws it.
    pub accept: bool,
}

/// Withdraws what a user has allowed.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Withdraw {
    /// Id of the MiniApp.
    pub mini_app: MiniAppId,
    /// The account that is logged in to the host app.
    pub account: String,
    /// Id of the template; all of the MiniApp when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<MessageTemplateId>,
}

/// Whose consents to list.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct SubscriptionQuery {
    /// Id of the MiniApp.
    pub mini_app: MiniAppId,
    /// The account that is logged in to the host app.
    pub account: String,
}

impl Subscribe {
    /// Checks the offset.
    ///
    /// # Errors
    /// `invalid-field` for one that no clock has.
    pub fn check(&self) -> Result<()> {
        if (-720..=840).contains(&self.utc_offset) {
            return Ok(());
        }
        Err(Error::field("utc_offset", "must be -720 to 840: the minutes by which the user's clock is ahead of UTC."))
    }
}

/// The templates of a request that are asked for, and those that are not, as another one has the same title (M4). `member` is
/// the member of the request that names them.
///
/// # Errors
/// `invalid-field` for none or more than three; `message-kinds-mixed`.
pub fn kept(member: &str, asked: Vec<MessageTemplate>) -> Result<(Vec<MessageTemplate>, Vec<DroppedTemplate>)> {
    if !(1..=MOST_ASKED).contains(&asked.len()) {
        return Err(Error::field(member, format!("name 1 to {MOST_ASKED} templates; these are {}.", asked.len())));
    }
    if let Some(other) = asked.iter().find(|one| one.kind != asked[0].kind) {
        let detail = format!(
            "{} is {} and {} is {}: ask for the two kinds one after the other.",
            asked[0].id, asked[0].kind, other.id, other.kind
        );
        return Err(Error::new(Code::MessageKindsMixed, detail).with("templates", [&asked[0].id, &other.id]));
    }
    let (mut kept, mut dropped): (Vec<MessageTemplate>, Vec<DroppedTemplate>) = (Vec::new(), Vec::new());
    for one in asked {
        match kept.iter().find(|other| other.title == one.title) {
            Some(other) => dropped.push(DroppedTemplate { template: one.id, same_title_as: other.id.clone() }),
            None => kept.push(one),
        }
    }
    Ok((kept, dropped))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use super::*;
    use crate::{
        message::public_template,
        testing::{DAWN, shop},
    };

    fn template(number: u8, public: &str, keywords: &[u8]) -> MessageTemplate {
        let public = public_template(public).unwrap();
        let id = format!("tmpl_{number:026}").parse().unwrap();
        MessageTemplate::of(id, shop(), public, public.choose(keywords).unwrap(), (DAWN, "usr".into()))
    }

    #[test]
    fn m4_a_request_names_3_templates_of_one_kind_and_one_of_each_title_is_kept() {
        let (paid, paid_more) = (template(1, "order-paid", &[1]), template(2, "order-paid", &[1, 2]));
        let (shipped, refund) = (template(3, "order-shipped", &[1]), template(4, "refund-result", &[1]));
        let flight = template(5, "flight-changed", &[1]);
        let ids = |asked: &[&MessageTemplate]| {
            kept("templates", asked.iter().map(|one| (*one).clone()).collect()).map(|(kept, dropped)| {
                let dropped: Vec<_> = dropped.into_iter().map(|one| (one.template, one.same_title_as)).collect();
                (kept.into_iter().map(|one| one.id).collect::<Vec<_>>(), dropped)
            })
        };
        let all = ids(&[&paid, &shipped, &refund]).unwrap();
        assert_eq!(all.0, [paid.id.clone(), shipped.id.clone(), refund.id.clone()]);
        let same = ids(&[&paid, &paid_more, &paid]).unwrap();
        assert_eq!(same.0, std::slice::from_ref(&paid.id));
        assert_eq!(same.1, [(paid_more.id, paid.id.clone()), (paid.id.clone(), paid.id.clone())]);
        assert_eq!(ids(&[&paid, &flight]).unwrap_err().code, Code::MessageKindsMixed);
        for wrong in [&[][..], &[&paid, &shipped, &refund, &shipped]] {
            assert_eq!(ids(wrong).unwrap_err().fields["pointer"], "/templates");
        }
    }
}
