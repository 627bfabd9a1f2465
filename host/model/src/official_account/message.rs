//! Template messages to members, each by the account that the member is reached by (S6–S8).

use std::collections::BTreeMap;

use berth_base::{
    clock::Millis,
    error::{Error, Result},
    ids::{AccountTemplateName, EntryPageName, FanId, MerchantId, ShopMemberId, TemplateMessageId, WechatAppId},
    page::paged,
    text,
    text::text_enum,
};
use serde::{Deserialize, Serialize};

use super::address;

/// How many fields a message has at most.
const MOST_FIELDS: usize = 20;

/// A template message to send.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SendTemplateMessage {
    /// The member.
    pub member_id: ShopMemberId,
    /// The name of the template, which the accounts have under this name.
    pub template: AccountTemplateName,
    /// A value for each field of the template, such as `{"thing1": "Latte"}`: at most 20, of at most 200 characters.
    #[schema(value_type = std::collections::HashMap<String, String>)]
    pub data: BTreeMap<String, String>,
    /// The https address that the message opens; nothing, when `page` is absent too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The entry page that the message opens, by the account by which it goes out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<EntryPageName>,
}

impl SendTemplateMessage {
    /// Checks what can be checked without WeChat.
    ///
    /// # Errors
    /// `invalid-field`.
    pub fn check(&self) -> Result<()> {
        if self.url.is_some() && self.page.is_some() {
            return Err(Error::field("page", "leave it out: url says what the message opens."));
        }
        if let Some(url) = &self.url {
            address("url", url)?;
        }
        if self.data.len() > MOST_FIELDS {
            return Err(Error::field(
                "data",
                format!("must have at most {MOST_FIELDS} fields, has {}.", self.data.len()),
            ));
        }
        for (field, value) in &self.data {
            let is_plain = field.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
            if !(1..=32).contains(&field.len()) || !is_plain {
                return Err(Error::field("data", "fields are called as in the template, such as thing1."));
            }
            text::prose(&format!("data.{field}"), value, 200)?;
        }
        Ok(())
    }
}

text_enum! {
    /// What became of a template message.
    TemplateMessageState {
        /// It is being sent.
        Sending = "sending",
        /// WeChat has taken it.
        Sent = "sent",
        /// WeChat refused it by every account that was tried; `tried` says why.
        Refused = "refused",
        /// No answer came: WeChat may have taken it or not. It is not sent again by itself.
        Unknown = "unknown",
    }
}

/// An account by which a message did not go out.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
pub struct TriedAccount {
    /// The account.
    pub app_id: WechatAppId,
    /// WeChat's number of the error; absent when WeChat said none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub errcode: Option<i64>,
    /// What was said, in words.
    pub reason: String,
}

/// A template message, without what it says.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct TemplateMessage {
    /// Its id.
    pub id: TemplateMessageId,
    /// The merchant that sends it.
    pub merchant: MerchantId,
    /// The member.
    pub member_id: ShopMemberId,
    /// The name of the template.
    pub template: AccountTemplateName,
    /// What became of it.
    pub state: TemplateMessageState,
    /// The account by which it went out, or may have gone out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app_id: Option<WechatAppId>,
    /// WeChat's id of the message, when it was taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wechat_id: Option<String>,
    /// The accounts by which it did not go out, in the order in which they were tried.
    #[serde(default)]
    pub tried: Vec<TriedAccount>,
    /// When it was asked for.
    pub created_at: Millis,
    /// When it was known what became of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settled_at: Option<Millis>,
}

/// Which template messages of a merchant to list, newest first.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct TemplateMessageQuery {
    /// Only those to this member.
    #[serde(default)]
    pub member_id: Option<ShopMemberId>,
    /// Only those of which this became.
    #[serde(default)]
    pub state: Option<TemplateMessageState>,
    /// The `next` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
    /// How many items a page has at most, 1 to 200; 50 when absent.
    #[serde(default)]
    pub limit: Option<u32>,
}

paged!(TemplateMessageQuery);

