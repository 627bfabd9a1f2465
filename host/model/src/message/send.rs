//! Messages: what is sent, whether it fits, and what becomes of it (M5–M9).

use std::collections::BTreeMap;

use berth_base::{
    clock::Millis,
    error::{Code, Error, Result},
    ids::{HostAppId, MessageTemplateId, MiniAppId, UserMessageId},
    text::text_enum,
};
use serde::{Deserialize, Serialize};

use super::{BothLanguages, MessageTemplate, SubscriptionKind};
use crate::user::OpenId;

/// A message to send.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SendMessage {
    /// The user.
    pub open_id: OpenId,
    /// Id of the template of the MiniApp.
    pub template: MessageTemplateId,
    /// A value for each field of the template, such as `{"thing2": "Latte"}`.
    #[schema(value_type = std::collections::HashMap<String, String>)]
    pub data: BTreeMap<String, String>,
    /// The page of the MiniApp that the message opens, relative and optionally with a query; it opens nothing when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<String>,
}

text_enum! {
    /// What became of a message.
    MessageState {
        /// The host app is told of it.
        Sent = "sent",
        /// The host app has shown it to the user.
        Shown = "shown",
        /// The user has opened it.
        Opened = "opened",
        /// The host app could not or would not show it.
        Refused = "refused",
    }
}

text_enum! {
    /// What a host app reports of a message.
    Reported {
        /// It was shown to the user.
        Shown = "shown",
        /// The user has opened it.
        Opened = "opened",
        /// It could not or would not be shown.
        Refused = "refused",
    }
}

/// A report of a host app about a message.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MessageReport {
    /// What became of it.
    pub state: Reported,
    /// Why it was refused, for the MiniApp's team; at most 200 characters.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

/// A message, without what it says and to whom.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[cfg_attr(feature = "sql", derive(sqlx::FromRow))]
pub struct UserMessage {
    /// Its id.
    pub id: UserMessageId,
    /// Id of the MiniApp.
    #[cfg_attr(feature = "sql", sqlx(rename = "mini_app_id"))]
    pub mini_app: MiniAppId,
    /// Id of the host app that shows it.
    #[cfg_attr(feature = "sql", sqlx(rename = "host_app_id"))]
    pub host_app: HostAppId,
    /// Id of the template.
    #[cfg_attr(feature = "sql", sqlx(rename = "template_id"))]
    pub template: MessageTemplateId,
    /// What became of it.
    pub state: MessageState,
    /// Why the host app refused it; absent unless it did and said so.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// When it was sent.
    pub sent_at: Millis,
    /// When the host app has shown it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shown_at: Option<Millis>,
    /// When the user has opened it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opened_at: Option<Millis>,
    /// When the host app refused it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused_at: Option<Millis>,
}

/// Which messages to list.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct MessageQuery {
    /// The `next` of the previous page; leave it out for the first page.
    #[serde(default)]
    pub cursor: Option<String>,
    /// How many messages a page has at most, 1 to 200; 50 when absent.
    #[serde(default)]
    pub limit: Option<u32>,
}

berth_base::page::paged!(MessageQuery);

/// A line of a message.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[allow(missing_docs, reason = "the fields are those of MessageKeyword")]
pub struct MessageField {
    pub field: String,
    pub name: BothLanguages,
    pub value: String,
}

/// A message as the host app gets it, to be shown to its user. It is data of the event `message.sent`, which goes to the host
/// app alone, as it names the user's account there.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct MessageToShow {
    /// Id of the message, for reports.
    pub id: UserMessageId,
    /// Id of the MiniApp that sends it.
    pub mini_app: MiniAppId,
    /// Id of the host app.
    pub host_app: HostAppId,
    /// The account of the user in the host app.
    pub account: String,
    /// Id of the template.
    pub template: MessageTemplateId,
    /// How often a consent allows a message.
    pub kind: SubscriptionKind,
    /// The title.
    pub title: BothLanguages,
    /// The lines, in the order in which they are shown.
    pub fields: Vec<MessageField>,
    /// The page of the MiniApp that it opens; absent when it opens nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<String>,
    /// Whether the user was erased since: there is neither an account nor anything to show any more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub erased: bool,
}

impl MessageToShow {
    /// The message without the user and without what was said.
    pub fn erased(self) -> Self {
        Self { account: String::new(), fields: Vec::new(), page: None, erased: true, ..self }
    }
}