/// A binding by which a member may be reached.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "sql", derive(sqlx::FromRow))]
pub struct Candidate {
    /// The fan.
    pub fan_id: FanId,
    /// The account.
    pub app_id: WechatAppId,
    /// The account's own id of the template; `None` when it does not have it.
    pub template_id: Option<String>,
    /// Whether the account is the merchant's own.
    pub private: bool,
    /// Whether the account is in use.
    pub active: bool,
    /// Whether the member prefers this account.
    pub preferred: bool,
    /// When the member was bound.
    pub bound_at: Millis,
}

/// The bindings by which a message can go out, in the order in which they are tried: the account that the member prefers,
/// else that of the merchant, else private ones before shared ones, and the newest binding first.
pub fn in_order(mut candidates: Vec<Candidate>, merchants: Option<&WechatAppId>) -> Vec<Candidate> {
    candidates.retain(|one| one.active && one.template_id.is_some());
    candidates.sort_by_key(|one| {
        (!one.preferred, merchants != Some(&one.app_id), !one.private, std::cmp::Reverse(one.bound_at))
    });
    candidates
}

/// Whether another account of the member may be tried after WeChat has refused with this number: the member does not
/// follow the account (43004), is on its list of blocked people (43019), or refuses its messages (43101).
pub fn falls_back(errcode: Option<i64>) -> bool {
    matches!(errcode, Some(43004 | 43019 | 43101))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use super::*;

    fn app_id(letter: char) -> WechatAppId {
        format!("wx{}", letter.to_string().repeat(16)).parse().unwrap()
    }

    /// `p` private and `s` shared; in capitals the member's preference; `-` retired, `?` without the template.
    fn candidate(form: &str, bound_at: i64) -> Candidate {
        let letter = form.chars().next().unwrap();
        Candidate {
            fan_id: format!("fan_{}", "0".repeat(26)).parse().unwrap(),
            app_id: app_id(letter.to_ascii_lowercase()),
            template_id: (!form.contains('?')).then(|| "t".to_owned()),
            private: "pq".contains(letter.to_ascii_lowercase()),
            active: !form.contains('-'),
            preferred: letter.is_ascii_uppercase(),
            bound_at: Millis(bound_at),
        }
    }

    #[test]
    fn s7_a_member_is_reached_by_the_preferred_account() {
        let cases = [
            ("s p", None, "p s"),
            ("p s", Some('s'), "s p"),
            ("P s", Some('s'), "p s"),
            ("S p", Some('p'), "s p"),
            ("s p q", None, "q p s"),
            ("s p-", Some('p'), "s"),
            ("s p?", None, "s"),
            ("s- p?", None, ""),
        ];
        for (bound, merchants, expected) in cases {
            let bound = bound.split(' ').zip(0..).map(|(form, at)| candidate(form, at)).collect();
            let order = in_order(bound, merchants.map(app_id).as_ref());
            let order: Vec<_> = order.iter().map(|one| &one.app_id.as_str()[2..3]).collect();
            assert_eq!(order.join(" "), expected, "{merchants:?}");
        }
    }

    #[test]
    fn s8_only_who_cannot_be_reached_by_one_account_is_tried_by_another() {
        for code in [43004, 43019, 43101] {
            assert!(falls_back(Some(code)), "{code}");
        }
        for code in [None, Some(-1), Some(40003), Some(40037), Some(47003), Some(45009)] {
            assert!(!falls_back(code), "{code:?}");
        }
    }

    #[test]
    fn s6_a_message_that_cannot_be_right_is_refused_before_wechat_is_asked() {
        let message = |more: serde_json::Value| {
            let mut body = serde_json::json!({"member_id": "m1", "template": "paid", "data": {"thing1": "Latte"}});
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            serde_json::from_value::<SendTemplateMessage>(body).unwrap().check()
        };
        assert!(message(serde_json::json!({"url": "https://a.example/x"})).is_ok());
        assert!(message(serde_json::json!({"page": "shop"})).is_ok());
        let cases = [
            (serde_json::json!({"url": "http://a.example/"}), "/url"),
            (serde_json::json!({"url": "https://a.example/", "page": "shop"}), "/page"),
            (serde_json::json!({"data": {"a b": ""}}), "/data"),
            (serde_json::json!({"data": {"thing1": "x".repeat(201)}}), "/data/thing1"),
        ];
        for (more, pointer) in cases {
            assert_eq!(message(more).unwrap_err().fields["pointer"], pointer);
        }
    }
}