impl SendMessage {
    /// The lines of the message (M5).
    ///
    /// # Errors
    /// `message-field`, naming the field, when the template has a field that the data has not, or the data one that the
    /// template has not, or a value does not fit its type.
    pub fn fields(&self, template: &MessageTemplate) -> Result<Vec<MessageField>> {
        let wrong = |field: &str, rule: String| {
            let detail = format!("data.{field}: {rule}");
            Error::new(Code::MessageField, detail).with("field", field).with("pointer", format!("/data/{field}"))
        };
        let known: Vec<_> = template.keywords.iter().map(|keyword| keyword.field.as_str()).collect();
        if let Some(more) = self.data.keys().find(|field| !known.contains(&field.as_str())) {
            return Err(wrong(more, format!("the template has no such field. It has {}.", known.join(", "))));
        }
        let line = |keyword: &super::MessageKeyword| {
            let field = &keyword.field;
            let value = self.data.get(field).ok_or_else(|| wrong(field, "is missing.".into()))?;
            if !keyword.kind.fits(value) {
                return Err(wrong(field, format!("must be {}.", keyword.kind.rule())).with("type", keyword.kind));
            }
            Ok(MessageField { field: field.clone(), name: keyword.name.clone(), value: value.clone() })
        };
        template.keywords.iter().map(line).collect()
    }
}

impl MessageState {
    /// The state after a report; `None` when the report says nothing new, as reports may come twice, and late (M8).
    ///
    /// # Errors
    /// `message-state` for a report that contradicts an earlier one.
    pub fn after(self, report: Reported) -> Result<Option<Self>> {
        match (self, report) {
            (Self::Sent, Reported::Refused) => Ok(Some(Self::Refused)),
            (Self::Sent, Reported::Shown) => Ok(Some(Self::Shown)),
            (Self::Sent | Self::Shown, Reported::Opened) => Ok(Some(Self::Opened)),
            (Self::Shown | Self::Opened, Reported::Shown)
            | (Self::Opened, Reported::Opened)
            | (Self::Refused, Reported::Refused) => Ok(None),
            (state, report) => {
                let detail = format!("The message is {state} and cannot be {report} any more.");
                Err(Error::new(Code::MessageState, detail).with("state", state))
            }
        }
    }
}

/// The day on a clock that is `utc_offset` minutes ahead of UTC, as a number: the days since 1970.
pub fn day_of(now: Millis, utc_offset: i64) -> i64 {
    (now.0 + utc_offset * 60_000).div_euclid(86_400_000)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use super::*;
    use crate::{
        message::public_template,
        testing::{DAWN, shop},
    };

    #[test]
    fn m5_data_that_does_not_fit_is_refused_with_the_field_and_its_rule() {
        let public = public_template("order-shipped").unwrap();
        let id: MessageTemplateId = "tmpl_00000000000000000000000000".parse().unwrap();
        let keywords = public.choose(&[2, 1]).unwrap();
        let template = MessageTemplate::of(id.clone(), shop(), public, keywords, (DAWN, "usr".into()));
        let fields = |data: &[(&str, &str)]| {
            let data = data.iter().map(|(field, value)| ((*field).into(), (*value).into())).collect();
            SendMessage { open_id: OpenId::of_mac(&[0; 32]), template: id.clone(), data, page: None }.fields(&template)
        };
        let good = fields(&[("character_string1", "SO1"), ("thing2", "Latte")]).unwrap();
        assert_eq!(good.iter().map(|one| &*one.value).collect::<Vec<_>>(), ["Latte", "SO1"], "in the template's order");
        for (data, pointer, says) in [
            (&[("thing2", "Latte")][..], "/data/character_string1", "is missing"),
            (&[("thing2", "Latte"), ("character_string1", "a b")], "/data/character_string1", "1 to 32 digits"),
            (
                &[("thing2", "L"), ("character_string1", "1"), ("time5", "15:01")],
                "/data/time5",
                "thing2, character_string1",
            ),
        ] {
            let refused = fields(data).unwrap_err();
            assert_eq!((refused.code, refused.fields["pointer"].as_str()), (Code::MessageField, Some(pointer)));
            assert!(refused.detail.contains(says), "{refused}");
        }
    }

    #[test]
    fn m8_reports_may_come_twice_and_late_and_never_contradict() {
        use MessageState as S;
        let after = |state: S| Reported::ALL.iter().map(|report| state.after(*report).ok()).collect::<Vec<_>>();
        // shown, opened, refused
        assert_eq!(after(S::Sent), [Some(Some(S::Shown)), Some(Some(S::Opened)), Some(Some(S::Refused))]);
        assert_eq!(after(S::Shown), [Some(None), Some(Some(S::Opened)), None]);
        assert_eq!(after(S::Opened), [Some(None), Some(None), None]);
        assert_eq!(after(S::Refused), [None, None, Some(None)]);
    }

    #[test]
    fn m3_the_day_of_a_user_begins_at_their_midnight() {
        let at = |text: &str| text.parse::<Millis>().unwrap();
        let before = at("2026-01-31T15:59:59.999Z");
        assert_eq!(day_of(at("2026-01-31T16:00:00Z"), 480), day_of(before, 480) + 1);
        assert_eq!(day_of(at("2026-01-31T16:00:00Z"), 0), day_of(before, 0));
        assert_eq!(day_of(Millis(-1), 0), -1);
    }
}
